# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import androscope
from androscope.errors import BundleError, EmptyInputError
from androscope.imaging import inputs
from androscope.model import kept
from androscope.model.runtime import runtime_of
from androscope.predict import Graded, Grader
from androscope.types import Failure

TINY = Path(__file__).parent / "data" / "tiny-bundle"
GRADER = Grader(TINY, threads=1)


@pytest.fixture(autouse=True)
def _model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDROSCOPE_MODEL", str(TINY))


def _crops(n: int, seed: int = 0) -> np.ndarray[Any, Any]:
    coarse = np.random.default_rng(seed).integers(0, 256, (n, 8, 8), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


def _probabilities(results: Any) -> list[list[float]]:
    return [[part.probability for part in a.parts] for a in results.assessments]


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    for number, crop in enumerate(_crops(3)):
        Image.fromarray(crop).save(tmp_path / f"{number}.png")
    return sorted(tmp_path.iterdir())


def test_one_line(files: list[Path]) -> None:
    results = androscope.assess(files[0].parent)
    assert [a.source for a in results.assessments] == [str(f) for f in files]
    assert results.labels == ("head", "acrosome", "vacuole")
    assert (results.model, results.model_version) == ("tiny", "0.0.1")
    assert results.model_sha256 == GRADER.card.model_sha256
    assert results.thresholds == {"head": 0.4, "acrosome": 0.5, "vacuole": 0.6}
    assert results.failures == results.crops == ()
    head = results.assessments[0]["head"]
    assert (head.verdict == "abnormal") == (head.probability >= head.threshold)


def test_every_way_to_name_the_same_images(files: list[Path], tmp_path: Path) -> None:
    stack = _crops(3)
    np.save(tmp_path / "s.npy", stack)
    expected = _probabilities(androscope.assess(stack))
    ways: dict[str, Any] = {
        "list of paths": files,
        "list of texts": [str(f) for f in files],
        "pattern": str(tmp_path / "*.png"),
        "npy": tmp_path / "s.npy",
        "list of arrays": list(stack),
        "paths and arrays": [files[0], stack[1], str(files[2])],
        "generator": (crop for crop in stack),
        "Pillow images": [Image.fromarray(crop) for crop in stack],
        "colour": np.repeat(stack[..., None], 3, axis=-1),
        "16 bits": stack.astype(np.uint16) * 257,
        "unit floats": stack / 255,
    }
    for way, images in ways.items():
        assert _probabilities(androscope.assess(images)) == expected, way


def test_names_of_arrays() -> None:
    stack = _crops(2)
    assert [a.name for a in androscope.assess(stack).assessments] == ["<array>[0]", "<array>[1]"]
    assert [a.name for a in androscope.assess(stack[0]).assessments] == ["<array>"]
    assert [a.name for a in androscope.assess(list(stack)).assessments] == [
        "<array 0>", "<array 1>",
    ]  # fmt: skip


@settings(max_examples=30)
@given(bad=st.lists(st.booleans(), min_size=1, max_size=12), batch=st.integers(1, 5))
def test_every_image_comes_out_once_in_its_place(bad: list[bool], batch: int) -> None:
    images = [
        np.full((64, 64), np.nan) if b else c for b, c in zip(bad, _crops(len(bad)), strict=True)
    ]
    items = list(GRADER.stream(images, batch_size=batch))
    assert [isinstance(item, Failure) for item in items] == bad
    names = [i.source if isinstance(i, Failure) else i.assessment.source for i in items]
    assert names == [f"<array {number}>" for number in range(len(bad))]
    results = GRADER.assess(images, batch_size=batch)
    assert len(results) + len(results.failures) == len(bad)


def test_the_batch_size_does_not_change_a_verdict() -> None:
    crops = _crops(37)
    whole = _probabilities(GRADER.assess(crops, batch_size=37))
    for batch in (1, 2, 5, 36, 4096):
        np.testing.assert_allclose(
            _probabilities(GRADER.assess(crops, batch_size=batch)), whole, atol=1e-5
        )


def test_nothing_is_read_ahead_of_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = inputs.read_images

    def spy(what: Any, **options: Any) -> Any:
        read.append(str(options["name"]))
        return real(what, **options)

    monkeypatch.setattr(inputs, "read_images", spy)
    stream = GRADER.stream(list(_crops(10)), batch_size=2)
    assert read == []
    assert isinstance(next(stream), Graded)
    assert len(read) == 2
    next(stream)
    assert len(read) == 2
    next(stream)
    assert len(read) == 4


def test_crops_are_kept_when_asked_for() -> None:
    crops = _crops(5)
    results = GRADER.assess([*crops[:2], np.zeros((1, 1), np.uint8), *crops[2:]], keep_crops=True)
    assert len(results.failures) == 1
    np.testing.assert_array_equal(np.stack([c.pixels for c in results.crops]), crops)
    assert [c.source for c in results.crops] == [a.source for a in results.assessments]


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        pytest.param(_crops(3), [(1, 3), (2, 3), (3, 3)], id="stack"),
        pytest.param(list(_crops(2)), [(1, 2), (2, 2)], id="list"),
        pytest.param([np.zeros((1, 1))], [(1, 1)], id="failures count"),
        pytest.param(np.zeros((0, 64, 64)), [(1, 1)], id="empty stack is one failure"),
        pytest.param(np.zeros((64, 64, 3), np.uint8), [(1, 1)], id="one colour picture"),
    ],
)
def test_progress(images: Any, expected: list[tuple[int, int]]) -> None:
    seen: list[tuple[int, int]] = []
    GRADER.assess(images, progress=lambda done, total: seen.append((done, total)))
    assert seen == expected


def test_progress_over_files(files: list[Path], tmp_path: Path) -> None:
    pages = [Image.fromarray(c) for c in _crops(3)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    np.save(tmp_path / "s.npy", _crops(4))
    (tmp_path / "bad.npy").write_bytes(b"")
    seen: list[tuple[int, int]] = []
    results = GRADER.assess(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert len(results) == 3 + 3 + 4
    assert [f.source for f in results.failures] == [str(tmp_path / "bad.npy")]
    assert seen[-1] == (11, 11)
    assert all(done <= total for done, total in seen)


def test_a_pixel_size_the_model_cannot_use_is_said() -> None:
    extra = GRADER.assess(_crops(1), pixel_size=0.25).extra
    assert extra["pixel_size_um"] == "0.25"
    assert extra["pixel_size_warning"].startswith("the pixel size (0.25 um) was not used")
    assert set(GRADER.assess(_crops(1)).extra) == {"not_checked"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"fit": "stretch"}, "fit must be one of auto, resize, centre, got 'stretch'", id="fit"),
        pytest.param({"batch_size": 0}, "batch_size must be at least 1, got 0", id="batch size"),
        pytest.param({"pixel_size": 0.0}, "pixel_size must be above 0 um, got 0.0", id="pixel size 0"),
        pytest.param({"pixel_size": float("nan")}, "pixel_size must be above 0 um, got nan", id="pixel size NaN"),
        pytest.param({"threads": -1}, "threads must be between 0 and 1024, got -1", id="threads"),
    ],
)  # fmt: skip
def test_wrong_arguments(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        androscope.assess(_crops(1), **options)


@pytest.mark.parametrize("images", [[], ()], ids=["list", "tuple"])
def test_nothing_named(images: Any) -> None:
    with pytest.raises(EmptyInputError, match="nothing was named to assess"):
        androscope.assess(images)


def test_a_wrong_argument_of_a_stream_raises_at_once() -> None:
    with pytest.raises(ValueError, match="batch_size"):
        GRADER.stream(_crops(1), batch_size=0)


def test_no_such_model() -> None:
    with pytest.raises(BundleError, match="no such model"):
        androscope.assess(_crops(1), model="nowhere")


def test_a_session_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    real = kept.Session

    def spy(bundle: Any, *, threads: int, backend: Any) -> Any:
        made.append(threads)
        return real(bundle, threads=threads, backend=backend)

    monkeypatch.setattr(kept, "_sessions", type(kept._sessions)())
    monkeypatch.setattr(kept, "Session", spy)
    for _ in range(3):
        androscope.assess(_crops(1), threads=1)
    assert made == [1]
    androscope.assess(_crops(1), threads=2)
    assert made == [1, 2]


def test_another_backend_is_asked_by_setting_and_named_in_the_results(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crops = _crops(3)
    expected = androscope.assess(crops)
    assert "run_by" not in expected.extra
    monkeypatch.setenv("ANDROSCOPE_BACKEND", "openvino")
    given = androscope.assess(crops)
    assert given.extra["run_by"] == runtime_of("openvino")
    assert [
        pytest.approx([part.probability for part in a.parts], abs=0.05)
        for a in expected.assessments
    ] == [[part.probability for part in a.parts] for a in given.assessments]


def test_another_threshold_is_another_model(tmp_path: Path) -> None:
    from androscope.model.bundle import load_bundle
    from androscope.model.bundle_writing import write_bundle

    bundle = load_bundle(TINY)
    strict = bundle.card.model_copy(update={"thresholds": dict.fromkeys(bundle.card.labels, 0.001)})
    write_bundle(tmp_path / "strict", bundle.model, strict)
    results = androscope.assess(_crops(4), model=tmp_path / "strict")
    assert {part.verdict for a in results.assessments for part in a.parts} == {"abnormal"}
    assert _probabilities(results) == _probabilities(androscope.assess(_crops(4), model=TINY))


def test_threads_may_assess_at_once() -> None:
    crops = _crops(16)
    expected = _probabilities(androscope.assess(crops))
    got: list[Any] = [None] * 4

    def work(number: int) -> None:
        got[number] = _probabilities(androscope.assess(crops))

    workers = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert got == [expected] * 4

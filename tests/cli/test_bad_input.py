# ruff: noqa: E501  a row of a table of cases stays on one line
"""Everything that can be wrong with what a user gives, the whole way through the command."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

GREY = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _here(crops: Path, tiny_model: Path) -> None:
    pass


def _png(array: np.ndarray[Any, Any] = GREY) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def _header_of(width: int, height: int) -> bytes:
    """A PNG whose header promises a picture that no machine should decode."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c))
        for c in (chunk, data, b"IEND")
    )


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _npy(array: np.ndarray[Any, Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def _animated() -> bytes:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    return _saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


def _with_nan() -> np.ndarray[Any, Any]:
    picture = GREY / 255
    picture[3, 4] = np.nan
    return picture


IMAGES = [
    pytest.param("t.png", _png()[:200], "image-unreadable", "truncated or damaged", id="truncated PNG"),
    pytest.param("e.png", b"", "image-unreadable", "the file is empty (0 bytes). Export or copy it again", id="0-byte file"),
    pytest.param("x.png", b"this is not a picture\n" * 9, "image-unreadable", "expected an image (PNG, TIFF,", id="text named .png"),
    pytest.param("bomb.png", _header_of(50_000, 50_000), "image-dimensions", "50", id="decompression bomb"),
    pytest.param("nan.npy", _npy(_with_nan()), "image-values", "expected finite pixel values, got 1 NaN or infinite of 4096", id="NaN floats"),
    pytest.param("inf.npy", _npy(np.full((64, 64), np.inf)), "image-values", "got 4096 NaN or infinite of 4096", id="infinite floats"),
    pytest.param("1x1.png", _png(GREY[:1, :1]), "image-dimensions", "expected at least 32 px on a side, got 1 x 1 px", id="1x1"),
    pytest.param("64x1.png", _png(GREY[:1]), "image-dimensions", "expected at least 32 px on a side, got 64 x 1 px", id="64x1"),
    pytest.param("strip.png", _png(GREY[:33]), "image-dimensions", "expected a nearly square crop", id="strip"),
    pytest.param("long.png", _png(np.tile(GREY, (1, 10))), "image-dimensions", "expected a nearly square crop", id="long strip"),
    pytest.param("cmyk.jpg", _saved(Image.fromarray(GREY).convert("CMYK"), "JPEG"), "image-unsupported", "CMYK", id="CMYK"),
    pytest.param("cmyk.tif", _saved(Image.fromarray(GREY).convert("CMYK"), "TIFF"), "image-unsupported", "CMYK", id="CMYK TIFF"),
    pytest.param("anim.gif", _animated(), "image-unsupported", "anim", id="animated GIF"),
    pytest.param("objects.npy", _npy(np.array([{"a": 1}], object), allow_pickle=True), "image-values", "Python objects, which are never unpickled", id="pickled objects"),
    pytest.param("short.npy", _npy(GREY)[:-10], "image-unreadable", "its header promises 4,096 bytes", id="truncated npy"),
    pytest.param("none.npy", _npy(np.zeros((0, 64, 64), np.uint8)), "image-dimensions", "got an empty stack", id="empty stack"),
    pytest.param("zip.npz", b"PK\x03\x04" + bytes(100), "image-unreadable", "expected an image", id="npz"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "code", "message"), IMAGES)
def test_one_bad_image_stops_nothing_and_is_not_lost(
    run: Any, name: str, content: bytes, code: str, message: str
) -> None:
    Path(name).write_bytes(content)
    done = run("assess", "crops/img1.png", name, "crops/img2.png", "--json", "r.json")
    assert done.code == 1
    document = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert [a["image"] for a in document["assessments"]] == ["crops/img1.png", "crops/img2.png"]
    (failure,) = document["failures"]
    assert failure["image"] == name
    assert failure["code"] == code
    assert failure["advice"]
    assert done.err.startswith(f"1 image could not be assessed:\n  {name}: ")
    assert message in done.err
    assert f"{failure['reason']}. {failure['advice']} [{code}]" in done.err
    assert "2 assessed by tiny 0.0.1; 1 could not be." in done.out
    assert "Traceback" not in done.err


def test_all_bad_images_at_once(run: Any) -> None:
    for case in IMAGES:
        name, content = case.values[:2]
        Path("crops", str(name)).write_bytes(bytes(content))  # type: ignore[arg-type]
    done = run("assess", "crops", "crops/zip.npz", "crops/anim.gif", "--csv", "r.csv")
    assert done.code == 1
    assert f"{len(IMAGES)} images could not be assessed:" in done.err
    assert "3 assessed by tiny" in done.out
    assert len(Path("r.csv").read_text(encoding="utf-8").splitlines()) == 1 + 3 + len(IMAGES)


def test_a_bad_page_of_a_stack_leaves_the_others(run: Any) -> None:
    stack = np.stack([GREY / 255] * 3)
    stack[1, 0, 0] = np.nan
    np.save("stack.npy", stack)
    done = run("assess", "stack.npy")
    assert done.code == 1
    assert "stack.npy[1]: expected finite pixel values" in done.err
    assert "stack.npy[0]" in done.out
    assert "stack.npy[2]" in done.out


def test_nothing_but_failures_is_written_too(run: Any) -> None:
    done = run("assess", "missing.png", "--csv", "r.csv", "--html", "r.html")
    assert done.code == 1
    assert "missing.png: no such file. Check the spelling" in done.err
    assert "0 assessed by tiny 0.0.1; 1 could not be." in done.out
    assert "image-unreadable" in Path("r.csv").read_text(encoding="utf-8")
    assert "missing.png" in Path("r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        pytest.param(["void"], "", "error: void: no image in this folder: looked for .png", id="folder without images"),
        pytest.param(["-"], "", "error: nothing was named to assess. Name a file or a folder", id="empty stdin"),
        pytest.param([], "", "Missing argument", id="no argument"),
        pytest.param(["crops", "--pixel-size", "0"], "", "expected micrometres per pixel above 0, got 0", id="pixel size 0"),
        pytest.param(["crops", "--pixel-size", "nan"], "", "expected micrometres per pixel above 0, got nan", id="pixel size NaN"),
        pytest.param(["crops", "--fit", "stretch"], "", "'stretch' is not one of", id="unknown fit"),
        pytest.param(["crops", "--batch-size", "0"], "", "Invalid value for '--batch-size'", id="batch of none"),
        pytest.param(["crops", "--threads", "-1"], "", "Invalid value for '--threads'", id="negative threads"),
        pytest.param(["crops", "--modle", "x"], "", "No such option: --modle", id="misspelt option"),
    ],
)  # fmt: skip
def test_wrong_use_is_two(run: Any, arguments: list[str], stdin: str, message: str) -> None:
    Path("void").mkdir()
    Path("void/readme.txt").write_text("no image", encoding="utf-8")
    done = run("assess", *arguments, stdin=stdin)
    assert done.code == 2
    assert message in " ".join(done.err.replace("│", " ").split())
    assert done.out == ""


def test_a_wrong_setting_names_its_variable(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDROSCOPE_BATCH_SIZE", "many")
    done = run("assess", "crops")
    assert done.code == 2
    assert done.err.startswith("error: ANDROSCOPE_BATCH_SIZE='many': ")
    assert "Unset ANDROSCOPE_BATCH_SIZE" in done.err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        pytest.param("--csv", "crops", "crops: --csv expects a file's name, got a folder. Name a file in it, such as crops/results.csv", id="csv is a folder"),
        pytest.param("--json", "crops/img1.png/r.json", "crops/img1.png/r.json: cannot be written", id="json inside a file"),
        pytest.param("--html", "crops/img1.png", "crops/img1.png: --html would overwrite an image that is to be assessed", id="html over an image"),
        pytest.param("--parquet", "/proc/none/r.parquet", "/proc/none/r.parquet: cannot be written", id="parquet where nothing can be"),
        pytest.param("--thumbnails", "crops/img1.png", "crops/img1.png: cannot be written", id="thumbnails in a file"),
    ],
)  # fmt: skip
def test_an_output_that_cannot_be_written_stops_before_any_work(
    run: Any, monkeypatch: pytest.MonkeyPatch, option: str, value: str, message: str
) -> None:
    def no_work(*_: object, **__: object) -> None:
        pytest.fail("graded before it was known whether the result can be written")

    monkeypatch.setattr("androscope.predict.Grader", no_work)
    before = Path("crops/img1.png").read_bytes()
    done = run("assess", "crops", option, value)
    assert done.code == 2
    assert done.err.startswith(f"error: {message}")
    assert Path("crops/img1.png").read_bytes() == before


def test_parquet_without_its_extra_stops_before_any_work(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    done = run("assess", "crops", "--parquet", "r.parquet")
    assert done.code == 2
    assert "Run: pip install 'androscope[parquet]'" in done.err
    assert not Path("r.parquet").exists()


def test_a_full_disk_is_an_error_and_keeps_the_old_file(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("r.csv").write_text("old", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    done = run("assess", "crops", "--csv", "r.csv")
    assert done.code == 2
    assert "r.csv: cannot be written: No space left on device" in done.err
    assert Path("r.csv").read_text(encoding="utf-8") == "old"
    assert [p.name for p in Path().glob(".r*")] == []


def _card(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    change(card)
    path.write_text(json.dumps(card), encoding="utf-8")


def _flip(folder: Path) -> None:
    path = folder / "model.onnx"
    content = bytearray(path.read_bytes())
    content[500] ^= 255
    path.write_bytes(content)


def _garbage(folder: Path) -> None:
    content = b"not a model"
    (folder / "model.onnx").write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    _card(folder, lambda c: c.update(model_sha256=sha256))


TAMPERED = [
    pytest.param(_flip, "model.onnx: is not the model its card describes: expected SHA-256", id="a byte flipped"),
    pytest.param(lambda f: _card(f, lambda c: c.update(labels=["acrosome", "head", "vacuole"])), "the card's labels are not the model's", id="labels swapped"),
    pytest.param(lambda f: _card(f, lambda c: (c["labels"].append("tail"), c["thresholds"].update(tail=0.5))), "the model's outputs are not the card's", id="a label added"),
    pytest.param(lambda f: _card(f, lambda c: c["thresholds"].pop("head")), "thresholds must name exactly the labels", id="a threshold missing"),
    pytest.param(lambda f: _card(f, lambda c: c["thresholds"].update(head=1.5)), "thresholds.head: Input should be less than 1", id="a threshold out of range"),
    pytest.param(lambda f: _card(f, lambda c: c["input"].update(size=128)), "the model's inputs are not the card's", id="another crop size"),
    pytest.param(lambda f: _card(f, lambda c: c["network"].update(embedding_dim=5)), "the model's outputs are not the card's", id="another embedding"),
    pytest.param(lambda f: _card(f, lambda c: c.pop("training")), "training: Field required", id="no training data stated"),
    pytest.param(lambda f: _card(f, lambda c: c.update(backdoor=True)), "backdoor: Extra inputs are not permitted", id="unknown field"),
    pytest.param(lambda f: (f / "card.json").write_text("{", encoding="utf-8"), "card.json: is not a model card", id="card is no JSON"),
    pytest.param(lambda f: (f / "card.json").unlink(), "card.json: is missing", id="no card"),
    pytest.param(lambda f: (f / "model.onnx").unlink(), "model.onnx: is missing", id="no model"),
    pytest.param(_garbage, "cannot load the model", id="model is no ONNX, hash and all"),
]  # fmt: skip


@pytest.mark.parametrize(("tamper", "message"), TAMPERED)
def test_a_tampered_bundle_grades_nothing(
    run: Any, tiny_model: Path, tamper: Callable[[Path], object], message: str
) -> None:
    shutil.copytree(tiny_model, "bundle")
    tamper(Path("bundle"))
    done = run("assess", "crops", "--model", "bundle", "--csv", "r.csv")
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("error: bundle/")
    assert message in done.err
    assert not Path("r.csv").exists()
    verified = run("models", "verify", "bundle")
    assert verified.code == 2
    assert message in verified.err


def test_no_such_model(run: Any) -> None:
    done = run("assess", "crops", "--model", "nowhere")
    assert done.code == 2
    assert done.err.startswith("error: nowhere: no such model")
    assert "androscope models list" in done.err

"""One image, three ways to grade it: training's network, the library, the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("onnx", reason="needs the train extra: onnx is not installed")
pytest.importorskip("onnxscript", reason="needs the train extra: onnxscript is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

import androscope
from androscope.cli.main import main
from androscope.imaging.phantom_set import phantom_set
from androscope.learning.export import export
from androscope.learning.run import Run, train
from androscope.types import Results

from .tiny import config as quick
from .tiny import dataset, discs

pytestmark = pytest.mark.train


def _pictures() -> dict[str, np.ndarray[Any, Any]]:
    crop = discs(1, seed=9).crops[0]
    sperm = phantom_set(1, 3, size=64)[0].pixels
    return {
        "crop.png": crop,
        "colour.png": np.repeat(crop[..., None], 3, axis=-1),
        "16-bit.png": crop.astype(np.uint16) * 257,
        "larger.png": sperm,
        "larger.tif": sperm[:, 4:-3],
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("answers") / "run"
    config = quick("stage1.epochs=1", "stage2.default.epochs=1")
    return train(config, folder, dataset=dataset(), quiet=True)


@pytest.fixture(scope="module")
def work(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``bundle/``, exported from the run, and the pictures in ``images/``."""
    folder = tmp_path_factory.mktemp("work")
    export(run, folder / "bundle")
    (folder / "images").mkdir()
    for name, pixels in _pictures().items():
        Image.fromarray(pixels).save(folder / "images" / name)
    return folder


@pytest.fixture(scope="module")
def from_library(work: Path) -> dict[str, Results]:
    images = work / "images"
    return {
        p.name: androscope.assess(p, model=work / "bundle", keep_crops=True)
        for p in sorted(images.iterdir())
    }


@pytest.mark.parametrize("name", _pictures())
def test_the_networks_answer_is_the_librarys(
    run: Run, from_library: dict[str, Results], name: str
) -> None:
    results = from_library[name]
    assert results.failures == ()
    (sperm,), (crop,) = results.assessments, results.crops
    (expected,) = run.probabilities(np.stack([crop.pixels]))
    assert tuple(part.label for part in sperm.parts) == run.labels
    np.testing.assert_allclose([p.probability for p in sperm.parts], expected, rtol=0, atol=1e-4)
    for part, probability in zip(sperm.parts, expected, strict=True):
        assert part.threshold == run.thresholds[part.label]
        # Nearer to the threshold than they may differ, either verdict is right.
        if abs(probability - part.threshold) > 1e-4:
            assert (part.verdict == "abnormal") == (probability >= part.threshold)


def test_a_crop_of_the_models_size_reaches_the_network_as_it_is(
    run: Run, from_library: dict[str, Results]
) -> None:
    pixels = discs(1, seed=9).crops[0]
    for name in ("crop.png", "colour.png", "16-bit.png"):
        assert np.array_equal(from_library[name].crops[0].pixels, pixels), name
    (expected,) = run.probabilities(pixels[None])
    given = [part.probability for part in from_library["crop.png"].assessments[0].parts]
    np.testing.assert_allclose(given, expected, rtol=0, atol=1e-4)


def test_the_librarys_answer_is_the_command_lines_to_the_last_digit(
    work: Path, from_library: dict[str, Results], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, results in from_library.items():
        image, out = work / "images" / name, work / f"{name}.json"
        command = ["assess", image, "--model", work / "bundle", "--quiet", "--json", out]
        monkeypatch.setattr(sys, "argv", ["androscope", *map(str, command)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        printed = json.loads(out.read_text())
        assert printed["model"]["sha256"] == results.model_sha256
        assert printed["model"]["thresholds"] == results.thresholds
        (sperm,), (answer,) = results.assessments, printed["assessments"]
        assert answer["image"] == sperm.source
        assert answer["notes"] == list(sperm.notes)
        assert answer["parts"] == {
            part.label: {
                "verdict": str(part.verdict),
                "probability": part.probability,
                "threshold": part.threshold,
            }
            for part in sperm.parts
        }

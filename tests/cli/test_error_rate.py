"""``--error-rate``: its range, models that cannot serve it, and what is said of low ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from androscope.model.bundle import load_bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.card_trust import Conformal

from .conftest import TINY, Run


@pytest.fixture
def crop(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    (tmp_path / "s").mkdir()
    Image.fromarray(pixels).save(tmp_path / "s" / "crop.png")
    return tmp_path / "s"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Nine crops of each class: an error rate of a tenth is the least it can serve."""
    found = load_bundle(TINY)
    scores = tuple(i / 10 for i in range(1, 10))
    data = dict.fromkeys(found.card.labels, Conformal(data="x", normal=scores, abnormal=scores))
    card = found.card.model_copy(update={"conformal": data})
    return write_bundle(tmp_path / "bundle", found.model, card).folder


@pytest.mark.parametrize("command", ["assess", "report"])
@pytest.mark.parametrize("rate", ["0", "-0.1", "0.51", "nan"])
def test_a_rate_outside_its_range(run: Run, crop: Path, command: str, rate: str) -> None:
    done = run(command, crop, "--error-rate", rate)
    assert done.code == 2
    assert "expected a share above 0 and at most 0.5" in " ".join(done.err.split())


@pytest.mark.parametrize("command", ["assess", "report"])
def test_a_model_that_cannot_says_what_to_do(run: Run, crop: Path, command: str) -> None:
    done = run(command, crop, "-m", TINY, "--error-rate", "0.1")
    assert done.code == 2
    assert "tiny 0.0.1 cannot leave a part undecided" in done.err
    assert "androscope calibrate BUNDLE --data DATA --out DIR" in done.err


@pytest.mark.parametrize(
    ("rate", "noted"), [("0.1", False), ("0.05", True)], ids=["served", "too low"]
)
def test_a_rate_too_low_for_the_crops_is_said(
    run: Run, crop: Path, bundle: Path, rate: str, noted: bool
) -> None:
    done = run("assess", crop, "-m", bundle, "--error-rate", rate)
    assert done.code == 0
    assert ("note: at an error rate of 0.05 too few" in done.err) is noted
    assert ("head normal (9 crops, from 0.1 on)" in done.err) is noted
    assert "undecided" in done.out


def test_the_setting_is_held_to_the_range(run: Run, crop: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("ANDROSCOPE_ERROR_RATE", "0.7")
    done = run("assess", crop, "-m", TINY)
    assert done.code == 2
    assert "ANDROSCOPE_ERROR_RATE='0.7': input should be less than or equal to 0.5" in done.err

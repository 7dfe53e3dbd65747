"""A bundle calibrated on labelled crops: verdicts stay, and what cannot be done is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.learning.trust.recalibrate import calibrate_bundle
from androscope.model.bundle import Bundle, load_bundle
from androscope.model.session import Session
from androscope.predict import Grader

pytestmark = pytest.mark.train

TINY = Path(__file__).parent.parent.parent / "data" / "tiny-bundle"
LABELS = ("head", "acrosome", "vacuole")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(TINY)


def crops(n: int = 80, seed: int = 0, names: tuple[str, ...] = LABELS) -> LabelledCrops:
    """Noise, labelled by a coin that the tiny network's opinion weighs, and far too weakly."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (n, 64, 64), dtype=np.uint8)
    pixels[::2] //= 3
    own = Session(load_bundle(TINY), threads=1).predict(pixels).probabilities
    labels = (random.random((n, 3)) < own).astype(np.int8)
    return LabelledCrops(pixels, labels[:, : len(names)], names, tuple(map(str, range(n))))


def test_a_new_bundle_says_the_same_of_every_crop(bundle: Bundle, tmp_path: Path) -> None:
    data = crops()
    lines: list[str] = []
    written = calibrate_bundle(
        bundle, data, "noise valid", tmp_path / "new", version="9.9.9", report=lines.append
    )
    card = written.card
    assert (card.name, card.version) == (bundle.card.name, "9.9.9")
    assert card.model_sha256 == bundle.card.model_sha256
    assert card.calibration is not None
    assert card.conformal is not None
    assert [line.partition(":")[0] for line in lines] == list(LABELS)
    for label in LABELS:
        assert card.calibration[label].data == "noise valid"
        found = card.conformal[label]
        assert len(found.normal) + len(found.abnormal) == 80
    assert "Calibrated anew from" in card.protocol
    text = (tmp_path / "new" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "## Calibration" in text
    assert "## Undecided" in text
    assert "log loss, identity" in text

    fresh = crops(60, seed=1).crops
    before, after = Grader(TINY, threads=1), Grader(written.folder, threads=1)
    one, other = before.assess(fresh), after.assess(fresh)
    assert [[p.verdict for p in a.parts] for a in one.assessments] == [
        [p.verdict for p in a.parts] for a in other.assessments
    ]


def test_calibrating_twice_is_calibrating_once(bundle: Bundle, tmp_path: Path) -> None:
    data = crops()
    once = calibrate_bundle(bundle, data, "noise valid", tmp_path / "once").card
    twice = calibrate_bundle(load_bundle(tmp_path / "once"), data, "noise valid", tmp_path / "2")
    assert twice.card.calibration == once.calibration
    assert twice.card.conformal == once.conformal
    for label, threshold in once.thresholds.items():
        assert twice.card.thresholds[label] == pytest.approx(threshold, abs=1e-6)


def test_what_cannot_be_done_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="expected crops labelled for head, acrosome, vacuole"):
        calibrate_bundle(bundle, crops(names=("head",)), "x", tmp_path / "a")
    few = crops(80)
    few = LabelledCrops(few.crops, np.zeros_like(few.labels), few.label_names, few.ids)
    with pytest.raises(TrainingError, match="head has 80 normal and 0 abnormal crops") as caught:
        calibrate_bundle(bundle, few, "x", tmp_path / "b")
    assert "each class needs 10 at least" in str(caught.value)
    with pytest.raises(TrainingError, match="version 'one'"):
        calibrate_bundle(bundle, crops(), "x", tmp_path / "c", version="one")
    assert list(tmp_path.iterdir()) == []

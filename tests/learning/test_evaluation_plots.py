from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the train extra: matplotlib is not installed")
pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")

from sklearn.calibration import calibration_curve

from androscope.learning.calibration_bins import calibration_bins
from androscope.learning.evaluation_plots import plot_calibration, plot_confusion, plot_roc

from .pictures import drawn_twice

pytestmark = pytest.mark.train

NAMES = ("head", "acrosome")


def sample(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    labels = (generator.random((n, 2)) < 0.3).astype(np.int8)
    return labels, np.clip(0.3 * labels + 0.7 * generator.random((n, 2)), 0, 1)


def draw(folder: Path) -> None:
    labels, given = sample()
    plot_roc(folder / "roc.png", NAMES, labels, given, {"head": 0.5, "acrosome": 0.4})
    plot_calibration(folder / "calibration.png", NAMES, labels, given)
    plot_confusion(folder / "confusion.png", {"head": [[5, 1], [2, 3]], "tail": [[9, 0], [0, 0]]})


def test_pictures_are_drawn_and_are_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = drawn_twice(draw, tmp_path, monkeypatch)
    assert names == ["calibration.png", "confusion.png", "roc.png"]


def test_no_half_picture_is_left(tmp_path: Path) -> None:
    labels, given = sample()
    with pytest.raises(IndexError):
        plot_roc(tmp_path / "roc.png", (*NAMES, "tail"), labels, given)
    assert list(tmp_path.iterdir()) == []


def test_a_label_of_one_class_has_no_curve_and_does_not_stop_the_others(tmp_path: Path) -> None:
    labels, given = sample()
    labels[:, 1] = 0
    plot_roc(tmp_path / "roc.png", NAMES, labels, given, {"head": 0.5, "acrosome": 0.4})
    labels[:, 1] = -1
    plot_roc(tmp_path / "none.png", NAMES, labels, given)
    plot_calibration(tmp_path / "calibration.png", NAMES, labels, given)
    assert len(list(tmp_path.glob("*.png"))) == 3


def test_calibration_against_scikit_learn() -> None:
    labels, given = sample(500)
    found = calibration_bins(labels[:, 0], given[:, 0])
    observed, predicted = calibration_curve(
        labels[:, 0], given[:, 0], n_bins=10, strategy="quantile"
    )
    assert [b.count for b in found] == [50] * 10
    assert [b.observed for b in found] == pytest.approx(observed, abs=0.021)
    assert [b.predicted for b in found] == pytest.approx(predicted, abs=0.01)


def test_calibration_by_hand() -> None:
    labels = [0, 0, 1, 1, -1]
    bins = calibration_bins(labels, [0.1, 0.2, 0.7, 0.8, 0.9], bins=2)
    assert [(b.predicted, b.observed, b.count) for b in bins] == [
        (pytest.approx(0.15), 0.0, 2),
        (pytest.approx(0.75), 1.0, 2),
    ]


def test_calibration_of_equal_probabilities_is_one_group() -> None:
    bins = calibration_bins([0, 1, 1, 0], [0.5] * 4)
    assert [(b.predicted, b.observed, b.count) for b in bins] == [(0.5, 0.5, 4)]
    assert calibration_bins([-1], [0.5]) == []

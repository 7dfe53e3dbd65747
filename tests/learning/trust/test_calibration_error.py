"""Calibration error and Brier score: against scikit-learn, and on data whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from androscope.learning.trust.calibration_error import brier, calibration_scores, expected_error

pytestmark = pytest.mark.train

RANDOM = np.random.default_rng(5)
GIVEN = RANDOM.beta(2, 3, 300)
TRUTH = (RANDOM.random(300) < GIVEN**2).astype(int)


@pytest.mark.parametrize("bins", [5, 10, 15])
def test_bins_are_those_of_scikit_learn(bins: int) -> None:
    observed, predicted = calibration_curve(TRUTH, GIVEN, n_bins=bins, strategy="quantile")
    # 300 is a multiple of every number of bins: each holds as many crops.
    expected = float(np.mean(np.abs(observed - predicted)))
    assert expected_error(TRUTH, GIVEN, bins) == pytest.approx(expected, abs=1e-12)


def test_brier_is_scikit_learns_and_unlabelled_crops_are_left_out() -> None:
    assert brier(TRUTH, GIVEN) == pytest.approx(brier_score_loss(TRUTH, GIVEN))
    with_gaps, more = np.r_[TRUTH, -1, -1], np.r_[GIVEN, 0.9, 0.9]
    assert brier(with_gaps, more) == brier(TRUTH, GIVEN)
    assert expected_error(with_gaps, more) == expected_error(TRUTH, GIVEN)


def test_errors_of_known_size() -> None:
    truth = np.tile([0, 0, 0, 1], 100)
    assert expected_error(truth, np.full(400, 0.25)) == pytest.approx(0)
    assert expected_error(truth, np.full(400, 0.45)) == pytest.approx(0.2)
    assert np.isnan(expected_error([-1], [0.5]))


def test_exact_probabilities_look_exact_and_skewed_ones_do_not() -> None:
    truth = (np.random.default_rng(6).random(300) < GIVEN).astype(int)
    exact = calibration_scores(truth, GIVEN, resamples=300)
    assert exact.if_exact > 0.04  # what chance alone makes of 300 crops in 15 bins
    assert exact.p_value > 0.05
    assert exact.error_interval[0] < exact.if_exact
    skewed = calibration_scores(TRUTH, GIVEN, resamples=300)
    assert skewed.p_value < 0.01
    assert skewed.error_interval[0] > 0.05
    low, high = skewed.brier_interval
    assert low < skewed.brier < high
    assert skewed.brier_of_share == pytest.approx(TRUTH.mean() * (1 - TRUTH.mean()))


def test_drawing_patients_widens_the_interval() -> None:
    patients = [f"p{i // 30}" for i in range(300)]
    # All sperm of a patient alike, as badly told as one another.
    given = np.repeat(RANDOM.random(10), 30)
    truth = np.repeat(RANDOM.random(10) < 0.5, 30).astype(int)
    alone = calibration_scores(truth, given, resamples=200)
    drawn = calibration_scores(truth, given, patients=patients, resamples=200)
    assert drawn.brier == alone.brier
    width = np.diff(drawn.brier_interval)[0]
    assert width > 2 * np.diff(alone.brier_interval)[0]


def test_the_same_seed_gives_the_same_intervals() -> None:
    one, other = (calibration_scores(TRUTH, GIVEN, resamples=100, seed=3) for _ in range(2))
    assert one == other

"""How far probabilities are from frequencies: expected calibration error, Brier score, intervals.

The expected calibration error is measured in bins of equal mass, for bins of equal width leave some
with three crops. On a few hundred crops it is far above 0 for a model that could not be better:
within each bin the share of abnormal crops strays from the mean probability by chance, and all of
that counts as error. So it is shown beside what it would be if every probability were exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.learning.calibration_bins import mass_bins
from androscope.learning.intervals import units
from androscope.learning.metrics import labelled

__all__ = ["BINS", "CalibrationScores", "brier", "calibration_scores", "expected_error"]

BINS = 15

#: Draws that are enough for the error of exact probabilities, its ends and its p-value.
_EXACT = 1000

FloatVector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CalibrationScores:
    """How well one label's probabilities are calibrated, on ``n`` labelled crops.

    Attributes
    ----------
    error, error_interval
        Expected calibration error, 0 to 1, in :data:`BINS` bins of equal mass; 95%.
    if_exact, if_exact_interval
        What the error would be, on average and in 95 of 100 draws, if each probability were exactly
        the chance that its crop is abnormal.
    p_value
        Share of those draws whose error is as large as the one measured.
    brier, brier_interval
        Mean squared difference of probability and truth, 0 to 1; 95%.
    brier_of_share
        That of giving every crop the share of abnormal ones.
    """

    n: int
    error: float
    error_interval: tuple[float, float]
    if_exact: float
    if_exact_interval: tuple[float, float]
    p_value: float
    brier: float
    brier_interval: tuple[float, float]
    brier_of_share: float


def expected_error(labels: ArrayLike, probabilities: ArrayLike, bins: int = BINS) -> float:
    """Expected calibration error: the mean over crops of their bin's |frequency - probability|.

    Naeini, Cooper & Hauskrecht 2015, AAAI, in bins of nearly equal mass
    (:func:`~androscope.learning.calibration_bins.calibration_bins`; fewer where probabilities are
    equal).

    Parameters
    ----------
    labels, probabilities
        ``(N,)``: -1 (left out), 0 or 1, and 0 to 1.
    """
    truth, given, _ = labelled(labels, probabilities)
    return _error(truth, given, bins)


def _error(truth: NDArray[np.int8], given: FloatVector, bins: int = BINS) -> float:
    counts, predicted, observed = mass_bins(truth, given, bins)
    return (
        float((counts * np.abs(observed - predicted)).sum() / len(truth)) if len(truth) else np.nan
    )


def _squares(truth: NDArray[np.int8], given: FloatVector) -> float:
    return float(np.mean((given - truth) ** 2)) if len(truth) else np.nan


def brier(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean squared difference of probability and 0/1 truth (Brier 1950); -1 is left out."""
    truth, given, _ = labelled(labels, probabilities)
    return _squares(truth, given)


def calibration_scores(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    patients: Sequence[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> CalibrationScores:
    """Measure one label.

    The Brier score's interval is of the percentile bootstrap. A drawn sample's calibration error is
    too large by about as much again as the measured one, for crops drawn twice agree with
    themselves; so its interval is the basic bootstrap's, ``2 measured - quantile``, cut off at 0
    (Davison & Hinkley 1997, 5.2).

    Parameters
    ----------
    labels, probabilities
        ``(N,)``: -1 (left out), 0 or 1, and 0 to 1; one crop at least is labelled.
    patients
        ``(N,)`` whose sperm each crop shows; then patients are drawn, not crops.
    resamples, seed
        Of the bootstrap, and of the draws if every probability were exact.
    """
    truth, given, kept = labelled(labels, probabilities)
    groups = None if patients is None else units(patients)[kept]
    members = None if groups is None else [np.flatnonzero(groups == g) for g in np.unique(groups)]
    drawable = len(truth) if members is None else len(members)
    random = np.random.default_rng(seed)
    error, score = _error(truth, given), _squares(truth, given)

    drawn = np.empty((resamples, 2))
    for i in range(resamples):
        rows = random.integers(0, drawable, drawable)
        if members is not None:
            rows = np.concatenate([members[j] for j in rows])
        drawn[i] = _error(truth[rows], given[rows]), _squares(truth[rows], given[rows])
    (low, brier_low), (high, brier_high) = np.quantile(drawn, [0.025, 0.975], axis=0)
    exact = np.array(
        [
            _error((random.random(len(given)) < given).astype(np.int8), given)
            for _ in range(min(resamples, _EXACT))
        ]
    )
    exact_low, exact_high = np.quantile(exact, [0.025, 0.975])
    share = float(truth.mean())
    return CalibrationScores(
        n=len(truth),
        error=error,
        error_interval=(max(0.0, 2 * error - float(high)), max(0.0, 2 * error - float(low))),
        if_exact=float(exact.mean()),
        if_exact_interval=(float(exact_low), float(exact_high)),
        p_value=float((1 + (exact >= error).sum()) / (1 + len(exact))),
        brier=score,
        brier_interval=(float(brier_low), float(brier_high)),
        brier_of_share=share * (1 - share),
    )

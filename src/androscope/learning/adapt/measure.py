"""Before and after on the held part: metrics of one label, their change, and 95 % intervals.

The same draws of crops (or patients) serve both models, so that what makes a crop hard for both
cancels out of the difference.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from androscope.learning.adapt.losses import log_losses
from androscope.learning.metrics import from_counts
from androscope.model.card_interval import Interval
from androscope.model.card_parent import Change

__all__ = ["METRICS", "changes", "scores"]

Vector = NDArray[np.float64]

#: What is measured, and how it is printed.
METRICS: dict[str, str] = {
    "log_loss": "log loss",
    "brier": "Brier score",
    "accuracy": "accuracy",
    "roc_auc": "ROC AUC",
}

#: A metric that is not defined in more of the draws than this has no interval.
_MOST_UNDEFINED = 0.1


def changes(
    truth: NDArray[np.integer],
    before: tuple[Vector, float],
    after: tuple[Vector, float],
    groups: NDArray[np.integer],
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Change]:
    """Measure one label.

    Parameters
    ----------
    truth
        ``(N,)``: 0 or 1; crops that are not labelled are left out before.
    before, after
        Probabilities of abnormal ``(N,)``, and the threshold, of each model.
    groups
        ``(N,)``: numbers of the patients, who are drawn whole.
    """
    if not len(truth):
        return {}
    names, member = np.unique(groups, return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), resamples
    )
    weights = np.concatenate([np.ones((1, len(truth))), drawn[:, member.reshape(-1)]])
    found = [scores(truth, given, limit, weights) for given, limit in (before, after)]
    return {
        name: Change(
            before=_measured(found[0][name]),
            after=_measured(found[1][name]),
            difference=_measured(found[1][name] - found[0][name]),
        )
        for name in METRICS
    }


def scores(
    truth: NDArray[np.integer], given: Vector, threshold: float, weights: Vector
) -> dict[str, Vector]:
    """Every metric under each row of ``weights`` ``(R, N)``."""
    total = weights.sum(axis=1)
    abnormal = truth == 1
    called = given >= threshold

    def count(rows: NDArray[np.bool_]) -> Vector:
        found: Vector = weights @ rows.astype(np.float64)
        return found

    right = from_counts(
        count(~abnormal & ~called),
        count(~abnormal & called),
        count(abnormal & ~called),
        count(abnormal & called),
    )
    return {
        "log_loss": weights @ log_losses(given, truth) / total,
        "brier": weights @ np.square(given - abnormal) / total,
        "accuracy": right["accuracy"],
        "roc_auc": _area(abnormal, given, weights),
    }


def _area(abnormal: NDArray[np.bool_], given: Vector, weights: Vector) -> Vector:
    # Mann & Whitney 1947: the share of pairs in which the abnormal crop has the higher probability.
    above = np.sign(given[abnormal][:, None] - given[~abnormal][None]) / 2 + 0.5
    up, down = weights[:, abnormal], weights[:, ~abnormal]
    with np.errstate(divide="ignore", invalid="ignore"):
        area: Vector = np.einsum("ri,ij,rj->r", up, above, down, optimize=True) / (
            up.sum(axis=1) * down.sum(axis=1)
        )
    return area


def _measured(values: Vector) -> Interval:
    """The first value, and the interval of the others."""
    value, draws = float(values[0]), values[1:]
    defined = draws[np.isfinite(draws)]
    known = None if not np.isfinite(value) else value
    if known is None or len(defined) < (1 - _MOST_UNDEFINED) * len(draws):
        return Interval(value=known)
    low, high = np.quantile(defined, [0.025, 0.975])
    return Interval(value=known, low=float(low), high=float(high))

"""The thresholds: found on validation, where accuracy + F0.5 is largest (as in the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.errors import TrainingError
from androscope.learning.config import ThresholdConfig
from androscope.learning.metrics import from_counts, labelled
from androscope.types import ABNORMAL

__all__ = ["Threshold", "find_threshold", "find_thresholds", "grid", "objective"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold, its accuracy + F0.5 (0 to 2), and the ends of the plateau it is the middle of.

    ``value`` is what verdicts are made with. Without a search it is 0.5 and so are both ends.
    """

    value: float
    objective: float
    low: float
    high: float


def grid(config: ThresholdConfig) -> NDArray[np.float64]:
    """Give the thresholds that are tried, in rising order.

    Rounded to ten decimals: a card should say 0.3, not 0.30000000000000004.
    """
    return np.round(np.linspace(config.low, config.high, config.steps), 10)


def objective(
    labels: ArrayLike, probabilities: ArrayLike, thresholds: ArrayLike
) -> NDArray[np.float64]:
    """Accuracy + F0.5 at each of ``thresholds``; see :mod:`androscope.learning.metrics`.

    F0.5 counts as 0 where it is undefined: with no normal crop, and none called so, only accuracy
    is left to choose by.
    """
    truth, given, _ = labelled(labels, probabilities)
    tried = np.asarray(thresholds, dtype=np.float64)
    # The number of a class's probabilities below t, that is called normal at t.
    normal_below = np.searchsorted(np.sort(given[truth != ABNORMAL]), tried, side="left")
    abnormal_below = np.searchsorted(np.sort(given[truth == ABNORMAL]), tried, side="left")
    abnormal = int((truth == ABNORMAL).sum())
    normal = len(truth) - abnormal
    found = from_counts(
        normal_below, normal - normal_below, abnormal_below, abnormal - abnormal_below
    )
    total: NDArray[np.float64] = found["accuracy"] + np.nan_to_num(found["f_half"], nan=0.0)
    return total


def find_threshold(
    labels: ArrayLike, probabilities: ArrayLike, config: ThresholdConfig, name: str = "the label"
) -> Threshold:
    """Find one label's threshold.

    Parameters
    ----------
    labels
        ``(N,)``: 0 normal, 1 abnormal, -1 not labelled (left out).
    probabilities
        ``(N,)``: of abnormal, 0 to 1.
    config
        Grid to search, or not to.
    name
        The label's, for the message.

    Returns
    -------
    Threshold
        Of the thresholds that are best, those next to each other form plateaus. The middle of the
        longest plateau is taken (the lower of two middles): there, a small change of the
        probabilities is least likely to change a verdict. Of equally long plateaus, the one whose
        middle is nearest to 0.5; of two such, the lower.

    Raises
    ------
    TrainingError
        If no crop has the label.
    """
    truth, _, _ = labelled(labels, probabilities)
    if not len(truth):
        raise TrainingError(
            f"no threshold can be found for {name}: expected labelled validation crops, got none",
            advice="Label some validation crops, or leave the label out of `labels`",
        )
    tried = grid(config) if config.search else np.array([0.5])
    reached = objective(labels, probabilities, tried)
    best = reached >= reached.max() - 1e-12
    starts = np.flatnonzero(best & ~np.r_[False, best[:-1]])
    ends = np.flatnonzero(best & ~np.r_[best[1:], False])
    middles = (starts + ends) // 2
    order = np.lexsort((tried[middles], np.round(np.abs(tried[middles] - 0.5), 10), starts - ends))
    chosen = order[0]
    return Threshold(
        value=float(tried[middles[chosen]]),
        objective=float(reached[middles[chosen]]),
        low=float(tried[starts[chosen]]),
        high=float(tried[ends[chosen]]),
    )


def find_thresholds(
    names: Sequence[str], labels: ArrayLike, probabilities: ArrayLike, config: ThresholdConfig
) -> dict[str, Threshold]:
    """Find each label's threshold from ``(N, L)`` labels and probabilities of abnormal."""
    truth, given = np.asarray(labels), np.asarray(probabilities)
    return {
        name: find_threshold(truth[:, i], given[:, i], config, name) for i, name in enumerate(names)
    }

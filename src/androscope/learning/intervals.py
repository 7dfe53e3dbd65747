"""How far a score could have come out otherwise: bootstrap 95 % intervals (percentile method).

Crops are drawn with replacement, without regard to their class: which of a clinic's sperm came
into the test set was chance, the number of abnormal ones among them included, and accuracy,
precision and F0.5 depend on that number. Drawing within classes would hide that part of the
uncertainty. Where patients are known, whole patients are drawn: one patient's sperm are alike, and
taking them for independent makes intervals too narrow (Efron & Tibshirani 1993, chapters 8, 13).

The interval says nothing about training again with another seed; `crossval` does, and the standard
deviation over seeds of a benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.learning.metrics import METRICS, from_counts, labelled
from androscope.types import ABNORMAL

__all__ = ["Interval", "bootstrap", "bootstrap_difference", "bootstrap_mean", "units"]

#: Memory for one block of drawn weights, bytes.
_BLOCK = 64 * 2**20

#: A score that is undefined in more than this share of the draws has no interval: the others are
#: a selection, not a sample.
_MOST_UNDEFINED = 0.1


@dataclass(frozen=True, slots=True)
class Interval:
    """Lower and upper end; NaN where the score is undefined too often to tell."""

    low: float
    high: float


def units(patients: Sequence[str]) -> NDArray[np.intp]:
    """Number the patients: ``(N,)``, equal for crops of one patient.

    A crop whose patient is not known (``""``) is a unit of its own.
    """
    names = [f"p{patient}" if patient else f"c{i}" for i, patient in enumerate(patients)]
    return np.unique(np.asarray(names, dtype=str), return_inverse=True)[1].reshape(-1)


def bootstrap(
    labels: ArrayLike,
    probabilities: ArrayLike,
    threshold: ArrayLike,
    *,
    patients: Sequence[str] | None = None,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Give the interval of every score of one label.

    Parameters
    ----------
    labels, probabilities, threshold
        As in :func:`androscope.learning.metrics.scores`.
    patients
        ``(N,)`` whose sperm each crop shows, ``""`` where unknown; then patients are drawn, not
        crops.
    resamples
        Number of draws.
    confidence
        Share of the draws between the two ends.
    seed
        The same seed gives the same intervals.

    Returns
    -------
    dict
        Score's name to its interval.
    """
    truth, given, kept = labelled(labels, probabilities)
    limits = np.broadcast_to(np.asarray(threshold, dtype=np.float64), kept.shape)[kept]
    groups = None if patients is None else units(patients)[kept]
    drawn = _draws(truth, [(given, limits)], groups, resamples, seed)[0]
    return {name: _interval(values, confidence) for name, values in drawn.items()}


def bootstrap_difference(
    labels: ArrayLike,
    first: tuple[ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike],
    *,
    patients: Sequence[str] | None = None,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Give the interval of ``second``'s scores minus ``first``'s, on the same crops.

    Both see the same draws, so that what makes a crop easy or hard for both cancels out.

    Parameters
    ----------
    first, second
        ``(N,)`` probabilities of abnormal, and the threshold, of two models.
    """
    truth, one, kept = labelled(labels, first[0])
    _, other, _ = labelled(labels, second[0])
    groups = None if patients is None else units(patients)[kept]
    models = [
        (given, np.broadcast_to(np.asarray(limit, dtype=np.float64), kept.shape)[kept])
        for given, limit in ((one, first[1]), (other, second[1]))
    ]
    before, after = _draws(truth, models, groups, resamples, seed)
    return {name: _interval(after[name] - before[name], confidence) for name in METRICS}


def bootstrap_mean(
    labels: ArrayLike,
    models: Sequence[tuple[ArrayLike, ArrayLike]],
    *,
    patients: Sequence[str] | None = None,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Give the interval of the mean of every score over several models on the same crops.

    Crops are drawn once for all models, each is scored on the draw, and the mean of their scores is
    what the draw gives. So the interval is about the crops alone, with the models as they are: runs
    that differ in their seed are not drawn anew.

    Parameters
    ----------
    models
        ``(N,)`` probabilities of abnormal, and the threshold, of each.

    Returns
    -------
    dict
        Score's name to its interval. A model whose score is undefined on the crops themselves is
        left out of that score's mean; a draw that leaves it undefined for any other one counts as
        undefined.
    """
    if not models:
        raise ValueError("expected one model at least")
    truth, _, kept = labelled(labels, models[0][0])
    ready = [
        (
            labelled(labels, given)[1],
            np.broadcast_to(np.asarray(limit, dtype=np.float64), kept.shape)[kept],
        )
        for given, limit in models
    ]
    groups = None if patients is None else units(patients)[kept]
    drawn = _draws(truth, ready, groups, resamples, seed)
    # One draw of each crop once: the scores themselves, by the same code.
    whole = [_Prepared(truth, *model).scores(np.ones((1, len(truth)))) for model in ready]
    found = {}
    for name in METRICS:
        defined = [i for i, scores in enumerate(whole) if not np.isnan(scores[name][0])]
        values = (
            np.mean([drawn[i][name] for i in defined], axis=0)
            if defined
            else np.full(resamples, np.nan)
        )
        found[name] = _interval(values, confidence)
    return found


def _interval(values: NDArray[np.float64], confidence: float) -> Interval:
    defined = values[~np.isnan(values)]
    if len(defined) < (1 - _MOST_UNDEFINED) * len(values) or not len(defined):
        return Interval(float("nan"), float("nan"))
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _draws(
    truth: NDArray[np.int8],
    models: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    groups: NDArray[np.intp] | None,
    resamples: int,
    seed: int,
) -> list[dict[str, NDArray[np.float64]]]:
    """Scores of each model on each draw: for each model, name to ``(resamples,)``."""
    if groups is None:
        drawable, member = len(truth), np.arange(len(truth))
    else:
        found_groups, member = np.unique(groups, return_inverse=True)
        drawable = len(found_groups)
    generator = np.random.default_rng(seed)
    found: list[dict[str, list[NDArray[np.float64]]]] = [{m: [] for m in METRICS} for _ in models]
    ready = [_Prepared(truth, given, limits) for given, limits in models]
    step = max(1, _BLOCK // (8 * max(len(truth), 1)))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        # How often each unit is drawn stands for the draw itself: the scores are weighted counts.
        weights = np.empty((size, 0))
        if drawable:
            drawn = generator.multinomial(drawable, np.full(drawable, 1 / drawable), size)
            weights = drawn[:, member].astype(np.float64)
        for prepared, collected in zip(ready, found, strict=True):
            for name, values in prepared.scores(weights).items():
                collected[name].append(values)
    return [{name: np.concatenate(parts) for name, parts in model.items()} for model in found]


class _Prepared:
    """One model's probabilities, sorted once, so that a draw costs a few sums."""

    def __init__(
        self, truth: NDArray[np.int8], given: NDArray[np.float64], limits: NDArray[np.float64]
    ) -> None:
        self.order = np.argsort(given, kind="stable")
        self.called = (given >= limits)[self.order].astype(np.float64)
        given, self.abnormal = given[self.order], (truth == ABNORMAL)[self.order]
        # Where each run of equal probabilities starts: within one, order is a toss-up.
        self.runs = np.flatnonzero(np.r_[True, given[1:] != given[:-1]]) if len(given) else None

    def scores(self, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Score all draws at once; ``weights`` is ``(draws, N)``."""
        weights = weights[:, self.order]
        positive = weights * self.abnormal
        negative = weights - positive
        tn, fn = positive @ self.called, negative @ self.called
        abnormal, normal = positive.sum(1), negative.sum(1)
        found = from_counts(normal - fn, fn, abnormal - tn, tn)
        found["roc_auc"] = self._area(positive, negative, abnormal * normal)
        return found

    def _area(
        self,
        positive: NDArray[np.float64],
        negative: NDArray[np.float64],
        pairs: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        # Mann & Whitney 1947: the share of (abnormal, normal) pairs in which the abnormal crop has
        # the higher probability; equal ones count half.
        if self.runs is None:
            return np.full(len(pairs), np.nan)
        up = np.add.reduceat(positive, self.runs, axis=1)
        down = np.add.reduceat(negative, self.runs, axis=1)
        below = np.cumsum(down, axis=1) - down
        with np.errstate(divide="ignore", invalid="ignore"):
            area: NDArray[np.float64] = (up * (below + down / 2)).sum(1) / pairs
        return area

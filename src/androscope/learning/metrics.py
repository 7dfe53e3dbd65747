"""Scores of verdicts against truth, as the paper defines them.

*Normal* (label 0) is the positive class: precision is the share of sperm called normal that are,
and recall the share of normal sperm called so. F0.5 weighs precision twice as heavily as recall,
because choosing an abnormal sperm harms more than passing over a normal one. The paper's G-mean is
the geometric mean of *precision* and recall (elsewhere often that of the two classes' recalls).

A score whose denominator is zero is NaN and says why: never 0, never 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.errors import TrainingError
from androscope.extras import require
from androscope.types import ABNORMAL, NORMAL

__all__ = [
    "METRICS",
    "TITLES",
    "Counts",
    "Scores",
    "count",
    "from_counts",
    "labelled",
    "scores",
    "scores_by_label",
]

FloatVector = NDArray[np.float64]

#: Names of the scores, in the order of the paper's tables.
METRICS: tuple[str, ...] = (
    "accuracy",
    "precision",
    "recall",
    "f_half",
    "g_mean",
    "roc_auc",
    "mcc",
)

#: What tables and plots call them.
TITLES: Mapping[str, str] = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f_half": "F0.5",
    "g_mean": "G-mean",
    "roc_auc": "ROC AUC",
    "mcc": "MCC",
}

_WHY = {
    "accuracy": "no crop has this label",
    "precision": "no crop was called normal",
    "recall": "no crop is normal",
    "f_half": "no crop is normal and none was called so",
    "roc_auc": "all crops are of one class",
    "mcc": "all crops are, or were called, of one class",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """A confusion matrix: truth first, verdict second."""

    normal_normal: int
    normal_abnormal: int
    abnormal_normal: int
    abnormal_abnormal: int

    @property
    def matrix(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows are the truth, columns the verdict; normal comes first in both."""
        return (
            (self.normal_normal, self.normal_abnormal),
            (self.abnormal_normal, self.abnormal_abnormal),
        )


@dataclass(frozen=True, slots=True)
class Scores:
    """How one label was graded; every score is from 0 to 1, MCC from -1 to 1, undefined is NaN.

    Attributes
    ----------
    n, normal, abnormal
        Crops that have the label, and how many are of each class.
    threshold
        Probability from which the verdict is abnormal; NaN where each crop had its own.
    counts
        The confusion matrix.
    undefined
        Why a score is NaN, for those that are.
    """

    n: int
    normal: int
    abnormal: int
    threshold: float
    counts: Counts
    accuracy: float
    precision: float
    recall: float
    f_half: float
    g_mean: float
    roc_auc: float
    mcc: float
    undefined: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, metric: str) -> float:
        return float(getattr(self, metric))


def labelled(
    labels: ArrayLike, probabilities: ArrayLike
) -> tuple[NDArray[np.int8], FloatVector, NDArray[np.bool_]]:
    """Leave out the crops without a label.

    Parameters
    ----------
    labels
        ``(N,)``: 0 normal, 1 abnormal, -1 not labelled.
    probabilities
        ``(N,)``: of abnormal, 0 to 1.

    Returns
    -------
    labels, probabilities, kept
        ``(M,)`` int8 and float64 of the labelled crops, and the ``(N,)`` mask that chose them.

    Raises
    ------
    ValueError
        If the shapes differ or a label is none of the three.
    TrainingError
        If a labelled crop's probability is not one: NaN, or outside 0 to 1.
    """
    truth = np.asarray(labels)
    given = np.asarray(probabilities, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != given.shape:
        raise ValueError(f"expected two equal lengths, got {truth.shape} and {given.shape}")
    if not np.isin(truth, (-1, NORMAL, ABNORMAL)).all():
        strange = sorted(set(np.unique(truth).tolist()) - {-1, NORMAL, ABNORMAL})
        raise ValueError(f"expected labels -1, 0 or 1, got {strange}")
    kept = truth >= 0
    truth, given = truth[kept].astype(np.int8), given[kept]
    bad = ~((given >= 0) & (given <= 1))
    if bad.any():
        raise TrainingError(
            f"{int(bad.sum())} of {len(given)} probabilities are not: expected 0 to 1, "
            f"got {given[bad][0]:g}",
            advice="The network has diverged; lower the learning rate, or train in 32-true",
        )
    return truth, given, kept


def from_counts(tp: ArrayLike, fn: ArrayLike, fp: ArrayLike, tn: ArrayLike) -> dict[str, Any]:
    """Compute all scores that a confusion matrix gives (all but ROC AUC), element by element.

    Parameters
    ----------
    tp, fn, fp, tn
        Arrays of one shape, with normal as positive: normal called normal, normal called abnormal,
        abnormal called normal, abnormal called abnormal.

    Returns
    -------
    dict
        Score's name to a float64 array of that shape; NaN where undefined.

    Notes
    -----
    F0.5 is ``1.25 TP / (1.25 TP + 0.25 FN + FP)`` (van Rijsbergen 1979). MCC is Matthews 1975.
    """
    tp, fn, fp, tn = (np.asarray(part, dtype=np.float64) for part in (tp, fn, fp, tn))
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = tp / (tp + fp)
        recall = tp / (tp + fn)
        spread = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        return {
            "accuracy": (tp + tn) / (tp + fn + fp + tn),
            "precision": precision,
            "recall": recall,
            "f_half": 1.25 * tp / (1.25 * tp + 0.25 * fn + fp),
            "g_mean": np.sqrt(precision * recall),
            "mcc": (tp * tn - fp * fn) / spread,
        }


def count(truth: NDArray[np.int8], abnormal: NDArray[np.bool_]) -> Counts:
    """Count verdicts (``True`` for abnormal) against ``truth`` (0 or 1), both ``(N,)``."""
    is_abnormal = truth == ABNORMAL
    return Counts(
        normal_normal=int((~is_abnormal & ~abnormal).sum()),
        normal_abnormal=int((~is_abnormal & abnormal).sum()),
        abnormal_normal=int((is_abnormal & ~abnormal).sum()),
        abnormal_abnormal=int((is_abnormal & abnormal).sum()),
    )


def scores(labels: ArrayLike, probabilities: ArrayLike, threshold: ArrayLike) -> Scores:
    """Score one label; crops without it (-1) are left out.

    Parameters
    ----------
    labels
        ``(N,)``: 0 normal, 1 abnormal, -1 not labelled.
    probabilities
        ``(N,)``: of abnormal, 0 to 1. ROC AUC comes from them, not from the verdicts.
    threshold
        Probability from which the verdict is abnormal: one, or ``(N,)`` where the crops were graded
        by several models, each with its own.

    Raises
    ------
    ValueError, TrainingError
        As :func:`labelled`.
    MissingExtraError
        If scikit-learn is not installed. The names of the scores can be had without it.
    """
    area = require("sklearn.metrics", extra="train", why="compute ROC AUC").roc_auc_score
    truth, given, kept = labelled(labels, probabilities)
    limits = np.broadcast_to(np.asarray(threshold, dtype=np.float64), kept.shape)[kept]
    counts = count(truth, given >= limits)
    (tp, fn), (fp, tn) = counts.matrix
    found = {name: float(value) for name, value in from_counts(tp, fn, fp, tn).items()}
    # Which class is called positive does not change the area, only that both say the same one.
    both = 0 < int(truth.sum()) < len(truth)
    found["roc_auc"] = float(area(truth, given)) if both else float("nan")
    why = {name: _WHY[name] for name in METRICS if name in _WHY and np.isnan(found[name])}
    if np.isnan(found["g_mean"]):
        why["g_mean"] = why.get("precision") or why["recall"]
    return Scores(
        n=len(truth),
        normal=int((truth == NORMAL).sum()),
        abnormal=int((truth == ABNORMAL).sum()),
        threshold=float(threshold) if np.ndim(threshold) == 0 else float("nan"),  # type: ignore[arg-type]
        counts=counts,
        undefined=why,
        **found,
    )


def scores_by_label(
    names: tuple[str, ...],
    labels: ArrayLike,
    probabilities: ArrayLike,
    thresholds: Mapping[str, ArrayLike],
) -> dict[str, Scores]:
    """Score every label of ``(N, L)`` labels and probabilities; see :func:`scores`."""
    truth, given = np.asarray(labels), np.asarray(probabilities)
    if truth.shape != given.shape or truth.ndim != 2 or truth.shape[1] != len(names):
        raise ValueError(
            f"expected (N, {len(names)}) twice for {list(names)}, got {truth.shape}, {given.shape}"
        )
    return {
        name: scores(truth[:, i], given[:, i], thresholds[name]) for i, name in enumerate(names)
    }

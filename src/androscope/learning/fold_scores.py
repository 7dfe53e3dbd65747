"""The scores of a cross-validation: pooled over all held-out crops, and fold by fold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from androscope.datasets import LabelledCrops
from androscope.learning.evaluate import Evaluation
from androscope.learning.folds import Fold
from androscope.learning.metrics import METRICS, scores

__all__ = ["CrossValidation", "FoldScores", "scores_by_fold"]


@dataclass(frozen=True, slots=True)
class FoldScores:
    """One score over the folds: its mean, its standard deviation (n - 1), and each fold's own.

    A fold in which the score is undefined is NaN in ``folds`` and left out of the other two.
    """

    mean: float
    sd: float
    folds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """What cross-validation found.

    Attributes
    ----------
    pooled
        All held-out crops together, each with the verdict of its own fold's network and threshold;
        intervals by bootstrap. The pooled ROC AUC ranks probabilities of different networks against
        each other, and is the lower for it; the mean over folds does not.
    by_fold
        Label, then score, then the folds'.
    sizes
        Crops fitted by, chosen by and held out, for each fold.
    """

    pooled: Evaluation
    by_fold: dict[str, dict[str, FoldScores]]
    sizes: tuple[tuple[int, int, int], ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values, NaN as null."""
        return {
            "folds": [
                dict(zip(("train", "valid", "held_out"), s, strict=True)) for s in self.sizes
            ],
            "by_fold": {
                label: {
                    name: {
                        "mean": _plain(s.mean),
                        "sd": _plain(s.sd),
                        "folds": [_plain(value) for value in s.folds],
                    }
                    for name, s in found.items()
                }
                for label, found in self.by_fold.items()
            },
            "pooled": json.loads(self.pooled.summary.model_dump_json()),
        }


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def scores_by_fold(
    data: LabelledCrops,
    plan: Sequence[Fold],
    probabilities: NDArray[np.float32],
    thresholds: NDArray[np.float64],
) -> dict[str, dict[str, FoldScores]]:
    """Score each fold's held-out crops by its own thresholds.

    Parameters
    ----------
    data
        All crops.
    plan
        The folds; none holds out nothing.
    probabilities, thresholds
        ``(N, L)``; the thresholds of a fold's held-out crops are all the same.

    Returns
    -------
    dict
        By label, then by score.
    """
    found: dict[str, dict[str, FoldScores]] = {}
    for i, label in enumerate(data.label_names):
        each = [
            scores(data.labels[rows, i], probabilities[rows, i], float(thresholds[rows[0], i]))
            for rows in (fold.held_out for fold in plan)
        ]
        found[label] = {name: _over_folds([s[name] for s in each]) for name in METRICS}
    return found


def _over_folds(values: list[float]) -> FoldScores:
    defined = np.array([v for v in values if not np.isnan(v)])
    mean = float(defined.mean()) if len(defined) else float("nan")
    sd = float(defined.std(ddof=1)) if len(defined) > 1 else float("nan")
    return FoldScores(mean, sd, tuple(values))

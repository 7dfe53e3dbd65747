"""What a trial is judged by: its answers on the validation crops, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from androscope.learning.metrics import labelled, scores
from androscope.search.schema import Objective

__all__ = ["by_label", "cross_entropy", "objective_of"]

#: A probability of exactly 0 or 1 that is wrong would cost infinitely much.
_LEAST = 1e-7


def cross_entropy(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean of ``-log p`` of the truth over labelled crops, in nats; NaN where there is none.

    Not the loss that a trial learns by, which is another for another trial.
    """
    truth, given, _ = labelled(labels, probabilities)
    if not len(truth):
        return math.nan
    right = np.where(truth == 1, given, 1 - given)
    return float(-np.log(np.clip(right, _LEAST, 1)).mean())


def by_label(
    labels: Sequence[str], truth: ArrayLike, probabilities: ArrayLike
) -> dict[str, dict[str, float | None]]:
    """Accuracy at 0.5, ROC AUC and cross-entropy of each label; None where undefined.

    Parameters
    ----------
    truth, probabilities
        ``(N, L)``.
    """
    columns, given = np.asarray(truth), np.asarray(probabilities, dtype=np.float64)
    found: dict[str, dict[str, float | None]] = {}
    for i, label in enumerate(labels):
        measured = scores(columns[:, i], given[:, i], 0.5)
        values = {
            "accuracy": measured["accuracy"],
            "roc_auc": measured["roc_auc"],
            "loss": cross_entropy(columns[:, i], given[:, i]),
        }
        found[label] = {k: None if math.isnan(v) else float(v) for k, v in values.items()}
    return found


def objective_of(
    objective: Objective, labels: Sequence[str], truth: ArrayLike, probabilities: ArrayLike
) -> float:
    """Mean over the labels for which it is defined; NaN if for none.

    Raises
    ------
    TrainingError
        If a probability is none.
    """
    found = by_label(labels, truth, probabilities)
    values = [v for one in found.values() if (v := one[objective]) is not None]
    return float(np.mean(values)) if values else math.nan

"""What int8 costs: the same crops graded before and after, and the limits that decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.learning.trust.calibration_error import expected_error
from androscope.learning.trust.fitting import log_loss
from androscope.model.card import Card
from androscope.model.card_int8 import Cost
from androscope.types import ABNORMAL, FloatArray

__all__ = ["Limits", "costs", "faults"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What int8 may cost at most, on any label.

    Attributes
    ----------
    accuracy
        Points (hundredths) of accuracy.
    log_loss
        By how much the mean log loss of the calibrated probabilities may rise.
    calibration_error
        By how much their expected calibration error may rise, 0 to 1. On a few hundred crops it
        moves by some hundredths by chance alone, and log loss decides.
    """

    accuracy: float = 0.3
    log_loss: float = 0.005
    calibration_error: float = 0.02


def costs(
    crops: LabelledCrops, card: Card, before: FloatArray, after: FloatArray
) -> dict[str, Cost]:
    """Compare, label by label.

    Parameters
    ----------
    crops
        ``N`` crops with every label of the card; those without a label are left out of its row.
    card
        Of the thresholds, which are the same before and after.
    before, after
        ``(N, L)`` calibrated probabilities.

    Raises
    ------
    TrainingError
        If the crops lack a label of the card, or no crop has it.
    """
    truth = {
        label: crops.with_labels((label,)).labels[:, 0]
        for label in card.labels
        if label in crops.label_names
    }
    missing = [k for k in card.labels if k not in truth or not (truth[k] >= 0).any()]
    if missing:
        raise TrainingError(
            f"no crop is labelled for {', '.join(missing)}: what int8 costs there cannot be told",
            advice="Name data that is labelled for every part the model grades",
        )
    found = {}
    for i, label in enumerate(card.labels):
        rows = truth[label] >= 0
        known = truth[label][rows]
        pair = (before[rows, i], after[rows, i])
        verdicts = [p >= np.float32(card.thresholds[label]) for p in pair]
        found[label] = Cost(
            crops=int(rows.sum()),
            accuracy=_pair(float(np.mean(v == (known == ABNORMAL))) for v in verdicts),
            log_loss=_pair(log_loss(known, p) for p in pair),
            calibration_error=_pair(expected_error(known, p) for p in pair),
            changed=int((verdicts[0] != verdicts[1]).sum()),
            largest_move=float(np.abs(pair[0] - pair[1]).max()),
        )
    return found


def _pair(values: Iterable[float]) -> tuple[float, float]:
    first, second = (round(value, 6) for value in values)
    return first, second


def faults(found: Mapping[str, Cost], limits: Limits) -> list[str]:
    """Say in words which limits are passed; empty if none is."""
    told = []
    for label, cost in found.items():
        lost = 100 * (cost.accuracy[0] - cost.accuracy[1])
        # Half a millionth, for shares such as 1/240 are no binary fractions.
        if lost > limits.accuracy + 5e-7:
            told.append(f"{label} loses {lost:.2f} points of accuracy (at most {limits.accuracy})")
        for name, what in (("log_loss", "log loss"), ("calibration_error", "calibration error")):
            one, other = getattr(cost, name)
            most = getattr(limits, name)
            if other - one > most + 5e-7:
                told.append(f"{label}'s {what} rises by {other - one:.4f} (at most {most})")
    return told

"""Are blurred or small heads graded worse: accuracy and ROC AUC by thirds of sharpness and size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from androscope.assessment.sample import Proportion, proportion
from androscope.learning.metrics import scores
from androscope.learning.trust.sections import Row, Trial
from androscope.model.card_checks import CheckName, Subgroup
from androscope.types import FloatArray

__all__ = ["Third", "card_subgroups", "subgroup_rows", "thirds"]

_GROUPS: Mapping[CheckName, tuple[str, str, str]] = {
    "focus": ("least sharp third", "middle third in sharpness", "sharpest third"),
    "scale": ("shortest third", "middle third in length", "longest third"),
}


@dataclass(frozen=True, slots=True)
class Third:
    """One label in one third of the crops; ``roc_auc`` is None where a class is missing."""

    name: str
    label: str
    right: Proportion
    roc_auc: float | None
    abnormal: int


def thirds(
    values: Mapping[CheckName, FloatArray],
    labels: Sequence[str],
    truth: NDArray[np.int8],
    given: FloatArray,
    thresholds: Mapping[str, float],
) -> Iterator[Third]:
    """Every label in every third.

    Parameters
    ----------
    values
        What was measured of the ``N`` crops, by check.
    labels
        Of the columns below.
    truth, given
        ``(N, L)``: -1 (left out), 0 or 1, and the probability of abnormal.
    thresholds
        A part is abnormal from this probability upward.
    """
    for check, names in _GROUPS.items():
        cuts = np.quantile(values[check], [1 / 3, 2 / 3])
        third = np.searchsorted(cuts, values[check], side="right")
        for number, name in enumerate(names):
            for column, label in enumerate(labels):
                chosen = (third == number) & (truth[:, column] >= 0)
                true, found = truth[chosen, column], given[chosen, column]
                right = (found >= thresholds[label]) == (true == 1)
                auc = float(scores(true, found, thresholds[label])["roc_auc"])
                yield Third(
                    name,
                    label,
                    proportion(int(right.sum()), int(chosen.sum())),
                    None if np.isnan(auc) else auc,
                    int((true == 1).sum()),
                )


def card_subgroups(*given: Any) -> tuple[Subgroup, ...]:
    """Arguments as for :func:`thirds`: as a card keeps them."""
    return tuple(
        Subgroup(
            name=third.name,
            label=third.label,
            crops=third.right.n,
            abnormal=third.abnormal,
            accuracy=third.right.fraction,
            low=third.right.low,
            high=third.right.high,
            roc_auc=third.roc_auc,
        )
        for third in thirds(*given)
    )


def subgroup_rows(trial: Trial, values: Mapping[CheckName, FloatArray]) -> list[Row]:
    """Rows of every label in every third of a trial's crops, measured as ``values`` say."""
    columns = [trial.column(label) for label in trial.labels]
    truth, given = (np.stack(kind, axis=1) for kind in zip(*columns, strict=True))
    return [
        Row(
            f"{third.name}, {third.label}: accuracy",
            third.right.fraction,
            third.right.low,
            third.right.high,
            unit="%",
            note=f"ROC AUC {'not defined' if third.roc_auc is None else f'{third.roc_auc:.3f}'}, "
            f"{third.abnormal} of {third.right.n} abnormal",
        )
        for third in thirds(values, trial.labels, truth, given, trial.card.thresholds)
    ]

"""Are blurred or small heads graded worse: accuracy and ROC AUC by thirds of sharpness and size."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from androscope.assessment.sample import proportion
from androscope.learning.metrics import scores
from androscope.learning.trust.sections import Row, Trial
from androscope.model.card_checks import CheckName
from androscope.types import FloatArray

__all__ = ["subgroup_rows"]

_GROUPS: Mapping[CheckName, tuple[str, str, str]] = {
    "focus": ("least sharp third", "middle third in sharpness", "sharpest third"),
    "scale": ("shortest third", "middle third in length", "longest third"),
}


def subgroup_rows(trial: Trial, values: Mapping[CheckName, FloatArray]) -> list[Row]:
    """Rows of every label in every third.

    Parameters
    ----------
    trial
        Labelled crops, graded.
    values
        What was measured of them, by check.
    """
    rows = []
    for check, names in _GROUPS.items():
        cuts = np.quantile(values[check], [1 / 3, 2 / 3])
        third = np.searchsorted(cuts, values[check], side="right")
        for number, name in enumerate(names):
            for label in trial.labels:
                truth, given = trial.column(label)
                chosen = (third == number) & (truth >= 0)
                threshold = trial.card.thresholds[label]
                right = (given[chosen] >= threshold) == (truth[chosen] == 1)
                found = proportion(int(right.sum()), int(chosen.sum()))
                auc = scores(truth[chosen], given[chosen], threshold)["roc_auc"]
                shown = "not defined" if np.isnan(auc) else f"{auc:.3f}"
                rows.append(
                    Row(
                        f"{name}, {label}: accuracy",
                        found.fraction,
                        found.low,
                        found.high,
                        unit="%",
                        note=f"ROC AUC {shown}, {int((truth[chosen] == 1).sum())} of "
                        f"{int(chosen.sum())} abnormal",
                    )
                )
    return rows

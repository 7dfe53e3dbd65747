"""Two models on the same crops: by how much one scores better, with intervals of the difference."""

from __future__ import annotations

import math

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.learning.evaluate import Evaluation
from androscope.learning.intervals import bootstrap_difference
from androscope.learning.metrics import METRICS
from androscope.learning.summary import Measured

__all__ = ["compare"]


def compare(
    first: Evaluation, second: Evaluation, data: LabelledCrops
) -> dict[str, dict[str, Measured]]:
    """Give ``first``'s scores minus ``second``'s, for the labels that both grade.

    Both models see the same draws of the bootstrap, so that what makes a crop easy or hard for both
    cancels out: the interval of the difference is narrower than the two intervals suggest. If it
    does not hold zero, the crops tell the two apart.

    Parameters
    ----------
    first, second
        Evaluations on ``data``.
    data
        The crops, for their patients.

    Raises
    ------
    TrainingError
        If the evaluations are of other crops, or have no label in common.
    """
    if first.ids != data.ids or second.ids != data.ids:
        raise TrainingError("two models can be compared on the same crops alone, in one order")
    one, two = first.summary.labels, second.summary.labels
    common = [label for label in one if label in two]
    if not common:
        raise TrainingError(
            f"nothing to compare: {first.summary.model} grades {', '.join(one)}, "
            f"{second.summary.model} grades {', '.join(two)}"
        )
    found: dict[str, dict[str, Measured]] = {}
    for label in common:
        i, j = one.index(label), two.index(label)
        ends = bootstrap_difference(
            first.truth[:, i],
            (second.probabilities[:, j], second.thresholds[:, j]),
            (first.probabilities[:, i], first.thresholds[:, i]),
            patients=data.patients,
            resamples=first.summary.resamples,
            seed=first.summary.seed,
        )
        found[label] = {}
        for name in METRICS:
            a = first.summary.by_label[label].scores[name]
            b = second.summary.by_label[label].scores[name]
            low, high = ends[name].low, ends[name].high
            known = a.value is not None and b.value is not None
            found[label][name] = Measured(
                value=a.value - b.value if a.value is not None and b.value is not None else None,
                low=None if math.isnan(low) or not known else low,
                high=None if math.isnan(high) or not known else high,
                why=a.why or b.why,
            )
    return found

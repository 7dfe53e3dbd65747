"""From probabilities to verdicts: one rule, applied to numbers as they will be reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from androscope.assessment.conformal import verdict_at
from androscope.types import Cuts, FloatArray, PartVerdict, Verdict

__all__ = ["decide"]


def decide(
    probabilities: FloatArray,
    labels: Sequence[str],
    thresholds: Mapping[str, float],
    cuts: Mapping[str, Cuts] | None = None,
) -> tuple[tuple[PartVerdict, ...], ...]:
    """Give each part its verdict: abnormal from the threshold upward, or by its cuts.

    The verdict is taken on the probability as it is reported, the shortest decimal that names the
    float32 (0.7, not 0.699999988...). So a reader who compares the two printed numbers always
    comes to the printed verdict.

    Parameters
    ----------
    probabilities
        ``(N, L)``, 0 to 1: the probability that a part is abnormal.
    labels
        The ``L`` columns' labels.
    thresholds
        One threshold per label; others are ignored.
    cuts
        Per label, from :func:`~androscope.assessment.conformal.cuts_of` at one error rate: verdicts
        are then by these, and may be *undecided*. None or empty: by the thresholds.

    Returns
    -------
    tuple
        ``N`` rows of ``L`` verdicts.

    Raises
    ------
    ValueError
        If shapes do not fit, a threshold is missing, cuts are given and not for every label, or a
        probability is NaN or outside 0 to 1.
    """
    probabilities = np.asarray(probabilities, dtype=np.float32)
    if probabilities.ndim != 2 or probabilities.shape[1] != len(labels):
        raise ValueError(
            f"probabilities must be (N, {len(labels)}), one column per label "
            f"{list(labels)}, got {probabilities.shape}"
        )
    missing = [label for label in labels if label not in thresholds]
    if missing:
        raise ValueError(f"no threshold for {missing}; there are thresholds for {list(thresholds)}")
    uncut = [label for label in labels if cuts and label not in cuts]
    if uncut:
        raise ValueError(f"no cuts for {uncut}; there are cuts for {list(cuts or ())}")
    # NaN compares false with everything, so that "not (all inside)" refuses it too.
    inside = (probabilities >= 0) & (probabilities <= 1)
    if not inside.all():
        row, column = (int(i) for i in np.argwhere(~inside)[0])
        raise ValueError(
            f"{labels[column]} of row {row} is {probabilities[row, column]}, no probability"
        )
    columns = [(label, float(thresholds[label]), (cuts or {}).get(label)) for label in labels]
    return tuple(
        tuple(
            _verdict(label, float(str(value)), threshold, ends)
            for value, (label, threshold, ends) in zip(row, columns, strict=True)
        )
        for row in probabilities
    )


def _verdict(label: str, probability: float, threshold: float, cuts: Cuts | None) -> PartVerdict:
    if cuts is not None:
        return PartVerdict(label, probability, threshold, verdict_at(probability, cuts))
    verdict = Verdict.ABNORMAL if probability >= threshold else Verdict.NORMAL
    return PartVerdict(label, probability, threshold, verdict)

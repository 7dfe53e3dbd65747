"""From probabilities to verdicts: one rule, applied to numbers as they will be reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from androscope.types import FloatArray, PartVerdict, Verdict

__all__ = ["decide"]


def decide(
    probabilities: FloatArray, labels: Sequence[str], thresholds: Mapping[str, float]
) -> tuple[tuple[PartVerdict, ...], ...]:
    """Give each part its verdict: abnormal from the threshold upward.

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

    Returns
    -------
    tuple
        ``N`` rows of ``L`` verdicts.

    Raises
    ------
    ValueError
        If shapes do not fit, a threshold is missing, or a probability is NaN or outside 0 to 1.
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
    # NaN compares false with everything, so that "not (all inside)" refuses it too.
    inside = (probabilities >= 0) & (probabilities <= 1)
    if not inside.all():
        row, column = (int(i) for i in np.argwhere(~inside)[0])
        raise ValueError(
            f"{labels[column]} of row {row} is {probabilities[row, column]}, no probability"
        )
    columns = [(label, float(thresholds[label])) for label in labels]
    return tuple(
        tuple(
            _verdict(label, float(str(value)), threshold)
            for value, (label, threshold) in zip(row, columns, strict=True)
        )
        for row in probabilities
    )


def _verdict(label: str, probability: float, threshold: float) -> PartVerdict:
    verdict = Verdict.ABNORMAL if probability >= threshold else Verdict.NORMAL
    return PartVerdict(label, probability, threshold, verdict)

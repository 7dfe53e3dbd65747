"""Calibration applied: the network's own probability in, one that means what it says out.

All methods of :class:`~androscope.model.card_trust.Calibration` are one formula with three numbers,
``sigmoid(a ln p - b ln(1 - p) + c)``, and rise with ``p``: which of two crops is likelier to be
abnormal stays as it was, and so do ROC curves and the ranks that conformal prediction goes by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.model.card_trust import Calibration
from androscope.types import FloatArray

__all__ = ["calibrate", "calibrated", "coefficients", "moved_threshold", "uncalibrated"]

#: A float32 sigmoid gives 0 and 1 exactly from logits of some 17 and 104 on; their logarithms are
#: not to be had. What is nearer to the ends is taken as this far from them.
NEAREST = 1e-7


def coefficients(calibration: Calibration) -> tuple[float, float, float]:
    """Give ``a``, ``b``, ``c`` of the formula above; 1, 1, 0 leaves ``p`` as it is."""
    p = calibration.parameters
    if calibration.method == "temperature":
        return 1 / p["temperature"], 1 / p["temperature"], 0.0
    if calibration.method == "platt":
        return p["slope"], p["slope"], p["intercept"]
    if calibration.method == "beta":
        return p["a"], p["b"], p["c"]
    return 1.0, 1.0, 0.0


def calibrated(probabilities: ArrayLike, calibration: Calibration) -> NDArray[np.float64]:
    """Calibrate one label's probabilities, of any shape, 0 to 1."""
    given = np.asarray(probabilities, dtype=np.float64)
    if calibration.method == "identity":
        return given
    a, b, c = coefficients(calibration)
    inside = np.clip(given, NEAREST, 1 - NEAREST)
    with np.errstate(over="ignore"):  # exp(-z) of a very sure no is infinite, and 1 / that is 0
        found: NDArray[np.float64] = 1 / (
            1 + np.exp(-(a * np.log(inside) - b * np.log1p(-inside) + c))
        )
    return found


def calibrate(
    probabilities: FloatArray, table: Mapping[str, Calibration] | None, labels: Sequence[str]
) -> FloatArray:
    """Calibrate ``(N, L)`` float32 by the card's table; without one they stay as they are."""
    if table is None:
        return probabilities
    columns = [calibrated(probabilities[:, i], table[label]) for i, label in enumerate(labels)]
    return np.stack(columns, axis=1).astype(np.float32)


def uncalibrated(probability: float, calibration: Calibration) -> float:
    """Give the network's own probability that is calibrated to this one, to 1e-12.

    At the ends, where none is, the nearest that is to be had.
    """
    if calibration.method == "identity":
        return probability
    low, high = NEAREST, 1 - NEAREST
    while high - low > 1e-13:
        middle = (low + high) / 2
        if float(calibrated(middle, calibration)) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def moved_threshold(threshold: float, before: Calibration | None, after: Calibration) -> float:
    """Give the threshold after calibrating anew at which every verdict stays what it was.

    Parameters
    ----------
    threshold
        Of probabilities calibrated by ``before`` (``None``: of the network's own).

    Returns
    -------
    float
        Rounded as probabilities are, to float32's shortest decimal; above 0 and below 1. Verdicts
        can differ for probabilities that are equal to the threshold in the first six digits alone.
    """
    own = threshold if before is None else uncalibrated(threshold, before)
    found = float(str(np.float32(calibrated(np.float32(own), after))))
    return min(max(found, NEAREST), 1 - NEAREST)

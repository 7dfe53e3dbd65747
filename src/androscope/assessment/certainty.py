"""How sure a model is of a verdict, on a scale that all labels share whatever their thresholds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["certainty"]


def certainty(probability: ArrayLike, threshold: ArrayLike) -> NDArray[np.float64]:
    """Give the way from the threshold to the end, as a share: 1 to -1.

    Parameters
    ----------
    probability
        Of abnormal, 0 to 1, of any shape.
    threshold
        From which the verdict is abnormal; above 0, below 1.

    Returns
    -------
    array
        1 for a certain *abnormal*, 0 at the threshold, -1 for a certain *normal*. Where the
        threshold is 0.5 its absolute value orders as ``max(p, 1 - p)``, by which a classifier that
        may abstain errs least (Chow 1970, doi 10.1109/TIT.1970.1054406).
    """
    given, at = np.asarray(probability, np.float64), np.asarray(threshold, np.float64)
    found: NDArray[np.float64] = np.where(given >= at, (given - at) / (1 - at), (given - at) / at)
    return found

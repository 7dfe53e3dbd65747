"""Heads of one field look alike: what is bright among dark heads, or dark among bright, is debris.

A locator does not care whether heads are brighter or darker than the background, for microscopes
differ in that. Within one field it is one microscope: specks of the other kind, which a network
takes for heads that it has not seen yet, give themselves away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.types import FloatArray

__all__ = ["middles", "of_the_other_kind"]

#: Half the side of the square that is a head's middle, px of the view, where heads are 16 px long.
_HALF = 4

#: Heads have this share of the field's mean contrast at least; less is of the other kind. Chosen on
#: VISEM, by a locator that had learned from frames of it and by one that had not.
_LEAST = 0.2

#: How one-sided a field must be: the size of its mean contrast over the mean of the sizes. Below,
#: heads lie in several depths, of which some are bright and some dark, and nothing is concluded.
_ONE_SIDED = 0.5


def middles(contrast: FloatArray, places: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """Mean contrast in the middle of each head.

    Parameters
    ----------
    contrast
        ``(h, w)``: a :class:`~androscope.imaging.contrast.ContrastView`'s.
    places
        x and y of each head in it, px.
    """
    height, width = contrast.shape
    found = []
    for x, y in places:
        column = min(max(round(x), 0), width - 1)
        row = min(max(round(y), 0), height - 1)
        part = contrast[
            max(0, row - _HALF) : row + _HALF + 1, max(0, column - _HALF) : column + _HALF + 1
        ]
        found.append(float(part.mean()))
    return np.array(found, np.float64)


def of_the_other_kind(contrasts: ArrayLike, scores: ArrayLike) -> NDArray[np.bool_]:
    """Which finds are not of the field's kind, dark or bright.

    Parameters
    ----------
    contrasts
        ``(N,)``: from :func:`middles`.
    scores
        ``(N,)``: how sure each find is; the mean is weighted by its square, so that the sure ones
        tell what kind of field it is.
    """
    values = np.asarray(contrasts, np.float64)
    weights = np.asarray(scores, np.float64) ** 2
    sizes = float((weights * np.abs(values)).sum())
    mean = float((weights * values).sum())
    if not abs(mean) >= _ONE_SIDED * sizes or sizes == 0:
        return np.zeros(len(values), np.bool_)
    mean /= float(weights.sum())
    return np.asarray(values * np.sign(mean) < _LEAST * abs(mean))

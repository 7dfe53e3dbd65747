"""Where a model looks: what a place of the crop takes from each verdict, and gives to it.

A disc of the crop is painted over with the grey of its background, and the model grades what is
left (occlusion, Zeiler & Fergus 2014, doi 10.1007/978-3-319-10590-1_53); then everything but the
disc is painted over, and the model grades the disc alone. The one asks whether a place is needed
for the verdict, the other whether it is enough for it (Dabkowski & Gal 2017, arXiv:1705.07857); the
map is the mean of both. It takes nothing but the grading itself, so that every bundle can be
explained, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.filters import border_grey
from androscope.types import FloatArray, UInt8Array

__all__ = ["BATCH", "RADIUS", "ROW", "Grade", "discs", "heat_maps", "log_odds", "painted"]

#: Crops ``(N, S, S)`` uint8 to probabilities of abnormal ``(N, L)``.
Grade = Callable[[UInt8Array], FloatArray]

#: Radius of the discs, in shares of the crop's side (a third of a normal head's length), and how
#: many stand in a row. Chosen on validation crops and phantoms.
RADIUS, ROW = 14 / 64, 9

#: Crops per forward pass: on processors with small caches, larger ones cost more per crop.
BATCH = 8

#: Probabilities are float32; beyond this the log odds would be those of a rounding error.
_SMALLEST = 1e-6


def log_odds(probabilities: FloatArray) -> NDArray[np.float64]:
    """``ln(p / (1 - p))`` of probabilities, those nearer than 1e-6 to 0 or 1 taken as that."""
    p = np.clip(np.asarray(probabilities, np.float64), _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(p) - np.log1p(-p))


@cache
def discs(size: int, radius: float, number: int) -> FloatArray:
    """Discs on a grid, ``(number^2, S, S)``: 1 inside, 0 outside, their edge one pixel soft.

    Parameters
    ----------
    size
        Side of the crop, px.
    radius
        In shares of it.
    number
        Discs in a row; their centres are as far from one another as the outer ones, twice, from
        the edge.
    """
    centres = (np.arange(number) + 0.5) * (size / number) - 0.5
    y, x = np.indices((size, size))
    distance = np.stack([np.hypot(y - cy, x - cx) for cy, cx in product(centres, centres)])
    return np.clip(radius * size + 0.5 - distance, 0, 1).astype(np.float32)


def painted(crop: UInt8Array, masks: FloatArray) -> UInt8Array:
    """A crop ``(S, S)`` with each mask ``(K, S, S)`` painted over in its background's grey."""
    ground = np.float32(border_grey(crop))
    left = crop + masks * (ground - crop.astype(np.float32))
    return np.asarray(np.floor(left + np.float32(0.5)), np.uint8)


def heat_maps(
    grade: Grade, crops: UInt8Array, *, radius: float = RADIUS, row: int = ROW
) -> FloatArray:
    """Map what each place of a crop contributes to each label.

    Parameters
    ----------
    grade
        What the model says of crops. Its probabilities may be calibrated: what is measured is the
        log odds of whatever is reported.
    crops
        ``(N, S, S)`` uint8.
    radius, row
        See :data:`RADIUS`; each crop is graded ``2 row^2 + 2`` times.

    Returns
    -------
    array
        ``(N, L, S, S)`` float32, in log odds of abnormal. For each disc, the mean of how far they
        fall when it is hidden, and how far they rise over those of the empty background when it
        alone is shown; for each pixel, the mean over the discs that cover it. Positive: what is
        there speaks for *abnormal*; negative: for *normal*. The same crop gives the same map,
        whatever crops come with it.
    """
    crops = np.asarray(crops)
    if not len(crops):
        return np.zeros((0, grade(crops).shape[1], *crops.shape[1:]), np.float32)
    masks = discs(crops.shape[1], radius, row)
    flat = masks.reshape(len(masks), -1)
    return np.stack([_heat_map(grade, crop, masks, flat / flat.sum(0)) for crop in crops])


def _heat_map(grade: Grade, crop: UInt8Array, masks: FloatArray, shares: FloatArray) -> FloatArray:
    empty = painted(crop, np.ones((1, *crop.shape), np.float32))
    whole, nothing = log_odds(grade(np.concatenate([crop[None], empty])))
    lost = whole - log_odds(grade(painted(crop, masks)))
    given = log_odds(grade(painted(crop, 1 - masks))) - nothing
    both = ((lost + given) / 2).T.astype(np.float32)
    return np.asarray(both @ shares).reshape(-1, *crop.shape)

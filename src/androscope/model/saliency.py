"""Where a model looks: what a verdict loses when a place of the crop is made like what is around.

A disc of the crop is filled in from its surroundings, and the model grades what is left (occlusion,
Zeiler & Fergus 2014, doi 10.1007/978-3-319-10590-1_53). What is filled in matters: a crop with a
grey disc on it, or with nothing but grey, looks abnormal to a model that learned what heads look
like, and then the head itself speaks for *normal* wherever it is. Filled in smoothly, a crop stays
one of a head, without what the place showed. It takes nothing but the grading itself, so that every
bundle can be explained, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.filters import border_grey
from androscope.types import FloatArray, UInt8Array

__all__ = ["BATCH", "RADII", "ROW", "Grade", "discs", "filled_in", "heat_maps", "log_odds"]

#: Crops ``(N, S, S)`` uint8 to probabilities of abnormal ``(N, L)``.
Grade = Callable[[UInt8Array], FloatArray]

#: Radii of the discs, in shares of the crop's side (a normal head is 38 px of 64 long), and how
#: many stand in a row. Chosen on validation crops, of normal and abnormal verdicts by themselves.
RADII, ROW = (7 / 64, 11 / 64), 9

#: How far around a disc its filling is taken from: standard deviation of the weights, in shares of
#: the crop's side.
_AROUND = 5 / 64

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


def filled_in(crop: UInt8Array, masks: FloatArray) -> UInt8Array:
    """A crop ``(S, S)`` with each mask ``(K, S, S)`` filled in smoothly from around it.

    Each hidden pixel gets the mean of the visible ones, the nearer the more (Knutsson & Westin
    1993, doi 10.1109/CVPR.1993.341081); the grey of the background where none is near.
    """
    places = np.arange(len(crop), dtype=np.float32)
    away = (places[:, None] - places) / np.float32(_AROUND * len(crop))
    weights = np.exp(-0.5 * away**2)
    seen, grey = 1 - masks, crop.astype(np.float32)
    near = weights @ seen @ weights
    around = (weights @ (seen * grey) @ weights) / np.maximum(near, np.float32(1e-4))
    filling = np.where(near > 1e-4, around, np.float32(border_grey(crop)))
    return np.asarray(np.floor(grey + masks * (filling - grey) + np.float32(0.5)), np.uint8)


def heat_maps(
    grade: Grade,
    crops: UInt8Array,
    *,
    radii: tuple[float, ...] = RADII,
    row: int = ROW,
) -> FloatArray:
    """Map what each place of a crop contributes to each label.

    Parameters
    ----------
    grade
        What the model says of crops. Its probabilities may be calibrated: what is measured is the
        log odds of whatever is reported.
    crops
        ``(N, S, S)`` uint8.
    radii, row
        See :data:`RADII`; each crop is graded ``len(radii) row^2 + 1`` times.

    Returns
    -------
    array
        ``(N, L, S, S)`` float32, in log odds of abnormal: how far they fall when a disc is filled
        in; for each pixel the mean over the discs of one radius that cover it, and over the radii.
        Positive: what is there speaks for *abnormal*; negative: for *normal*. The same crop gives
        the same map, whatever crops come with it.
    """
    crops = np.asarray(crops)
    if not len(crops):
        return np.zeros((0, grade(crops).shape[1], *crops.shape[1:]), np.float32)
    masks = [discs(crops.shape[1], radius, row) for radius in radii]
    shares = [_shares(one) for one in masks]
    return np.stack([_heat_map(grade, crop, masks, shares) for crop in crops])


def _shares(masks: FloatArray) -> FloatArray:
    """How much of each pixel's mean each disc is, ``(K, S * S)``; 0 where no disc covers it."""
    flat = masks.reshape(len(masks), -1)
    return np.asarray(flat / np.maximum(flat.sum(0), np.float32(1e-6)), np.float32)


def _heat_map(
    grade: Grade, crop: UInt8Array, masks: list[FloatArray], shares: list[FloatArray]
) -> FloatArray:
    whole = log_odds(grade(crop[None]))
    maps = []
    for discs_of_one_size, share in zip(masks, shares, strict=True):
        lost = whole - log_odds(grade(filled_in(crop, discs_of_one_size)))
        maps.append(lost.T.astype(np.float32) @ share)
    return np.asarray(np.mean(maps, axis=0), np.float32).reshape(-1, *crop.shape)

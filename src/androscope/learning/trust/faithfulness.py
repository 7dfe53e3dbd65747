"""Is a heat map faithful: what happens to the verdict as its places are taken away, or given.

Deletion and insertion curves (Petsiuk, Das & Saenko 2018, arXiv:1806.07421), over square regions
rather than single pixels (Samek et al. 2017, doi 10.1109/TNNLS.2016.2599820): pixels taken away one
by one draw a grain of their own, which no crop has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.filters import border_grey, gaussian
from androscope.model.saliency import Grade
from androscope.types import FloatArray, UInt8Array

__all__ = ["BLOCK", "STEPS", "Areas", "areas", "centre_prior", "order", "random_map", "stages"]

#: Side of a region, px.
BLOCK = 4

#: Points of a curve after its first; they lie closer where little has been taken away.
STEPS = 12

# Of the picture that insertion starts from, and of the centre prior, in shares of the crop's side.
_BLUR, _CENTRE = 8 / 64, 10 / 64


@dataclass(frozen=True, slots=True)
class Areas:
    """Areas under both curves, 0 to 1: the mean probability of the verdict that was given.

    ``deletion`` is low, ``insertion`` high, for a map that names the right places first.
    """

    deletion: float
    insertion: float


def order(heat: FloatArray) -> NDArray[np.intp]:
    """Regions of a map ``(S, S)``, the strongest first, by their mean; ``S`` whole regions long."""
    rows, columns = (side // BLOCK for side in heat.shape)
    means = np.asarray(heat, np.float64).reshape(rows, BLOCK, columns, BLOCK).mean((1, 3))
    return np.argsort(-means, axis=None, kind="stable")


def stages(crop: UInt8Array, ground: UInt8Array, ranked: NDArray[np.intp]) -> UInt8Array:
    """``(STEPS + 1, S, S)``: ``crop``, with more and more regions from ``ground``; at last all."""
    rows = len(crop) // BLOCK
    pictures = []
    for count in _counts(len(ranked)):
        taken = np.zeros(len(ranked), bool)
        taken[ranked[:count]] = True
        mask = taken.reshape(rows, -1).repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
        pictures.append(np.where(mask, ground, crop))
    return np.stack(pictures)


def areas(
    grade: Grade,
    crop: UInt8Array,
    heats: Sequence[FloatArray],
    column: int,
    *,
    abnormal: bool,
) -> list[Areas]:
    """Areas of several maps of one crop and label.

    Parameters
    ----------
    grade
        What the model says of crops.
    crop
        ``(S, S)`` uint8; ``S`` must be a multiple of :data:`BLOCK`.
    heats
        Maps ``(S, S)``, the strongest place the one that speaks most for the verdict.
    column
        The label's.
    abnormal
        Whether the verdict is abnormal; the curves are of its probability.

    Raises
    ------
    ValueError
        If the crop is not whole regions long.
    """
    if len(crop) % BLOCK:
        raise ValueError(f"expected a side that {BLOCK} divides, got {len(crop)}")
    empty = np.full_like(crop, round(border_grey(crop)))
    soft = gaussian(crop.astype(np.float32), _BLUR * len(crop))
    blurred = np.asarray(np.clip(np.floor(soft + 0.5), 0, 255), np.uint8)
    pictures = []
    for heat in heats:
        ranked = order(heat)
        pictures += [stages(crop, empty, ranked), stages(blurred, crop, ranked)]
    probability = np.asarray(grade(np.concatenate(pictures))[:, column], np.float64)
    given = (probability if abnormal else 1 - probability).reshape(len(heats), 2, STEPS + 1)
    share = _counts((len(crop) // BLOCK) ** 2) / (len(crop) // BLOCK) ** 2
    found = ((given[..., 1:] + given[..., :-1]) / 2 * np.diff(share)).sum(2)
    return [Areas(float(deletion), float(insertion)) for deletion, insertion in found]


def _counts(regions: int) -> NDArray[np.intp]:
    """How many regions are taken at each point: few at first, where it matters."""
    return np.rint(regions * (np.arange(STEPS + 1) / STEPS) ** 2).astype(np.intp)


def random_map(size: int, *seeds: int) -> FloatArray:
    """A map ``(S, S)`` of independent random values, the same for the same seeds."""
    return np.random.default_rng(seeds).random((size, size), np.float32)


def centre_prior(size: int) -> FloatArray:
    """A Gaussian on the crop's centre, where heads are: what a map must beat to be about the crop.

    Its standard deviation is 10 px of 64, so that it covers a head.
    """
    away = np.arange(size) - (size - 1) / 2
    along = np.exp(-0.5 * (away / (_CENTRE * size)) ** 2)
    return np.asarray(np.outer(along, along), np.float32)

"""Is there more than one head? What hangs together around a find is too much for one.

Whoever finds heads may see one where two touch: as one shape between them, or as one of them alone.
Such a crop shows parts of both, and no verdict on it is of one sperm. This looks again, at whatever
stands out from the background, dark or bright, around every find.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.blobs import BLOCK
from androscope.imaging.filters import background, gaussian, resample
from androscope.imaging.head_masks import Masks, ellipse_of, hanging_together, opened, windows
from androscope.imaging.located import Located
from androscope.types import FloatArray, UInt8Array

__all__ = ["mark_crowded", "pieces_around", "several_heads"]

#: Heads are looked at this long, px.
_VIEW_PX = 14.0
#: In head lengths: half a window, the radius of what is thicker than a tail, and how far from a
#: find its own head reaches.
_WINDOW, _THICK, _MIDDLE = 1.5, 0.13, 0.45
#: Smoothing in head lengths, and the share of the head's own contrast from which a pixel stands
#: out: so soft that a hollow head is one piece, for areas; sharper, for shapes.
_FOR_AREA, _FOR_SHAPE = (0.18, 0.5), (0.1, 0.4)
# What follows was chosen on phantom fields of all polarities whose heads were said to be 0.85 to
# 1.15 times as long as they are (`python benchmarks/touching_heads.py`).
#: One head is at most this much larger than the lower quartile of its field, in which most are
#: alone; and that limit lies between these two, for a field of few heads, or of pairs alone, tells
#: little. Squares of a head's length.
_LARGER, _LEAST, _MOST, _FEW, _USUAL = 1.45, 0.52, 0.66, 4, 0.62
#: Where most of a field's heads fill their ellipse to this share, one that does so less is two.
_FULL, _BAYS = 0.975, 0.965


def mark_crowded(
    pixels: UInt8Array, items: Sequence[Located], head_length: float
) -> tuple[Located, ...]:
    """The finds, sperm that are more than one head flagged as overlapping.

    Heads that the frame cuts are left as they are: part of them is not seen.

    Parameters
    ----------
    pixels
        ``(H, W)`` uint8.
    items
        What was found in it.
    head_length
        How long a normal head is in it, px.
    """
    asked = [n for n, item in enumerate(items) if item.is_sperm and "edge" not in item.flags]
    areas, solidities = pieces_around(pixels, [items[n] for n in asked], head_length)
    several = set(np.array(asked, int)[several_heads(areas, solidities)].tolist())
    return tuple(
        replace(item, flags=item.flags | {"overlapping"}) if number in several else item
        for number, item in enumerate(items)
    )


def pieces_around(
    pixels: UInt8Array, items: Sequence[Located], head_length: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Size and shape of what hangs together around each find, tails taken off.

    Returns
    -------
    areas, solidities
        ``(N,)`` each: squares of a head's length; and see
        :attr:`~androscope.imaging.head_masks.Ellipse.solidity`, 1 where there is nothing.
    """
    if not items:
        return np.zeros(0), np.zeros(0)
    view = resample(pixels.astype(np.float32), _VIEW_PX / head_length)
    factor = view.shape[1] / pixels.shape[1], view.shape[0] / pixels.shape[0]
    length = head_length * factor[0]
    apart = np.abs(view - background(view, BLOCK * length))
    last = np.array([view.shape[1], view.shape[0]]) - 1
    places = [
        ((item.x + 0.5) * factor[0] - 0.5, (item.y + 0.5) * factor[1] - 0.5) for item in items
    ]
    centres = np.clip(np.rint(places), 0, last).astype(np.intp)
    areas = _pieces(apart, centres, length, *_FOR_AREA).sum(axis=(1, 2)) / length**2
    shapes = (ellipse_of(piece) for piece in _pieces(apart, centres, length, *_FOR_SHAPE))
    solidities = [1.0 if shape is None else shape.solidity for shape in shapes]
    return np.asarray(areas, np.float64), np.array(solidities)


def several_heads(areas: NDArray[np.float64], solidities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which finds of a field, of these areas and solidities ``(N,)``, are more than one head."""
    if len(areas) < _FEW:
        return np.asarray(areas > _USUAL)
    most = float(np.clip(_LARGER * np.quantile(areas, 0.25), _LEAST, _MOST))
    full = bool(np.median(solidities) >= _FULL)
    return np.asarray((areas > most) | (full & (solidities < _BAYS)))


def _pieces(
    apart: FloatArray, centres: NDArray[np.intp], length: float, soft: float, level: float
) -> Masks:
    """Masks ``(N, S, S)`` of what is as thick as a head and reaches into the middle of a window."""
    half = math.ceil(_WINDOW * length)
    seen = windows(gaussian(apart, soft * length), centres, half)
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    near = np.hypot(x, y) <= _MIDDLE * length
    strength = np.quantile(seen[:, near], 0.9, axis=1)
    thick = opened(seen > (level * strength)[:, None, None], _THICK * length)
    return hanging_together(thick, np.broadcast_to(near, thick.shape))

"""Sperm in a field of view, found by classical means: a blob filter, then each head's outline.

The filter takes the background away and smooths with a Gaussian about as wide as a head; heads are
its peaks, dark or bright, whichever stands out more. Nothing is learned: it is the baseline that a
learned detector has to beat, and what finds sperm where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.blobs import BLOCK, DEFAULT, BlobOptions, blobs
from androscope.imaging.crowded import mark_crowded
from androscope.imaging.filters import background, gaussian, resample
from androscope.imaging.head_masks import (
    OUTLINE_BOTH,
    OUTLINE_HIGH,
    OUTLINE_LOW,
    Ellipse,
    Masks,
    ellipse_of,
    head_masks,
    lobes,
    of_both_signs,
    windows,
)
from androscope.imaging.located import Flag, Found, Located
from androscope.types import FloatArray, UInt8Array

__all__ = ["locate"]

# Outlines are drawn on heads of this length, px; windows reach this far from the middle, and the
# picture is softened by this much (the second for heads that are bright and dark at once), in head
# lengths.
_OUTLINE_PX = 24.0
_WINDOW = 1.6
_SOFT, _SOFTER = 0.07, 0.13
#: Outlines larger than this are drawn again or taken apart, head lengths squared; a head has 0.5.
_LARGE = 0.75
#: Parts smaller than the first are no heads, larger than the second no single ones.
_PART, _WHOLE = 0.2, 1.1
#: Area over that of the moments' ellipse, below which an outline has bays or arms.
_SOLID = 0.87


def locate(
    pixels: UInt8Array,
    head_length: float,
    options: BlobOptions = DEFAULT,
    *,
    look_again: bool = True,
) -> Found:
    """Find the sperm of a field.

    Parameters
    ----------
    pixels
        ``(H, W)`` uint8.
    head_length
        How long a normal head is in it, px; above 3.
    options
        The filter's setting.
    look_again
        Look around every find for heads that touch; to be left out where the length is a guess.

    Raises
    ------
    ValueError
        If ``head_length`` is not above 3 px.
    """
    if not head_length > 3:
        raise ValueError(f"head_length must be above 3 px, got {head_length:g}")
    seen = blobs(pixels, head_length, options)
    points = seen.above(options)
    if len(points) == 0:
        return Found((), head_length, seen.sign)
    view = resample(pixels.astype(np.float32), _OUTLINE_PX / head_length)
    factor = view.shape[1] / pixels.shape[1], view.shape[0] / pixels.shape[0]
    length = head_length * factor[0]
    ground = background(view, BLOCK * length)
    signed = np.float32(seen.sign or -1) * (view - ground)
    one = gaussian(signed, _SOFT * length)
    either = gaussian(np.abs(signed), _SOFTER * length)
    centres = np.stack(
        [
            np.clip(np.rint((points[:, axis] + 0.5) * factor[axis] - 0.5), 0, side - 1)
            for axis, side in ((0, view.shape[1]), (1, view.shape[0]))
        ],
        axis=1,
    ).astype(np.intp)
    half = math.ceil(_WINDOW * length)
    contrast = windows(one, centres, half)
    both = of_both_signs(contrast, length) | (seen.sign == 0)
    contrast = np.where(both[:, None, None], windows(either, centres, half), contrast)
    items: list[Located] = []
    outlines = _outlines(contrast, length, np.where(both, OUTLINE_BOTH, OUTLINE_LOW))
    for point, centre, parts in zip(points, centres, outlines, strict=True):
        for part in parts:
            shape = ellipse_of(part)
            if shape is None:
                continue
            x, y = shape.x + centre[0] - half, shape.y + centre[1] - half
            item = Located(
                x=(x + 0.5) / factor[0] - 0.5,
                y=(y + 0.5) / factor[1] - 0.5,
                length=shape.length / factor[0],
                width=shape.width / factor[0],
                angle_deg=shape.angle_deg,
                score=float(point[2]) / seen.strong,
                flags=_flags(shape, part, (x - shape.x, y - shape.y), view.shape, length),
            )
            if len(parts) > 1:
                item = replace(item, flags=item.flags | {"overlapping"})
            items.append(item)
    once = tuple(_once(items, head_length))
    if look_again:
        once = mark_crowded(pixels, once, head_length)
    return Found(once, head_length, seen.sign)


def _outlines(
    contrast: FloatArray, length: float, outline: NDArray[np.float64]
) -> list[list[Masks]]:
    """The head, or the touching heads, in the middle of each window."""
    masks, neighbours = head_masks(contrast, length, outline)
    sizes, beside = (m.sum(axis=(1, 2)) / length**2 for m in (masks, neighbours))
    found = [
        [mask, other] if _PART < size < _LARGE else [mask]
        for mask, other, size in zip(masks, neighbours, beside, strict=True)
    ]
    large = np.flatnonzero(sizes > _LARGE)
    if len(large) == 0:
        return found
    tighter, _ = head_masks(contrast[large], length, np.maximum(outline[large], OUTLINE_HIGH))
    for number, tight in zip(large, tighter, strict=True):
        parts = lobes(masks[number], length)
        if len(parts) > 1 and all(_PART < p.sum() / length**2 < _WHOLE for p in parts):
            found[number] = parts
        elif tight.sum() < _LARGE * length**2:
            found[number] = [tight]
        elif len(parts) > 1:
            found[number] = lobes(tight, length)
    return found


def _flags(
    shape: Ellipse,
    mask: NDArray[np.bool_],
    corner: tuple[float, float],
    frame: tuple[int, ...],
    length: float,
) -> frozenset[Flag]:
    flags: set[Flag] = set()
    ys, xs = np.nonzero(mask)
    left, top = corner[0] + xs.min(), corner[1] + ys.min()
    right, bottom = corner[0] + xs.max(), corner[1] + ys.max()
    cut = left < 1 or top < 1 or right > frame[1] - 2 or bottom > frame[0] - 2
    if cut:
        flags.add("edge")
    # A head is 3.7 to 5.0 um long and two thirds as wide; round cells are from 7 um, specks to 3.
    even = shape.solidity > _SOLID and shape.length < 1.5 * shape.width
    if shape.width > 1.15 * length and (even or cut):
        flags.add("round")
    elif shape.length < 0.5 * length and not cut:
        flags.add("debris")
    elif shape.length > 1.9 * length or shape.width > 0.95 * length or shape.solidity < _SOLID:
        # Larger than any one head, or with bays: several, or one that cannot be told from its
        # surroundings.
        flags.add("overlapping")
    return frozenset(flags)


def _once(items: Sequence[Located], head_length: float) -> list[Located]:
    """Drop what was outlined twice; heads whose outlines run into one another are overlapping."""
    kept: list[Located] = []
    for item in items:
        near = [
            (number, math.hypot(item.x - other.x, item.y - other.y))
            for number, other in enumerate(kept)
        ]
        if any(gap < 0.5 * head_length for _, gap in near):
            continue
        touched = {number for number, gap in near if gap < 0.4 * (item.width + kept[number].width)}
        for number in touched:
            kept[number] = replace(kept[number], flags=kept[number].flags | {"overlapping"})
        flags: frozenset[Flag] = frozenset({"overlapping"}) if touched else frozenset()
        kept.append(replace(item, flags=item.flags | flags))
    return kept

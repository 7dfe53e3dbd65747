"""Masks of 32 x 32 pixels with one integer a row: pieces of many small masks in microseconds.

A row's 32 pixels are the bits of one unsigned integer, the first pixel the lowest bit, so that a
step to the side is a shift, and a union, of all rows at once, one operation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SIDE", "Bits", "dilated", "eroded", "filled", "flooded", "packed", "unpacked"]

SIDE = 32

#: ``(N, 32)``: a row of each mask a number.
Bits = NDArray[np.uint32]

_PLACES = np.arange(SIDE, dtype=np.uint32)
_ONE, _ALL = np.uint32(1), np.uint32(0xFFFFFFFF)
_FIRST, _LAST = np.uint32(1), np.uint32(1 << 31)


def packed(masks: NDArray[np.bool_]) -> Bits:
    """Pack ``(N, 32, 32)`` bool."""
    rows = np.packbits(masks, axis=2, bitorder="little")
    bits: Bits = np.ascontiguousarray(rows).view("<u4")[:, :, 0].astype(np.uint32)
    return bits


def unpacked(bits: Bits) -> NDArray[np.bool_]:
    """Give ``(N, 32, 32)`` bool back."""
    masks: NDArray[np.bool_] = (bits[:, :, None] >> _PLACES & _ONE).astype(bool)
    return masks


def dilated(bits: Bits, *, corners: bool) -> Bits:
    """Grow by a pixel: to its four neighbours, or to all eight."""
    beside: Bits = bits | (bits << _ONE) | (bits >> _ONE)
    over = beside if corners else bits
    grown: Bits = beside.copy()
    grown[:, 1:] |= over[:, :-1]
    grown[:, :-1] |= over[:, 1:]
    return grown


def eroded(bits: Bits, *, corners: bool) -> Bits:
    """Shrink by a pixel, four neighbours or eight; what lies outside the mask counts as set."""
    beside: Bits = bits & ((bits << _ONE) | _FIRST) & ((bits >> _ONE) | _LAST)
    over = beside if corners else bits
    shrunk: Bits = beside.copy()
    shrunk[:, 1:] &= over[:, :-1]
    shrunk[:, :-1] &= over[:, 1:]
    return shrunk


def flooded(seeds: Bits, within: Bits) -> Bits:
    """Everything in ``within`` that hangs together with ``seeds``, over sides, not corners."""
    reached = seeds & within
    while True:
        grown = dilated(reached, corners=False) & within
        if np.array_equal(grown, reached):
            return reached
        reached = grown


def filled(bits: Bits) -> Bits:
    """The masks with their holes filled: what the edge cannot reach from outside."""
    border = np.full_like(bits, _FIRST | _LAST)
    border[:, [0, -1]] = _ALL
    outside = ~bits
    return ~flooded(border & outside, outside)

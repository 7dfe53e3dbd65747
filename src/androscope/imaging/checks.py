"""What can be measured of a crop before it is graded: may it be a single, sharp, whole head.

Each measure is one number for each crop; which numbers are those of a crop that may be graded is
the card's to say (:mod:`androscope.model.card_checks`). None of them changes when a crop is turned
by a quarter or mirrored, and all but the saturation are relative to the crop's own background or to
its own head, so that exposure does not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from androscope.imaging.crop import area_weights
from androscope.imaging.detail import fine_detail
from androscope.imaging.packed import (
    SIDE,
    Bits,
    dilated,
    eroded,
    filled,
    flooded,
    packed,
    unpacked,
)
from androscope.types import FloatArray, UInt8Array

__all__ = ["FINE", "Measures", "measure_crops"]

#: Crops of any size are measured on this many pixels a side: heads are then about 38 px long.
FINE = 64
#: Pieces of one crop that are told apart; a text or a grass has more.
_PIECES = 4
#: A piece is drawn where it stands out this much, as a share of how the head does.
_OUTLINE = 0.45
#: A background this dark, in grey levels, would make anything a strong contrast.
_LEAST_GREY = 16.0
#: Width of the frame from which the background is taken, and the margin that sharpness leaves out.
_FRAME, _MARGIN = 3, 10
#: Radius of the middle in which the head is looked for, in pixels of the coarse picture.
_REACH = 10.0
#: What is further from the head's middle than this is beside it, in pixels of the coarse picture:
#: half the longest heads' length. The middle is searched for under a window of this width.
_BESIDE, _WINDOW, _STEPS = 12.0, 6.0, 4

_Y, _X = np.mgrid[:SIDE, :SIDE].astype(np.float32) - np.float32((SIDE - 1) / 2)
_NEAR = np.hypot(_X, _Y) <= _REACH
_AROUND = np.maximum(abs(_X), abs(_Y)) > SIDE / 2 - _FRAME
_EDGE = np.maximum(abs(_X), abs(_Y)) > SIDE / 2 - 1
#: Pixels from the middle outwards.
_OUTWARDS = np.argsort(np.hypot(_X, _Y).ravel(), kind="stable")
_PLANE = np.stack([np.ones(SIDE * SIDE), _X.ravel(), _Y.ravel()], axis=1).astype(np.float32)
_PLANE_AROUND = _PLANE[_AROUND.ravel()]
_FIT = np.linalg.pinv(_PLANE_AROUND).astype(np.float32)
_MOMENTS: FloatArray = np.stack([_X, _Y, _X * _X, _Y * _Y, _X * _Y], axis=-1).reshape(-1, 5)


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured of ``N`` crops, each ``(N,)`` float32.

    Attributes
    ----------
    contrast
        How much the head stands out: the 90th percentile of the difference from the background
        near the middle, over the background (Weber's contrast, either way).
    sharpness
        The steepest twentieth of the slopes of the grey in the middle, as a share of the head's
        contrast, per pixel.
    saturation
        Share of pixels that are black (0) or white (255).
    length
        Of the largest thing that stands out, tail taken off, as the long axis of the ellipse with
        its moments, px of a crop of 64.
    second
        Area of the next largest thing, as a share of the largest's.
    edge
        Share of the crop's outermost pixels that stand out as the head does.
    detail
        Patterns 5 to 10 px wide over those 10 to 50 px wide, noise taken off, as a ratio of
        amplitudes (:mod:`androscope.imaging.detail`).
    polarity
        Whether what stands out is dark or bright: the sum of all differences from the background
        over that of their sizes, from -1 (all darker) to 1 (all brighter).
    beside
        Area that stands out further than 24 px from the head's middle, as a share of the area
        nearer to it; what is thin, such as a tail, left out.
    """

    contrast: FloatArray
    sharpness: FloatArray
    saturation: FloatArray
    length: FloatArray
    second: FloatArray
    edge: FloatArray
    detail: FloatArray
    polarity: FloatArray
    beside: FloatArray


def measure_crops(crops: UInt8Array) -> Measures:
    """Measure crops ``(N, S, S)`` uint8; ``N`` may be 0."""
    if len(crops) == 0:
        nothing = np.zeros(0, np.float32)
        return Measures(*[nothing] * 9)
    size = crops.shape[1]
    fine: FloatArray = crops.astype(np.float32)
    if size != FINE:
        weights = area_weights(size, FINE).astype(np.float32)
        fine = np.asarray(weights @ fine @ weights.T, np.float32)
    coarse = fine[:, ::2, ::2] + fine[:, 1::2, ::2] + fine[:, ::2, 1::2] + fine[:, 1::2, 1::2]
    coarse *= np.float32(0.25)
    difference, ground = _flattened(coarse)
    # Bright and dark at once, as a head often is, it is still one thing: so without sign.
    standing = np.abs(_softened(difference))
    strength = _quantile(standing[:, _NEAR], 0.9)
    whole = _softened(standing, 3)
    level = _OUTLINE * _quantile(whole[:, _NEAR], 0.9)
    above = whole > np.maximum(level, 1e-3)[:, None, None]
    hot = packed(above)
    # Closed, so that a bright head and its dark rim join.
    solid = filled(eroded(dilated(hot, corners=True), corners=True))
    length, second = _pieces(solid)
    extremes = (crops == 0) | (crops == 255)
    return Measures(
        contrast=_ratio(strength, ground, _LEAST_GREY),
        sharpness=_ratio(_slopes(fine), strength, 1e-3),
        saturation=extremes.mean(axis=(1, 2), dtype=np.float32),
        length=length,
        second=second,
        edge=unpacked(solid)[:, _EDGE].mean(axis=1, dtype=np.float32),
        detail=fine_detail(fine),
        polarity=_ratio(difference.sum(axis=(1, 2)), np.abs(difference).sum(axis=(1, 2)), 1e-3),
        beside=_beside(whole * above, hot),
    )


def _ratio(above: FloatArray, below: FloatArray, least: float) -> FloatArray:
    return np.asarray(above / np.maximum(below, np.float32(least)), np.float32)


def _flattened(coarse: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Difference from the background, a plane through the crop's frame, and its mean ``(N,)``."""
    around = coarse[:, _AROUND]
    plane = around @ _FIT.T
    rest = around - plane @ _PLANE_AROUND.T
    # Once more with what stands out pulled in: a tail crosses the frame, a neighbour may.
    kept = np.sort(rest, axis=1)
    fifth = kept.shape[1] // 5
    plane += np.clip(rest, kept[:, fifth, None], kept[:, -fifth, None]) @ _FIT.T
    flat = coarse - (plane @ _PLANE.T).reshape(-1, SIDE, SIDE)
    return np.asarray(flat, np.float32), np.asarray(plane[:, 0], np.float32)


def _softened(image: FloatArray, times: int = 1) -> FloatArray:
    """Smooth ``(N, H, W)`` with 1 2 1 along both axes, ``times`` times; edges are repeated."""
    for _ in range(times):
        padded = np.pad(image, ((0, 0), (1, 1), (1, 1)), mode="edge")
        rows = padded[:, :-2] + padded[:, 2:]
        rows += padded[:, 1:-1] * np.float32(2)
        image = rows[:, :, :-2] + rows[:, :, 2:]
        image += rows[:, :, 1:-1] * np.float32(2)
        image *= np.float32(1 / 16)
    return image


def _quantile(values: FloatArray, q: float) -> FloatArray:
    """The ``q`` quantile of each row, an element of it."""
    place = int(q * values.shape[1])
    return np.asarray(np.partition(values, place, axis=1)[:, place])


def _slopes(fine: FloatArray) -> FloatArray:
    """95th percentile of the slope in the middle, grey levels per pixel, noise softened first."""
    middle = _softened(fine[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN])
    down = middle[:, 2:, 1:-1] - middle[:, :-2, 1:-1]
    right = middle[:, 1:-1, 2:] - middle[:, 1:-1, :-2]
    square = down * down
    square += right * right
    return np.asarray(np.sqrt(_quantile(square.reshape(len(fine), -1), 0.95)) / 2)


def _pieces(solid: Bits) -> tuple[FloatArray, FloatArray]:
    """Length of the largest piece, and the second largest's area as a share of its, ``(N,)``."""
    count = len(solid)
    cores = eroded(eroded(solid, corners=True), corners=False)
    # What is thin everywhere is no less a thing.
    thin = ~cores.any(axis=1)
    cores[thin] = solid[thin]
    masks = np.zeros((_PIECES, count, SIDE, SIDE), bool)
    left = cores
    rows = np.arange(count)
    for number in range(_PIECES):
        outwards = unpacked(left).reshape(count, -1)[:, _OUTWARDS]
        first = outwards.argmax(axis=1)
        seeds = np.zeros((count, SIDE * SIDE), bool)
        seeds[rows, _OUTWARDS[first]] = outwards[rows, first]
        piece = flooded(packed(seeds.reshape(-1, SIDE, SIDE)), left)
        left = left & ~piece
        grown = dilated(dilated(piece, corners=False), corners=True)
        masks[number] = unpacked(grown & solid)
        if not left.any():
            break
    areas = masks.sum(axis=(2, 3)).astype(np.float32)
    order = np.argsort(-areas, axis=0, kind="stable")
    largest = masks[order[0], rows].reshape(count, -1).astype(np.float32)
    area, next_area = areas[order[0], rows], areas[order[1], rows]
    x, y, xx, yy, xy = (largest @ _MOMENTS / np.maximum(area, 1)[:, None]).T
    # A pixel's own variance is 1/12; an ellipse's along its axis the square of a quarter of it.
    xx, yy, xy = xx - x * x + 1 / 12, yy - y * y + 1 / 12, xy - x * y
    long = (xx + yy) / 2 + np.hypot((xx - yy) / 2, xy)
    length = np.where(area > 0, 4 * np.sqrt(long) * (FINE / SIDE), 0)
    return length.astype(np.float32), (next_area / np.maximum(area, 1)).astype(np.float32)


def _beside(standing: FloatArray, hot: Bits) -> FloatArray:
    """Area of ``hot`` away from the head's middle, as a share of that near it, ``(N,)``.

    ``standing`` ``(N, H, W)`` is what stands out there. The middle is that of what stands out under
    a window that moves along with it, from the crop's centre: so that a second head, which draws
    the middle of all to itself, does not.
    """
    along = _X[0]
    x, y = np.zeros((2, len(standing)), np.float32)
    for _ in range(_STEPS):
        across = np.exp(-0.5 * ((along - x[:, None]) / _WINDOW) ** 2)
        down = np.exp(-0.5 * ((along - y[:, None]) / _WINDOW) ** 2)
        columns = np.einsum("nyx,ny->nx", standing, down) * across
        rows = np.einsum("nyx,nx->ny", standing, across) * down
        total = np.maximum(columns.sum(axis=1), np.float32(1e-6))
        x, y = columns @ along / total, rows @ along / total
    away = np.hypot(_X - x[:, None, None], _Y - y[:, None, None]) > _BESIDE
    thick = unpacked(eroded(hot, corners=False))
    outside = (thick & away).sum(axis=(1, 2)).astype(np.float32)
    inside = (thick & ~away).sum(axis=(1, 2)).astype(np.float32)
    return _ratio(outside, inside, 1.0)

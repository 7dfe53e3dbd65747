"""Pasted fields: heads of real crops put together, so that bright field is learned as it looks.

No field of unstained sperm in bright field with boxes may be learned from here, but crops of
single sperm, as MHSMA has them, show the same: a head that is dark, or hollow, or bright in a dark
rim, with the beginning of its tail. Cut out softly and put on a field of specks and blurs, they are
a field whose centres are known (cut and paste: D. Dwibedi, I. Misra, M. Hebert, 2017,
arXiv:1708.01642).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from androscope.imaging.contrast import DETECTOR_PX
from androscope.imaging.filters import border_grey, gaussian, resample
from androscope.learning.locator_data import Sample
from androscope.learning.locator_sketch import (
    draw_background,
    draw_others,
    draw_tail,
    head_places,
)
from androscope.types import FloatArray, UInt8Array

__all__ = ["CROP_PX", "pasted_sample"]

#: Side of MHSMA's crops, and how long a normal head is in them, px.
CROP_PX, CROP_HEAD_PX = 64, 38.0
#: From here to its edge a crop fades, shares of half its side: beyond lie its corners.
_FADES = 0.72
#: Heads blurred by more px are neither taught nor denied: annotators box some of them.
_STILL_A_HEAD = 1.8
#: A tail is gone on with where the crop's rim is so much darker than empty field.
_TAIL_SEEN = 0.05


def pasted_sample(rng: np.random.Generator, crops: UInt8Array, size: int, jitter: float) -> Sample:
    """One field of ``size`` px a side with the heads of some of ``crops``.

    Parameters
    ----------
    rng
        Of all that is drawn.
    crops
        ``(N, S, S)`` uint8: one sperm in the middle of each, as in MHSMA's crops of ``CROP_PX``.
    size
        Side of the field, px.
    jitter
        Heads are ``DETECTOR_PX`` long, up to this factor more or less.
    """
    length = DETECTOR_PX * jitter ** rng.uniform(-1, 1)
    room = (size / 320) ** 2
    canvas = np.zeros((size, size), np.float32)
    # As in sketches heads are positive, and stronger than in any microscope: real contrasts, of
    # either sign, come later.
    gain = float(rng.uniform(3.0, 6.0))
    tails = float(rng.choice([0.0, rng.uniform(0.3, 1.2)]))
    draw_background(canvas, rng, room, length)
    places = head_places(rng, size, int(rng.integers(0, 26) * room), length)
    heads: list[tuple[float, float, float, float, float]] = []
    unsure: list[tuple[float, float, float, float]] = []
    for x, y, _ in places:
        crop = crops[int(rng.integers(len(crops)))]
        strength = np.float32(gain * rng.uniform(0.6, 1.2))
        patch = strength * _patch(crop, rng.uniform(0, 360), bool(rng.integers(2)), length)
        blur = _blur_of_depth(rng)
        patch = gaussian(np.pad(patch, math.ceil(2 * blur)), blur)
        if tails:
            _go_on_with_tail(canvas, rng, patch, x, y, length, tails)
        _add(canvas, patch, x, y)
        if blur <= _STILL_A_HEAD:
            heads.append((x, y, DETECTOR_PX, DETECTOR_PX, 0.0))
        else:
            unsure.append((x - length, y - length, x + length, y + length))
    others = draw_others(canvas, rng, places, room, length, unsure)
    blur = float(rng.choice([0.0, rng.uniform(0.4, 1.5)]))
    return Sample(
        gaussian(canvas, blur),
        np.array(heads, np.float64).reshape(-1, 5),
        np.array(others, np.float64).reshape(-1, 3),
        np.array(unsure, np.float64).reshape(-1, 4),
        False,
        "pasted",
    )


def _blur_of_depth(rng: np.random.Generator) -> float:
    """How much a head is out of focus beside what its crop is already, px: most are not."""
    kind = rng.random()
    if kind < 0.65:
        return 0.0
    return float(rng.uniform(0.4, _STILL_A_HEAD) if kind < 0.92 else rng.uniform(2.5, 5.0))


def _patch(crop: UInt8Array, degrees: float, mirrored: bool, length: float) -> FloatArray:
    """How much darker a crop is than empty field, turned, faded out towards its edge.

    A normal head is ``length`` px long in it.
    """
    grey = border_grey(crop)
    contrast = (crop.astype(np.float32) - np.float32(grey)) / np.float32(max(grey, 1.0))
    if mirrored:
        contrast = contrast[:, ::-1]
    picture = Image.fromarray(np.ascontiguousarray(contrast))
    turned = np.asarray(picture.rotate(degrees, Image.Resampling.BICUBIC), np.float32)
    half = (len(crop) - 1) / 2
    steps = np.arange(len(crop)) - half
    reach = np.hypot(steps[:, None], steps[None, :]) / half
    fade = np.clip((1 - reach) / (1 - _FADES), 0, 1).astype(np.float32)
    return resample(-turned * fade, min(1.0, length / CROP_HEAD_PX))


def _add(canvas: FloatArray, patch: FloatArray, x: float, y: float) -> None:
    """Add a patch to the canvas, its middle at the nearest pixel to a place."""
    side = len(patch)
    left, top = round(x - (side - 1) / 2), round(y - (side - 1) / 2)
    height, width = canvas.shape
    rows = slice(max(top, 0), min(top + side, height))
    columns = slice(max(left, 0), min(left + side, width))
    if rows.start < rows.stop and columns.start < columns.stop:
        canvas[rows, columns] += patch[
            rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]


def _go_on_with_tail(
    canvas: FloatArray,
    rng: np.random.Generator,
    patch: FloatArray,
    x: float,
    y: float,
    length: float,
    tails: float,
) -> None:
    """Draw on where a tail leaves the patch: the strongest place of a ring near its edge."""
    half = (len(patch) - 1) / 2
    ways = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    ring = 0.75 * half
    columns = np.rint(half + ring * np.cos(ways)).astype(np.intp)
    rows = np.rint(half - ring * np.sin(ways)).astype(np.intp)
    seen: NDArray[np.float32] = patch[rows, columns]
    strongest = int(np.argmax(seen))
    strength = float(seen[strongest])
    if strength < _TAIL_SEEN:
        return
    way = float(ways[strongest])
    start = ring - length / 2  # from a head's back end on, where a tail begins
    draw_tail(
        canvas, rng, x + start * math.cos(way), y - start * math.sin(way),
        way, length, strength * tails,
    )  # fmt: skip

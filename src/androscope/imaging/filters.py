"""Smoothing, background and peaks of a field, in numpy and Pillow alone.

scipy.ndimage has all of it, and 30 MB behind it that assessing an image needs nowhere else; what is
used here is compared with it in the tests.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from androscope.types import FloatArray, UInt8Array

__all__ = ["background", "border_grey", "gaussian", "peaks", "resample"]

#: Weights beyond this many standard deviations are left out, as in scipy.ndimage.
_TRUNCATE = 4.0
_BORDER = 3


def gaussian(image: FloatArray, sigma: float) -> FloatArray:
    """Smooth ``(H, W)`` float32 with a Gaussian of ``sigma`` px; edges are repeated outside."""
    if sigma <= 0:
        return image
    radius = int(_TRUNCATE * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    result = image
    for axis in (0, 1):
        length = result.shape[axis]
        pad = [(0, 0), (0, 0)]
        pad[axis] = (radius, radius)
        padded = np.pad(result, pad, mode="edge")
        # Symmetric: two samples per weight, so half the products.
        total = weights[radius] * _part(padded, axis, radius, length)
        for step in range(1, radius + 1):
            both = _part(padded, axis, radius - step, length)
            both = both + _part(padded, axis, radius + step, length)
            both *= weights[radius + step]
            total += both
        result = total
    return result


def _part(padded: FloatArray, axis: int, start: int, length: int) -> FloatArray:
    chosen = slice(start, start + length)
    return padded[chosen] if axis == 0 else padded[:, chosen]


def background(image: FloatArray, block: float) -> FloatArray:
    """Grey of the empty field under ``(H, W)`` float32: medians of blocks, joined smoothly.

    A median is the background as long as cells fill less than half of a block of ``block`` px.
    """
    height, width = image.shape
    rows = max(1, round(height / block))
    columns = max(1, round(width / block))
    y = np.linspace(0, height, rows + 1).round().astype(int)
    x = np.linspace(0, width, columns + 1).round().astype(int)
    medians = np.empty((rows, columns), np.float32)
    for row in range(rows):
        for column in range(columns):
            # Every other pixel tells the median as well.
            part = image[y[row] : y[row + 1] : 2, x[column] : x[column + 1] : 2]
            medians[row, column] = np.median(part)
    # A cluster may fill a whole block: neighbours overrule it.
    padded = np.pad(medians, 1, mode="edge")
    shifted = [padded[dy : dy + rows, dx : dx + columns] for dy in range(3) for dx in range(3)]
    steady = np.median(np.stack(shifted), axis=0).astype(np.float32)
    return np.asarray(
        Image.fromarray(steady).resize((width, height), Image.Resampling.BICUBIC), np.float32
    )


def border_grey(pixels: UInt8Array) -> float:
    """Grey of the background of a crop ``(S, S)``: the median of its outermost three pixels."""
    outer = np.ones(pixels.shape, bool)
    outer[_BORDER:-_BORDER, _BORDER:-_BORDER] = False
    return float(np.median(pixels[outer]))


def resample(image: FloatArray, factor: float) -> FloatArray:
    """Shrink ``(H, W)`` float32 to about ``factor`` of its size by averaging; 1 and above: as is.

    Sides are rounded, so the true factors are those of the shapes.
    """
    if factor >= 1:
        return image
    height, width = image.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    shrunk = Image.fromarray(image).resize(size, Image.Resampling.BOX, reducing_gap=None)
    return np.asarray(shrunk, np.float32)


def peaks(image: FloatArray, radius: float, floor: float) -> NDArray[np.float64]:
    """Local maxima of ``(H, W)`` above ``floor``, the highest first, none within ``radius`` px.

    Returns
    -------
    array
        ``(N, 3)``: x, y (px from the first pixel's centre, to a fraction of a pixel) and height.
    """
    # A maximum among its eight neighbours; a plateau's first pixel stands for it.
    middle = image
    padded = np.pad(image, 1, mode="constant", constant_values=-np.inf)
    height, width = image.shape
    highest = middle > floor
    for dy in range(3):
        for dx in range(3):
            if (dy, dx) == (1, 1):
                continue
            other = padded[dy : dy + height, dx : dx + width]
            highest &= (middle > other) if (dy, dx) < (1, 1) else (middle >= other)
    ys, xs = np.nonzero(highest)
    order = np.argsort(-image[ys, xs], kind="stable")
    points = np.stack([xs[order], ys[order]], axis=1).astype(np.float64)
    kept: list[int] = []
    cells: dict[tuple[int, int], list[int]] = {}
    for number, (x, y) in enumerate(points):
        cell = int(x // radius), int(y // radius)
        near = (
            other
            for dx in (-1, 0, 1)
            for dy in (-1, 0, 1)
            for other in cells.get((cell[0] + dx, cell[1] + dy), ())
        )
        if all(math.hypot(x - points[o, 0], y - points[o, 1]) > radius for o in near):
            kept.append(number)
            cells.setdefault(cell, []).append(number)
    chosen = order[kept]
    x, y = xs[chosen], ys[chosen]
    inside = padded.astype(np.float64)
    result = np.empty((len(kept), 3))
    result[:, 0] = x + _vertex(inside[y + 1, x], inside[y + 1, x + 1], inside[y + 1, x + 2])
    result[:, 1] = y + _vertex(inside[y, x + 1], inside[y + 1, x + 1], inside[y + 2, x + 1])
    result[:, 2] = image[y, x]
    return result


def _vertex(
    before: NDArray[np.float64], at: NDArray[np.float64], after: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Where the parabola through three samples is highest, -0.5 to 0.5; 0 at the frame's edge."""
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = (after - before) / (2 * (2 * at - before - after))
    return np.clip(np.where(np.isfinite(shift), shift, 0.0), -0.5, 0.5)

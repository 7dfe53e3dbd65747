"""Batches for the locator: random crops of samples, changed as microscopes differ, as maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.contrast import DETECTOR_PX, LIMIT
from androscope.imaging.filters import gaussian
from androscope.learning.locator_data import Sample, cropped, turned
from androscope.model.locator import CLASSES, STRIDE
from androscope.types import FloatArray

__all__ = ["Maps", "draw", "maps_of"]

#: Spread of a centre's peak, cells: a quarter of a head.
_SPREAD = 1.0

Maps = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def draw(sample: Sample, rng: np.random.Generator, side: int) -> Sample:
    """A random square of a sample: turned, mirrored, of either contrast, weaker or stronger.

    Half of all squares have their contrast reversed, so that dark and bright heads are one to the
    network. Half are centred near a head, for most of a sparse field is empty.
    """
    sample = turned(sample, int(rng.integers(4)), bool(rng.integers(2)))
    height, width = sample.contrast.shape
    left, top = (
        int(rng.integers(min(0, length - side), max(0, length - side) + 1))
        for length in (width, height)
    )
    if len(sample.heads) and rng.random() < 0.5:
        x, y = sample.heads[rng.integers(len(sample.heads)), :2] - rng.uniform(0.1, 0.9, 2) * side
        left, top = (
            int(np.clip(v, min(0, length - side), max(0, length - side)))
            for v, length in ((x, width), (y, height))
        )
    sample = cropped(sample, left, top, side)
    contrast = sample.contrast
    if rng.random() < 0.4:
        contrast = gaussian(contrast, float(rng.uniform(0.4, 1.6)))
    strongest = float(np.quantile(np.abs(contrast), 0.999))
    # Real heads differ from the background by a tenth of it to all of it.
    gain = float(np.exp(rng.uniform(np.log(0.12), np.log(1.1)))) / max(strongest, 0.05)
    contrast = contrast * np.float32(gain * rng.choice([-1, 1]))
    noise = rng.standard_normal(contrast.shape, np.float32) * np.float32(rng.uniform(0, 0.02))
    changed = np.clip(contrast + noise, -LIMIT, LIMIT).astype(np.float32)
    return Sample(changed, sample.heads, sample.others, sample.unsure, sample.whole, sample.source)


def maps_of(sample: Sample) -> Maps:
    """Targets ``heat, known`` ``(classes, h, w)`` and ``axes, near`` ``(6, h, w)`` of a crop.

    A centre's cell has heat 1; around it heat falls as a Gaussian. What stands beside a centre is
    taught in the cells next to it.
    """
    height, width = (length // STRIDE for length in sample.contrast.shape)
    heat = np.zeros((len(CLASSES), height, width), np.float32)
    known = np.ones_like(heat)
    if not sample.whole:
        known[1:] = 0
    axes = np.zeros((6, height, width), np.float32)
    near = np.zeros_like(axes)
    ys, xs = np.mgrid[:height, :width]
    for left, top, right, bottom in sample.unsure:
        inside = (
            (xs * STRIDE + 1.5 >= left) & (xs * STRIDE + 1.5 <= right)
            & (ys * STRIDE + 1.5 >= top) & (ys * STRIDE + 1.5 <= bottom)
        )  # fmt: skip
        known[0][inside] = 0
    closest = np.full((height, width), np.inf)
    for row in sample.heads:
        x, y = (row[0] - 1.5) / STRIDE, (row[1] - 1.5) / STRIDE
        if not _peak(heat[0], known[0], x, y):
            continue
        gap = (xs - x) ** 2 + (ys - y) ** 2
        mine = (gap < closest) & (gap < 1.5**2)
        closest[mine] = gap[mine]
        angle = 2 * row[4]
        values = (
            x - xs, y - ys, np.log(row[2] / DETECTOR_PX), np.log(row[3] / DETECTOR_PX),
            np.cos(angle), np.sin(angle),
        )  # fmt: skip
        for channel, value in enumerate(values):
            axes[channel][mine] = value[mine] if isinstance(value, np.ndarray) else value
        near[:2, mine] = 1
        near[2:, mine] = float(sample.whole)
    for x, y, kind in sample.others:
        _peak(heat[int(kind)], known[int(kind)], (x - 1.5) / STRIDE, (y - 1.5) / STRIDE)
    return heat, known, axes, near


def batch(
    samples: Sequence[Sample], rng: np.random.Generator, side: int
) -> tuple[FloatArray, Maps]:
    """Crops ``(N, 1, side, side)`` of ``samples`` and their targets, stacked."""
    crops = [draw(sample, rng, side) for sample in samples]
    maps = [maps_of(crop) for crop in crops]
    heat, known, axes, near = (np.stack(part) for part in zip(*maps, strict=True))
    return np.stack([crop.contrast for crop in crops])[:, None], (heat, known, axes, near)


def _peak(heat: FloatArray, known: FloatArray, x: float, y: float) -> bool:
    """Raise the heat around a place; False if it lies outside."""
    height, width = heat.shape
    column, row = round(x), round(y)
    if not (0 <= column < width and 0 <= row < height):
        return False
    ys, xs = _offsets(row, height), _offsets(column, width)
    bump = np.exp(-((ys[:, None] - row) ** 2 + (xs[None, :] - column) ** 2) / (2 * _SPREAD**2))
    window = np.ix_(ys, xs)
    heat[window] = np.maximum(heat[window], bump)
    known[row, column] = 1
    return True


def _offsets(middle: int, length: int) -> NDArray[np.intp]:
    return np.arange(max(0, middle - 4), min(length, middle + 5))

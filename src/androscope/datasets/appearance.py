"""How crops look, in numbers: measured alike on real crops and on phantoms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from androscope.datasets.duplicates import band_pass, blur_matrix
from androscope.types import UInt8Array

__all__ = ["MEASURES", "appearance"]

#: Name of a measure to what it is and its unit, in the order they are printed.
MEASURES: Mapping[str, str] = {
    "mean": "mean grey",
    "deviation": "standard deviation of grey",
    "background": "background grey (median of the outermost 4 px)",
    "darkest": "darkest grey (1st percentile)",
    "brightest": "brightest grey (99th percentile)",
    "noise": "sensor noise (Immerkaer), grey",
    "detail": "deviation after band-pass, grey",
    "length": "length of the head by its edges, px",
    "width": "width of the head by its edges, px",
    "off_centre": "their distance from the centre, px",
}

_EDGE = 4


def appearance(crops: UInt8Array) -> dict[str, NDArray[np.float64]]:
    """Every measure of :data:`MEASURES` for ``(N, S, S)`` crops; each ``(N,)``.

    Head length and width are 4 times the roots of the second moments of the squared gradient
    within three eighths of the side from the centre. Edges count, so bright and dark heads and
    halos do alike; it runs some pixels above the outline's own axes, and serves to compare sets,
    not to measure sperm. Noise is after J. Immerkaer, "Fast noise variance estimation", Computer
    Vision and Image Understanding 64 (1996) 300-302.
    """
    pixels = crops.astype(np.float64)
    flat = pixels.reshape(len(pixels), -1)
    length, width, off_centre = _extent(pixels)
    return {
        "mean": flat.mean(axis=1),
        "deviation": flat.std(axis=1),
        "background": _background(pixels),
        "darkest": np.percentile(flat, 1, axis=1),
        "brightest": np.percentile(flat, 99, axis=1),
        "noise": _noise(pixels),
        "detail": band_pass(crops).astype(np.float64).std(axis=(1, 2)),
        "length": length,
        "width": width,
        "off_centre": off_centre,
    }


def _background(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    inner = np.zeros(pixels.shape[1:], bool)
    inner[_EDGE:-_EDGE, _EDGE:-_EDGE] = True
    return np.asarray(np.median(pixels[:, ~inner], axis=1))


def _noise(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    along = pixels[:, :-2] - 2 * pixels[:, 1:-1] + pixels[:, 2:]
    both = along[:, :, :-2] - 2 * along[:, :, 1:-1] + along[:, :, 2:]
    return np.asarray(np.sqrt(np.pi / 2) * np.abs(both).mean(axis=(1, 2)) / 6)


def _extent(
    pixels: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    size = pixels.shape[-1]
    blur = blur_matrix(size, 1.0).astype(np.float64)
    smooth = blur @ pixels @ blur.T
    rows, columns = np.gradient(smooth, axis=(1, 2))
    axis = np.arange(size) - (size - 1) / 2
    # The tail, which leaves the crop in any direction, counts only near the head.
    near = axis[:, None] ** 2 + axis**2 < (0.375 * size) ** 2
    weight = (rows**2 + columns**2) * near
    total = np.maximum(weight.sum(axis=(1, 2)), 1e-9)
    y = (weight.sum(axis=2) @ axis) / total
    x = (weight.sum(axis=1) @ axis) / total
    yy = (weight.sum(axis=2) @ axis**2) / total - y**2
    xx = (weight.sum(axis=1) @ axis**2) / total - x**2
    xy = np.einsum("nyx,y,x->n", weight, axis, axis) / total - x * y
    half, apart = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    long, short = (4 * np.sqrt(np.maximum(moment, 0)) for moment in (half + apart, half - apart))
    return long, short, np.hypot(x, y)

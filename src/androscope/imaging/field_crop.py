"""Crops out of a field: one sperm each, in the model's geometry.

Crops are not turned. The grading model was trained on heads in every direction and with random
turns, so it does not ask for one; a turn would interpolate every pixel once more, and what is
graded, an acrosome's edge or a vacuole, is a few pixels wide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from androscope.types import UInt8Array

__all__ = ["cut_crop", "interval_weights"]


def cut_crop(
    pixels: UInt8Array, centre: tuple[float, float], enlargement: float, size: int = 64
) -> tuple[UInt8Array, float]:
    """Cut a square around a head and bring it to the model's scale.

    Parameters
    ----------
    pixels
        ``(H, W)`` uint8, the field.
    centre
        ``(x, y)`` of the head, px from the first pixel's centre; need not be whole.
    enlargement
        Crop pixels per field pixel. Below 1 each crop pixel is the exact average of the area it
        covers, as of a camera with larger pixels; above 1 bicubic.
    size
        Side of the crop, px.

    Returns
    -------
    crop, outside
        ``(size, size)`` uint8, and the share of it (0 to 1) that lies outside the field, where the
        field's edge is repeated.

    Raises
    ------
    ValueError
        If ``enlargement`` or ``size`` is not above 0.
    """
    if not (enlargement > 0 and size > 0):
        raise ValueError(f"enlargement and size must be above 0, got {enlargement:g}, {size}")
    side = size / enlargement
    # From the frame's corner, where the first pixel reaches from 0 to 1.
    left, top = centre[0] + 0.5 - side / 2, centre[1] + 0.5 - side / 2
    height, width = pixels.shape
    inside = _overlap(left, left + side, width) * _overlap(top, top + side, height)
    # Bicubic looks two pixels further.
    x0, y0 = int(np.floor(left)) - 3, int(np.floor(top)) - 3
    count = int(np.ceil(side)) + 8
    rows = np.clip(np.arange(y0, y0 + count), 0, height - 1)
    columns = np.clip(np.arange(x0, x0 + count), 0, width - 1)
    around = pixels[np.ix_(rows, columns)]
    box = left - x0, top - y0, left - x0 + side, top - y0 + side
    if enlargement >= 1:
        scaled = Image.fromarray(around).resize((size, size), Image.Resampling.BICUBIC, box=box)
        crop = np.array(scaled)
    else:
        down = interval_weights(box[1], box[3], count, size)
        across = interval_weights(box[0], box[2], count, size)
        averaged = down @ around.astype(np.float64) @ across.T
        crop = np.floor(np.round(averaged, 6) + 0.5).astype(np.uint8)
    return crop, max(0.0, 1 - inside / side**2)


def _overlap(start: float, stop: float, length: int) -> float:
    return max(0.0, min(stop, length) - max(start, 0.0))


def interval_weights(start: float, stop: float, old: int, new: int) -> NDArray[np.float64]:
    """Weights ``(new, old)`` that average ``old`` pixels over ``new`` equal parts of an interval.

    Part ``i`` is the ``i``-th of ``[start, stop)``, in pixels from the first one's edge; each pixel
    counts by the length of its overlap. Rows sum to 1.
    """
    edges = start + np.arange(new + 1) * ((stop - start) / new)
    pixel = np.arange(old)
    low = np.maximum(edges[:-1, None], pixel[None, :])
    high = np.minimum(edges[1:, None], pixel[None, :] + 1)
    overlap = np.clip(high - low, 0.0, None)
    return np.asarray(overlap / overlap.sum(axis=1, keepdims=True))

"""How coloured a picture was before it became grey: stained sperm are, unstained ones are not.

The colour that counts is that of things, not of the lamp: each channel is taken relative to its
own background, so that a picture that is yellow all over has none. Camera noise and the colour
artefacts of compression are averaged away in small blocks.
"""

from __future__ import annotations

import numpy as np

from androscope.imaging.values import Samples
from androscope.types import FloatArray, UInt8Array

__all__ = ["BLOCK", "chroma_map", "chroma_within"]

#: Side of the blocks in which colour is averaged, px.
BLOCK = 4

#: Share of a crop that may be more coloured than what is called its chroma: a head fills a sixth.
_TOP = 0.05


def chroma_map(samples: Samples) -> UInt8Array | None:
    """How coloured each block of a decoded picture is.

    A channel's value relative to its own median (the background, which fills most of a picture) is
    1 where nothing is; chroma is the largest less the smallest of the three, averaged over blocks.

    Parameters
    ----------
    samples
        ``(H, W)`` or ``(H, W, C)`` of any number type; the first three of ``C`` channels count.

    Returns
    -------
    array or None
        ``(ceil(H / 4), ceil(W / 4))`` uint8, 0 to 1 in steps of 1/255; ``None`` for a grey picture,
        one of three equal channels included.
    """
    if samples.ndim != 3 or samples.shape[2] < 3 or samples.size == 0 or samples.dtype == bool:
        return None
    red, green, blue = (samples[:, :, channel] for channel in range(3))
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return None
    blocks = np.stack([_blocks(channel) for channel in (red, green, blue)])
    median = np.median(blocks, axis=(1, 2), keepdims=True)
    # Next to a black background anything is infinitely coloured: so its level is not below a tenth
    # of the brightest there is.
    floor = max(float(blocks.max()) / 10, 1e-6)
    relative = blocks / np.maximum(median, floor)
    spread = relative.max(axis=0) - relative.min(axis=0)
    return np.asarray(np.clip(np.rint(255 * spread), 0, 255), np.uint8)


def _blocks(channel: Samples) -> FloatArray:
    height, width = channel.shape
    rows, columns = -(-height // BLOCK), -(-width // BLOCK)
    padded = np.pad(
        np.asarray(channel, np.float32),
        ((0, rows * BLOCK - height), (0, columns * BLOCK - width)),
        mode="edge",
    )
    return np.asarray(padded.reshape(rows, BLOCK, columns, BLOCK).mean(axis=(1, 3)), np.float32)


def chroma_within(
    chroma: UInt8Array | None, left: float, top: float, right: float, bottom: float
) -> float:
    """How coloured a part of a picture is: what the most coloured twentieth of it has at least.

    Parameters
    ----------
    chroma
        From :func:`chroma_map`.
    left, top, right, bottom
        The part, px from the picture's corner; what lies outside the picture does not count.

    Returns
    -------
    float
        0 (grey) to 1.
    """
    if chroma is None:
        return 0.0
    rows, columns = chroma.shape
    y0, y1 = _range(top, bottom, rows)
    x0, x1 = _range(left, right, columns)
    return float(np.quantile(chroma[y0:y1, x0:x1], 1 - _TOP)) / 255


def _range(start: float, stop: float, count: int) -> tuple[int, int]:
    first = min(max(0, int(start // BLOCK)), count - 1)
    return first, max(first + 1, min(count, -int(-stop // BLOCK)))

"""How much fine detail a crop has beside its coarse pattern, noise taken off: what blurring takes.

The slope at an outline, which :mod:`androscope.imaging.checks` measures too, falls slowly as a head
is blurred, for its contrast falls with it. Patterns of a few pixels go first. Noise has patterns of
every width alike, so that the finest ones, which no optics resolve in such crops, say how much of
it there is: without taking that off, a camera's noise would pass for detail.
"""

from __future__ import annotations

import numpy as np

from androscope.types import FloatArray

__all__ = ["SIDE", "fine_detail"]

#: Of the middle that is looked at, px of a crop of 64.
SIDE = 48
#: Cycles per pixel: patterns 10 to 50 px wide, 5 to 10 px wide, and those that are noise.
_COARSE, _DETAIL, _NOISE = (0.02, 0.1), (0.1, 0.2), (0.25, 0.5)
#: Detail that cannot be told from noise counts as this share of the coarse pattern's power.
_LEAST = 1e-5


def _bands() -> FloatArray:
    """Which frequencies of a real transform, ``(48 * 25,)``, are of each band, ``(48 * 25, 3)``."""
    across = np.fft.rfftfreq(SIDE)
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], across).ravel()
    # Half of the spectrum stands for all of it but in its first and last column.
    twice = np.tile(np.where((across > 0) & (across < 0.5), 2.0, 1.0), SIDE)
    held = [
        twice * ((frequency >= low) & (frequency < high))
        for low, high in (_COARSE, _DETAIL, _NOISE)
    ]
    return np.stack(held, axis=1).astype(np.float32)


_BANDS = _bands()
_SHARE_OF_NOISE = np.float32(_BANDS[:, 1].sum() / _BANDS[:, 2].sum())
#: So that the cut at the middle's border is no detail.
_WINDOW = np.outer(np.hanning(SIDE), np.hanning(SIDE)).astype(np.float32)


def fine_detail(fine: FloatArray) -> FloatArray:
    """Strength of patterns 5 to 10 px wide over that of those 10 to 50 px wide, ``(N,)``.

    Parameters
    ----------
    fine
        Crops ``(N, 64, 64)`` float32, grey levels.

    Returns
    -------
    array
        Ratio of amplitudes, 0.003 at least where there is anything at all; 0 of a blank crop.
    """
    cut = (fine.shape[1] - SIDE) // 2
    middle = fine[:, cut : cut + SIDE, cut : cut + SIDE]
    middle = (middle - middle.mean(axis=(1, 2), keepdims=True)) * _WINDOW
    spectrum = np.fft.rfft2(middle).reshape(len(fine), len(_BANDS))
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) @ _BANDS
    coarse, detail, noise = power.T
    left = np.maximum(detail - _SHARE_OF_NOISE * noise, _LEAST * coarse)
    return np.asarray(np.sqrt(left / np.maximum(coarse, 1e-3)), np.float32)

"""Frames that hold no picture: blank ones, and those whose light was too much or too little."""

from __future__ import annotations

import numpy as np

from androscope.types import UInt8Array

__all__ = ["SATURATED", "frame_faults", "is_blank"]

#: Share of pixels at one end of the scale from which a frame is called saturated. A few per cent
#: at an end are common in good pictures: a stop's shadow, specks that glare.
SATURATED = 0.2


def is_blank(pixels: UInt8Array) -> bool:
    """Whether all pixels of ``(H, W)`` uint8 are equal, so that nothing can be seen."""
    return bool(pixels.min() == pixels.max())


def frame_faults(pixels: UInt8Array) -> tuple[str, ...]:
    """What is wrong with a frame's light, for its notes; empty if nothing is.

    Parameters
    ----------
    pixels
        ``(H, W)`` uint8, at least one pixel.
    """
    if is_blank(pixels):
        return (f"blank: every pixel is {int(pixels.flat[0])}",)
    faults = []
    for value, name in ((255, "white"), (0, "black")):
        share = float(np.mean(pixels == value))
        if share >= SATURATED:
            faults.append(
                f"saturated: {share:.0%} of the pixels are {name}; what was there is lost"
            )
    return tuple(faults)

"""A field as a detector sees it: heads of one length, contrast instead of grey."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from androscope.imaging.blobs import BLOCK
from androscope.imaging.filters import background, resample
from androscope.types import FloatArray, UInt8Array

__all__ = ["DETECTOR_PX", "LIMIT", "ContrastView", "contrast_view"]

#: How long a normal head is in the view, px.
DETECTOR_PX = 16.0

#: Contrasts beyond this, either way, are cut: glints say no more than that they are bright.
LIMIT = 1.5

#: In dark field a background of a few grey levels would make everything a strong contrast.
_LEAST_GREY = 32.0


@dataclass(frozen=True, slots=True)
class ContrastView:
    """A field brought to one head length.

    Attributes
    ----------
    contrast
        ``(h, w)`` float32: difference from the background over the background (Weber's contrast),
        -``LIMIT`` to ``LIMIT``; 0 is empty field.
    scale
        ``(x, y)``: field px per view px.
    """

    contrast: FloatArray
    scale: tuple[float, float]

    def in_field(self, x: float, y: float) -> tuple[float, float]:
        """A place in the view, px from its first pixel's centre, as a place in the field."""
        return (x + 0.5) * self.scale[0] - 0.5, (y + 0.5) * self.scale[1] - 0.5

    def in_view(self, x: float, y: float) -> tuple[float, float]:
        """A place in the field as a place in the view."""
        return (x + 0.5) / self.scale[0] - 0.5, (y + 0.5) / self.scale[1] - 0.5


def contrast_view(pixels: UInt8Array, head_length: float) -> ContrastView:
    """Bring a field ``(H, W)`` uint8, whose heads are ``head_length`` px long, to the detector.

    Shrinking averages, enlarging is bicubic. The contrast of a place depends on what lies within
    some head lengths of it, never on the rest of the field.
    """
    height, width = pixels.shape
    factor = DETECTOR_PX / head_length
    grey = pixels.astype(np.float32)
    if factor > 1:
        size = max(1, round(width * factor)), max(1, round(height * factor))
        view = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC), np.float32)
    else:
        view = resample(grey, factor)
    ground = background(view, BLOCK * DETECTOR_PX)
    contrast = (view - ground) / np.maximum(ground, _LEAST_GREY)
    return ContrastView(
        np.clip(contrast, -LIMIT, LIMIT), (width / view.shape[1], height / view.shape[0])
    )

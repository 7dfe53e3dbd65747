"""How large heads are in a field: from its pixel size, from the user, or from the heads found.

Grading looks at a head about 38 px long in a crop of 64; how many pixels of a field make that is
the only thing a field has to be asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from androscope.imaging.locate import locate
from androscope.imaging.located import Finder
from androscope.imaging.phantom import PIXEL_SIZE_UM
from androscope.imaging.phantom_spec import PhantomSperm
from androscope.types import UInt8Array

__all__ = ["HEAD_UM", "MIN_HEAD_PX", "FieldScale", "estimate_head_length", "field_scale"]

#: Length of a normal head, um: the middle of WHO's range of normal lengths, as phantoms have it.
HEAD_UM = PhantomSperm().head_length_um

#: Heads shorter than this in a field show too little to be graded, px.
MIN_HEAD_PX = 20.0

# Lengths that are tried when none is known: from what a filter can see to a quarter of the field.
_SMALLEST, _LARGEST, _STEP = 7.0, 160.0, 1.25
#: Outlines are measured best with a length a little too large, which leaves room around them.
_ROOM = 1.3
#: A length that is confirmed by outlines within this factor is a good one, as a logarithm.
_AGREEMENT = 0.25
_HEADS = 3
#: Lengths are tried on a window in the field's middle in which a head of 16 px would leave so many
#: pixels: short heads are many, and searching a large field for them takes seconds.
_WINDOW = 1_200_000


@dataclass(frozen=True, slots=True)
class FieldScale:
    """How long a normal head is in a field, px, and how that is known."""

    head_length: float
    origin: Literal["pixel size", "head length", "estimated"]

    @property
    def gradable(self) -> bool:
        """Whether heads are large enough for their morphology to be seen."""
        return self.head_length >= MIN_HEAD_PX

    @property
    def refusal(self) -> str | None:
        """Why morphology is refused, or ``None`` if it is not."""
        if self.gradable:
            return None
        how = {"estimated": ", estimated", "pixel size": " by the pixel size"}.get(self.origin, "")
        return (
            f"optics too coarse for morphology: a normal head is {self.head_length:.1f} px long"
            f"{how}, at least {MIN_HEAD_PX:g} are needed"
        )

    def enlargement(self, model_pixel_size_um: float | None = None) -> float:
        """Crop pixels per field pixel.

        Where the model's pixel size is not known, that of phantoms is taken, in which heads are as
        long as in MHSMA's crops.
        """
        return HEAD_UM / (model_pixel_size_um or PIXEL_SIZE_UM) / self.head_length


def field_scale(
    pixels: UInt8Array,
    *,
    pixel_size_um: float | None = None,
    head_length: float | None = None,
    find: Finder = locate,
) -> FieldScale | None:
    """Scale of a field, by what is known of it; estimated if nothing is.

    Parameters
    ----------
    pixels
        ``(H, W)`` uint8.
    pixel_size_um
        um/px; 0.05 to 2, as heads would be 88 to 2.2 px long.
    head_length
        Length of a normal head, px; believed before the pixel size.
    find
        What finds heads, for the estimate.

    Returns
    -------
    FieldScale or None
        ``None`` if nothing is known and there are too few heads to estimate it from.

    Raises
    ------
    ValueError
        If a number is not finite and above 0.
    """
    for name, value in (("pixel_size_um", pixel_size_um), ("head_length", head_length)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be above 0, got {value}")
    if head_length is not None:
        return FieldScale(head_length, "head length")
    if pixel_size_um is not None:
        return FieldScale(HEAD_UM / pixel_size_um, "pixel size")
    estimated = estimate_head_length(pixels, find)
    return None if estimated is None else FieldScale(estimated, "estimated")


def estimate_head_length(pixels: UInt8Array, find: Finder = locate) -> float | None:
    """Length of a typical head, px, from the heads themselves; ``None`` with fewer than three.

    Lengths are tried one after the other. The one under which most was found that looks like single
    heads of about that length is right; the median of what is measured with it is returned. It is
    good on dark, separate heads. Heads that look bright in a dark rim, that touch, or lie among
    debris as large as they are mislead it, up to two thirds too long on phantom fields.
    """
    best, quality = None, 0.0
    length = _SMALLEST
    largest = min(_LARGEST, min(pixels.shape) / 4)
    while length <= largest:
        window = _middle(pixels, length)
        found = [item for item in find(window, length).items if not item.flags]
        if len(found) >= _HEADS:
            ratio = float(np.median([item.length for item in found])) / length
            agreement = math.exp(-0.5 * (math.log(ratio) / _AGREEMENT) ** 2)
            share = window.size / pixels.size
            total = agreement * sum(item.score for item in found) / share
            if total > quality:
                best, quality = length, total
        length *= _STEP
    if best is None:
        return None
    window = _middle(pixels, best)
    measured = [item.length for item in find(window, _ROOM * best).items if not item.flags]
    return float(np.median(measured)) if len(measured) >= _HEADS else best


def _middle(pixels: UInt8Array, length: float) -> UInt8Array:
    """The field, or so much of its middle as ``_WINDOW`` allows for heads of ``length`` px."""
    share = math.sqrt(min(1.0, _WINDOW * (length / 16) ** 2 / pixels.size))
    height, width = (max(1, round(side * share)) for side in pixels.shape)
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]

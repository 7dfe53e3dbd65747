"""How large heads are in a field: from its pixel size, from the user, or from the heads found.

Grading looks at a head about 38 px long in a crop of 64; how many pixels of a field make that is
the only thing a field has to be asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from androscope.imaging.head_estimate import HeadEstimate, estimate_head_length
from androscope.imaging.phantom import PIXEL_SIZE_UM
from androscope.imaging.phantom_spec import PhantomSperm
from androscope.imaging.pixel_size import believed, disagreement
from androscope.types import UInt8Array

__all__ = [
    "HEAD_UM",
    "IN_DOUBT",
    "LENGTH_SAID_OTHERWISE",
    "MIN_HEAD_PX",
    "FieldScale",
    "contradiction",
    "field_scale",
    "scale_of",
]

#: Length of a normal head, um: the middle of WHO's range of normal lengths, as phantoms have it.
HEAD_UM = PhantomSperm().head_length_um

#: Heads shorter than this in a field show too little to be graded, px.
MIN_HEAD_PX = 20.0

#: An estimate from one field may be so much too short: alone it refuses nothing near the limit.
_LONE = 1.2

#: A known scale that the heads found contradict by this factor is in doubt; heads differ, and so
#: do estimates.
_DOUBTED = 1.35
#: Heads that such an estimate needs.
_ENOUGH = 5
#: Normal heads are 3.7 to 5 um long: a head length given may differ so much from the file's scale.
_HEADS_DIFFER = 1.25

#: How the notes begin, by which reports find them.
IN_DOUBT = "the heads found are about"
LENGTH_SAID_OTHERWISE = "the head length given"


@dataclass(frozen=True, slots=True)
class FieldScale:
    """How long a normal head is in a field, px, and how that is known.

    Attributes
    ----------
    head_length, origin
        px, and whence.
    pixel_size_um
        Of the field, if it is known, um/px; also where a head length was believed before it.
    fields
        From how many fields the scale was estimated.
    notes
        What speaks against the scale, and what was not believed.
    """

    head_length: float
    origin: Literal["pixel size", "head length", "estimated"]
    pixel_size_um: float | None = None
    fields: int = 1
    notes: tuple[str, ...] = ()

    @property
    def gradable(self) -> bool:
        """Whether heads are large enough for their morphology to be seen."""
        lone = self.origin == "estimated" and self.fields == 1
        return self.head_length >= (MIN_HEAD_PX / _LONE if lone else MIN_HEAD_PX)

    @property
    def in_doubt(self) -> bool:
        """Whether the heads found contradict it."""
        return any(note.startswith(IN_DOUBT) for note in self.notes)

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
    stated_um: float | None = None,
    pixel_size_um: float | None = None,
    head_length: float | None = None,
) -> FieldScale | None:
    """Scale of one field, by what is known of it and by its heads: see :func:`scale_of`.

    ``pixels`` is ``(H, W)`` uint8.
    """
    estimate = estimate_head_length(pixels)
    return scale_of(
        [] if estimate is None else [estimate],
        stated_um=stated_um,
        pixel_size_um=pixel_size_um,
        head_length=head_length,
    )


def scale_of(
    estimates: Sequence[HeadEstimate],
    *,
    stated_um: float | None = None,
    pixel_size_um: float | None = None,
    head_length: float | None = None,
) -> FieldScale | None:
    """Scale of fields of one microscope, by what is known of them; estimated if nothing is.

    Parameters
    ----------
    estimates
        Of the fields, or of some of them. Their median is the scale if nothing is known; else what
        is known is held against it.
    stated_um
        Pixel size that the files state, um/px.
    pixel_size_um
        The same as the user gave it, where files do not state it: theirs is believed first.
    head_length
        Length of a normal head, px, as the user gave it; believed before both. It is how a file
        that is wrong is overruled.

    Returns
    -------
    FieldScale or None
        ``None`` if nothing is known and there is no estimate.

    Raises
    ------
    ValueError
        If a number is not finite and above 0.
    """
    known = {"pixel_size_um": pixel_size_um, "head_length": head_length, "stated_um": stated_um}
    for name, value in known.items():
        if value is not None and not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be above 0, got {value}")
    size = believed(stated_um, pixel_size_um)
    differs = disagreement(stated_um, pixel_size_um)
    notes: tuple[str, ...] = () if differs is None else (differs,)
    typical = median(estimate.length for estimate in estimates) if estimates else None
    if head_length is not None:
        scale = FieldScale(head_length, "head length", size)
        by_size = None if size is None else HEAD_UM / size
        if by_size is not None and not _alike(by_size, head_length, _HEADS_DIFFER):
            notes += (
                f"{LENGTH_SAID_OTHERWISE}, {head_length:.4g} px, is not that by the pixel size "
                f"({size:.4g} um), {by_size:.0f} px: the length given was used",
            )
    elif size is not None:
        scale = FieldScale(HEAD_UM / size, "pixel size", size)
    elif typical is not None:
        return FieldScale(typical, "estimated", fields=len(estimates))
    else:
        return None
    if typical is not None and sum(estimate.heads for estimate in estimates) >= _ENOUGH:
        doubt = contradiction(scale, typical)
        notes += () if doubt is None else (doubt,)
    return replace(scale, notes=notes)


def contradiction(scale: FieldScale, typical: float) -> str | None:
    """A note where heads found are clearly longer or shorter, px, than the scale says."""
    if scale.origin == "estimated" or _alike(typical, scale.head_length, _DOUBTED):
        return None
    return (
        f"{IN_DOUBT} {typical:.0f} px long, by the {scale.origin} a head is "
        f"{scale.head_length:.0f} px: check it"
    )


def _alike(one: float, other: float, factor: float) -> bool:
    return 1 / factor < one / other < factor

"""A field of view taken apart: what was found, what can be graded, and why the rest is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from androscope.imaging.chroma import chroma_within
from androscope.imaging.field_crop import cut_crop
from androscope.imaging.frame import frame_faults
from androscope.imaging.head_scale import (
    IN_DOUBT,
    MIN_HEAD_PX,
    FieldScale,
    contradiction,
    field_scale,
)
from androscope.imaging.locate import locate
from androscope.imaging.located import Finder, Flag, Located
from androscope.types import Crop, GreyImage, UInt8Array
from androscope.types import Flag as CheckFlag

__all__ = ["NOT_FOUND", "Field", "FieldItem", "read_field"]

#: Why a thing found is not graded, the first that holds.
REASONS: Mapping[Flag, str] = {
    "round": "a round cell by its size and shape, not a sperm",
    "debris": "too small for a head: debris",
    "edge": "the head is cut by the frame's edge",
    "overlapping": "touches another head, or cannot be told from its surroundings",
}

#: So many single heads found tell whether the scale is right.
_ENOUGH = 5

NOT_FOUND = "nothing that looks like a sperm was found"
_NEAR = (
    f"heads under {MIN_HEAD_PX:g} px are too short for morphology; one field's estimate cannot "
    "tell that these are, and they were graded: give the pixel size"
)
_NO_SCALE = (
    "too few heads were found to estimate the scale from: give the pixel size or the length of a "
    "head"
)


@dataclass(frozen=True, slots=True)
class FieldItem:
    """One thing found in a field: where, and its crop, or the reason why it is not graded.

    Attributes
    ----------
    located
        Where, in the picture that its crop was cut from.
    crop, excluded
        Its crop, or why it is not graded.
    flags
        The checks that its crop did not pass, if that is why.
    frame
        Of a video: the number of the frame that ``located`` and the crop are from.
    in_picture
        Of a video: where it is in the field's picture, which is another frame.
    """

    located: Located
    crop: Crop | None = None
    excluded: str | None = None
    flags: tuple[CheckFlag, ...] = ()
    frame: int | None = None
    in_picture: Located | None = None

    @property
    def drawn(self) -> Located:
        """Where it is in the field's picture."""
        return self.in_picture or self.located


@dataclass(frozen=True, slots=True)
class Field:
    """What was found in one picture.

    Attributes
    ----------
    source, index
        As of the picture; of a video the number of the frame that is its picture.
    size
        ``(width, height)``, px.
    scale
        How large heads are; ``None`` if it is neither known nor to be estimated.
    items
        Sperm, graded or not, and what is none, the clearest first.
    notes
        What a reader should know of the field as a whole, refusals among it.
    pixels
        ``(H, W)`` uint8, for the overlay.
    located_by
        What looked for heads; ``None`` if nothing did.
    """

    source: str
    index: int | None
    size: tuple[int, int]
    scale: FieldScale | None
    items: tuple[FieldItem, ...] = ()
    notes: tuple[str, ...] = ()
    pixels: UInt8Array | None = field(default=None, repr=False, compare=False)
    located_by: str | None = None

    @property
    def name(self) -> str:
        """``source``, with ``[index]`` behind it for a page, a row or a frame."""
        return self.source if self.index is None else f"{self.source}[{self.index}]"

    def index_of(self, item: FieldItem) -> int | None:
        """Page or frame that an item's place and crop are from."""
        return self.index if item.frame is None else item.frame

    @property
    def sperm(self) -> tuple[FieldItem, ...]:
        """What counts as sperm, graded or not."""
        return tuple(item for item in self.items if item.located.is_sperm)

    @property
    def gradable(self) -> tuple[FieldItem, ...]:
        """What has a crop."""
        return tuple(item for item in self.items if item.crop is not None)


def read_field(
    image: GreyImage,
    *,
    pixel_size_um: float | None = None,
    head_length: float | None = None,
    model_pixel_size_um: float | None = None,
    size: int = 64,
    scale: FieldScale | None = None,
    find: Finder = locate,
) -> Field:
    """Find the sperm of a picture and cut a crop of each that can be graded.

    Parameters
    ----------
    image
        The field.
    pixel_size_um, head_length
        See :func:`~androscope.imaging.head_scale.scale_of`; a pixel size given here counts where
        the picture states none, a head length before both.
    model_pixel_size_um, size
        Geometry of the model's crops.
    scale
        If it is known already, from other fields of the sample or an earlier frame of the video.
    find
        What finds heads; default: the classical filter, which needs no model.
    """
    pixels = image.pixels
    shape = pixels.shape[1], pixels.shape[0]
    if scale is None:
        scale = field_scale(
            pixels,
            stated_um=image.pixel_size_um,
            pixel_size_um=pixel_size_um,
            head_length=head_length,
        )
    if scale is None or scale.head_length <= 3:
        why = (
            (_NO_SCALE,)
            if scale is None
            else (*scale.notes, f"morphology refused: {scale.refusal}")
        )
        notes = (*image.notes, *frame_faults(pixels), NOT_FOUND, *why)
        return Field(image.source, image.index, shape, scale, (), notes, pixels)
    notes = (*image.notes, *frame_faults(pixels), *scale.notes)
    if scale.origin == "estimated":
        notes += (f"scale estimated from the heads found: {scale.head_length:.1f} px a head",)
        if scale.gradable and scale.head_length < MIN_HEAD_PX:
            notes += (_NEAR,)
    refusal = scale.refusal
    if refusal is not None:
        notes += (f"morphology refused: {refusal}",)
    found = find(pixels, scale.head_length)
    lengths = [item.length for item in found.sperm if not item.flags]
    if len(lengths) >= _ENOUGH and not any(note.startswith(IN_DOUBT) for note in notes):
        doubt = contradiction(scale, median(lengths))
        notes += () if doubt is None else (doubt,)
    enlargement = scale.enlargement(model_pixel_size_um)
    items = tuple(
        _item(image, item, number, refusal, enlargement, size)
        for number, item in enumerate(found.items, start=1)
    )
    if not any(item.located.is_sperm for item in items):
        notes += (NOT_FOUND,)
    return Field(image.source, image.index, shape, scale, items, notes, pixels, found.by)


def _item(
    image: GreyImage,
    located: Located,
    number: int,
    refusal: str | None,
    enlargement: float,
    size: int,
) -> FieldItem:
    for flag, reason in REASONS.items():
        if flag in located.flags:
            return FieldItem(located, excluded=reason)
    if refusal is not None:
        return FieldItem(located, excluded=refusal)
    pixels, outside = cut_crop(image.pixels, (located.x, located.y), enlargement, size)
    notes = (*image.notes, f"cut from a field at ({located.x:.0f}, {located.y:.0f}) px")
    if outside > 0.005:
        notes += (f"{outside:.0%} of the crop lies outside the field; its edge is repeated",)
    page = "" if image.index is None else f"[{image.index}]"
    half = size / enlargement / 2
    left, top = located.x + 0.5 - half, located.y + 0.5 - half
    crop = Crop(
        pixels,
        f"{image.source}{page}#{number}",
        notes=notes,
        chroma=chroma_within(image.chroma, left, top, left + 2 * half, top + 2 * half),
    )
    return FieldItem(located, crop=crop)

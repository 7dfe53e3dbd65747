"""A sample's pictures as the pages show them: what was found, where, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass

from androscope.imaging.located import Located
from androscope.records.standing import outcome_by
from androscope.records.types import CropRecord, Image
from androscope.web.texts import text

__all__ = ["Box", "FieldView", "box_of", "field_of", "outcome_of", "says_of"]


@dataclass(frozen=True, slots=True)
class Box:
    """A find with its box, px of the picture; a crop of one sperm is its own box."""

    record: CropRecord
    image: Image
    outcome: str
    says: str
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field of view and everything found in it."""

    image: Image
    boxes: tuple[Box, ...]


def outcome_of(crop: CropRecord) -> str:
    """``normal``, ``abnormal``, ``undecided`` or ``excluded``, by the verdicts that stand."""
    return outcome_by(crop.is_sperm, crop.verdicts)


def says_of(crop: CropRecord) -> str:
    """What is said of a find, in words: each part with the model's probability, or why not."""
    if crop.opinion.excluded is not None:
        words = crop.opinion.excluded
    elif not crop.is_sperm:
        words = text("find.no_sperm")
    else:
        words = ", ".join(
            text(
                "find.part",
                part=part.label,
                verdict=text(f"outcome.{crop.verdicts[part.label].value}"),
                probability=f"{part.probability:.2f}",
            )
            for part in crop.opinion.parts
        )
    return text("find.says", number=crop.number, words=words)


def box_of(crop: CropRecord, image: Image) -> Box:
    """A find with its box."""
    said = crop.opinion
    if said.x is None or said.y is None:
        return Box(crop, image, outcome_of(crop), says_of(crop))
    located = Located(
        said.x, said.y, said.length or 0.0, said.width or 0.0, said.angle_deg or 0.0, 1.0
    )
    left, top, right, bottom = located.box
    margin = 0.15 * (said.length or 0.0)
    return Box(
        crop,
        image,
        outcome_of(crop),
        says_of(crop),
        left - margin,
        top - margin,
        right - left + 2 * margin,
        bottom - top + 2 * margin,
    )


def field_of(image: Image, crops: tuple[CropRecord, ...]) -> FieldView:
    """A field with its boxes."""
    return FieldView(image, tuple(box_of(crop, image) for crop in crops))

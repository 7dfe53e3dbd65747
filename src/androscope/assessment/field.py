"""A field of view with the verdicts on what was found in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from androscope.assessment.ways_out import BLANK
from androscope.errors import NothingFoundError
from androscope.imaging.crop import MAX_SIDE
from androscope.imaging.field import Field, FieldItem
from androscope.imaging.read import failure_of
from androscope.types import Assessment, Failure, FieldSummary

__all__ = ["GradedField", "nothing_found"]

_HOW_LARGE = "Say how large heads are: --pixel-size or --head-length"
_ONE_SPERM = (
    "If it shows one sperm, cut a square of about 1.7 head lengths around its head: a picture over "
    f"{MAX_SIDE} px is taken for a field, and --fields takes any"
)


@dataclass(frozen=True, slots=True)
class GradedField:
    """What was found in one picture, and what the model says of it.

    Attributes
    ----------
    field
        The picture and everything found in it.
    assessments
        One for each of ``field.items``: verdicts, or ``None`` where the item is not graded, for the
        reason in the item's ``excluded``.
    """

    field: Field
    assessments: tuple[Assessment | None, ...]

    def __post_init__(self) -> None:
        if len(self.assessments) != len(self.field.items):
            raise ValueError(
                f"{len(self.field.items)} items need as many assessments, got "
                f"{len(self.assessments)}"
            )

    def without_pixels(self) -> GradedField:
        """The same without the picture and the crops: some kB, however large the field was."""
        items = tuple(replace(item, crop=None) for item in self.field.items)
        return replace(self, field=replace(self.field, pixels=None, items=items))

    @property
    def graded(self) -> Iterator[tuple[FieldItem, Assessment]]:
        """Each item that was graded, with its verdicts."""
        for item, assessment in zip(self.field.items, self.assessments, strict=True):
            if assessment is not None:
                yield item, assessment

    @property
    def excluded(self) -> Mapping[str, int]:
        """Why things found were not graded, and how many for each reason; the commonest first."""
        counts = Counter(item.excluded for item in self.field.items if item.excluded)
        return {str(reason): count for reason, count in counts.most_common()}

    @property
    def summary(self) -> FieldSummary:
        """What it held, without pictures and places."""
        scale = self.field.scale
        return FieldSummary(
            source=self.field.source,
            index=self.field.index,
            located=len(self.field.sperm),
            graded=len(list(self.graded)),
            head_length_px=None if scale is None else scale.head_length,
            scale_from=None if scale is None else scale.origin,
            not_graded=self.excluded,
            notes=self.field.notes,
        )


def nothing_found(graded: GradedField) -> Failure | None:
    """The record of a field in which no sperm was graded; ``None`` for any other.

    For who asked for verdicts that is a failure: without it the picture's name would stand nowhere
    in the results. For who counts a sample (``androscope report``) an empty field is a result.
    """
    if any(graded.graded):
        return None
    field = graded.field
    why = [f"{number}: {reason}" for reason, number in graded.excluded.items()]
    said = "; ".join((f"{len(field.sperm)} located", *why, *field.notes))
    advice = []
    if any(note.startswith("blank") for note in field.notes):
        advice.append(BLANK)
    elif field.scale is None or field.scale.origin == "estimated":
        advice.append(_HOW_LARGE)
    if field.pixels is not None and BLANK not in advice:  # a video shows no single sperm
        advice.append(_ONE_SPERM)
    error = NothingFoundError(
        f"taken as a field of view, and no sperm could be graded in it: {said}",
        advice=". ".join(advice) or "--overlay and --located show what was found",
    )
    return failure_of(error, field.source, field.index)

"""A field of view with the verdicts on what was found in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from androscope.imaging.field import Field, FieldItem
from androscope.types import Assessment

__all__ = ["GradedField"]


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

"""What was found in a field: heads with their axes, and what is to be known of each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from androscope.types import UInt8Array

__all__ = ["NOT_SPERM", "Finder", "Flag", "Found", "Located"]

#: What is said of a thing found. ``debris`` and ``round`` are no sperm; ``edge`` is cut by the
#: frame; ``overlapping`` touches another head.
Flag = Literal["edge", "overlapping", "round", "debris"]

NOT_SPERM: frozenset[Flag] = frozenset({"round", "debris"})


@dataclass(frozen=True, slots=True)
class Located:
    """One thing found in a field.

    Attributes
    ----------
    x, y
        Centre of the head, px from the first pixel's centre.
    length, width
        Axes of the head, px.
    angle_deg
        Direction of its long axis, 0 to 180, anticlockwise from the right.
    score
        Height of its peak over the mean of the field's strongest ones; 0 to about 2.
    flags
        What is to be known of it.
    """

    x: float
    y: float
    length: float
    width: float
    angle_deg: float
    score: float
    flags: frozenset[Flag] = frozenset()

    @property
    def is_sperm(self) -> bool:
        """Whether it counts as a sperm at all."""
        return not self.flags & NOT_SPERM

    @property
    def box(self) -> tuple[float, float, float, float]:
        """``(left, top, right, bottom)`` around the head's ellipse, px from the corner."""
        angle = math.radians(self.angle_deg)
        across = math.hypot(self.length * math.cos(angle), self.width * math.sin(angle)) / 2
        down = math.hypot(self.length * math.sin(angle), self.width * math.cos(angle)) / 2
        x, y = self.x + 0.5, self.y + 0.5
        return x - across, y - down, x + across, y + down


@dataclass(frozen=True, slots=True)
class Found:
    """Everything found in a field, sperm or not, and how.

    Attributes
    ----------
    items
        The strongest first.
    head_length
        Length of a normal head that was looked for, px.
    sign
        See :class:`Blobs`.
    by
        What found it, as a report names it.
    """

    items: tuple[Located, ...]
    head_length: float
    sign: int
    by: str = "a classical filter"

    @property
    def sperm(self) -> tuple[Located, ...]:
        """What counts as sperm."""
        return tuple(item for item in self.items if item.is_sperm)


#: Finds everything in a field ``(H, W)`` uint8 whose normal heads are so many px long.
Finder = Callable[[UInt8Array, float], Found]

"""Frames in which every sperm is marked: boxes, frames, and what a set of them may be used for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from androscope.errors import DatasetUseError
from androscope.imaging.read import read_image
from androscope.types import UInt8Array

__all__ = ["Box", "BoxKind", "LocatedFrame", "LocatedFrames", "Microscopy", "Role"]

BoxKind = Literal["sperm", "small-head", "cluster", "impurity"]
Microscopy = Literal["bright-field", "phase-contrast"]
#: What a set may be used for: ``"any"``, or ``"evaluation"`` alone.
Role = Literal["any", "evaluation"]


@dataclass(frozen=True, slots=True)
class Box:
    """A box around a head, or around what is no single sperm; edges in px of the frame.

    Edges count from the frame's top left corner: the first pixel reaches from 0 to 1.
    """

    left: float
    top: float
    right: float
    bottom: float
    kind: BoxKind = "sperm"

    def __post_init__(self) -> None:
        if not (self.left < self.right and self.top < self.bottom):
            raise ValueError(
                f"expected left < right and top < bottom, got {self.left:g} {self.top:g} "
                f"{self.right:g} {self.bottom:g}"
            )

    @property
    def centre(self) -> tuple[float, float]:
        """``(x, y)`` in px from the top left pixel's *centre*, as everything found is given."""
        return (self.left + self.right) / 2 - 0.5, (self.top + self.bottom) / 2 - 0.5

    def holds(self, x: float, y: float) -> bool:
        """Whether a point, in px from the top left pixel's centre, lies in the box."""
        return self.left <= x + 0.5 <= self.right and self.top <= y + 0.5 <= self.bottom


@dataclass(frozen=True, slots=True)
class LocatedFrame:
    """One frame of a video: its file, its size ``(width, height)`` in px and its boxes."""

    video: str
    id: str
    path: Path
    size: tuple[int, int]
    boxes: tuple[Box, ...]

    def pixels(self) -> UInt8Array:
        """``(H, W)`` uint8 grey. Raises :class:`~androscope.errors.ImageError`."""
        return read_image(self.path).pixels

    def of_kind(self, kinds: Iterable[BoxKind]) -> tuple[Box, ...]:
        """The boxes of these kinds, in the file's order."""
        wanted = frozenset(kinds)
        return tuple(box for box in self.boxes if box.kind in wanted)


@dataclass(frozen=True, slots=True)
class LocatedFrames:
    """A published set of frames with boxes.

    Attributes
    ----------
    name
        Short name; also its folder's.
    frames
        In order of video and time. Frames of one video are near-duplicates of one another:
        scores belong to videos.
    microscopy
        How all of it was seen.
    role
        Whether it may be trained on.
    licence, citation, source
        As the publisher gives them.
    """

    name: str
    frames: tuple[LocatedFrame, ...]
    microscopy: Microscopy
    role: Role
    licence: str
    citation: str
    source: str

    @property
    def videos(self) -> tuple[str, ...]:
        """Names of the videos, in order."""
        return tuple(dict.fromkeys(frame.video for frame in self.frames))

    def of_video(self, video: str) -> tuple[LocatedFrame, ...]:
        """The frames of one video, in order of time."""
        return tuple(frame for frame in self.frames if frame.video == video)

    def for_training(self) -> tuple[LocatedFrame, ...]:
        """All frames, for fitting or choosing anything by them.

        Raises
        ------
        DatasetUseError
            If the set is for evaluation alone.
        """
        if self.role != "any":
            raise DatasetUseError(
                f"{self.name} is for evaluation only: expected a set that may be trained on "
                f"({self.licence})",
                advice="Train on visem or on phantom fields, and score on this set",
            )
        return self.frames

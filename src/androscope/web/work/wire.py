"""What the server and its working processes say to each other: lines of JSON, checked by both.

Nothing is unpickled: a process that a hostile image took over can send wrong verdicts, not code.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from androscope.records.clean import CleanPicture
from androscope.records.types import Find, StoredModel
from androscope.types import Failure, Flag, PartVerdict, UInt8Array

__all__ = [
    "DecodeTask",
    "Decoded",
    "GradeTask",
    "Graded",
    "Heat",
    "HeatTask",
    "Reply",
    "Stopped",
    "Task",
    "WireFind",
    "WirePicture",
    "read_reply",
    "read_task",
    "square",
]


class _Message(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )


class DecodeTask(_Message):
    """Decode a received file."""

    do: Literal["decode"] = "decode"
    path: str
    name: str


class GradeTask(_Message):
    """Grade a picture that is kept."""

    do: Literal["grade"] = "grade"
    path: str
    name: str
    pixel_size_um: float | None = None
    given_pixel_size_um: float | None = Field(None, description="As the user said, um/px.")
    head_length: float | None = None
    taken_as: Literal["by size", "crops", "fields"] = "by size"
    model: str | None = None
    error_rate: float | None = None
    chroma: bytes | None = Field(None, description="PNG of how coloured each block was.")
    grade_anyway: bool = Field(False, description="What does not pass the checks as well.")


class HeatTask(_Message):
    """Draw where the model looked in a crop that was graded; the crop is square."""

    do: Literal["heat"] = "heat"
    pixels: bytes
    label: str
    parts: tuple[PartVerdict, ...] = Field(description="As recorded, of every label.")
    flags: tuple[Flag, ...] = Field(description="As recorded.")
    model: str | None
    graded_by: str = Field(description="Name and version; no other model is asked.")


class Heat(_Message):
    """A map over its crop, as a PNG."""

    said: Literal["heat"] = "heat"
    png: bytes


class WirePicture(_Message):
    """One decoded picture."""

    png: bytes
    index: int | None
    pixel_size_um: float | None
    notes: tuple[str, ...]
    chroma: bytes | None = None

    @classmethod
    def of(cls, picture: CleanPicture) -> WirePicture:
        """From what the records take."""
        return cls(**{name: getattr(picture, name) for name in cls.model_fields})

    def picture(self) -> CleanPicture:
        """Back to what the records take."""
        return CleanPicture(**{name: getattr(self, name) for name in type(self).model_fields})


class Decoded(_Message):
    """What a file holds, in its order, and its hash."""

    said: Literal["decoded"] = "decoded"
    sha256: str
    pictures: tuple[WirePicture | Failure, ...]


class WireFind(_Message):
    """One thing found; the crop is square, its pixels row by row."""

    x: float | None
    y: float | None
    length: float | None
    width: float | None
    angle_deg: float | None
    pixels: bytes
    parts: tuple[PartVerdict, ...]
    flags: tuple[Flag, ...]
    notes: tuple[str, ...]
    excluded: str | None
    is_sperm: bool

    @classmethod
    def of(cls, find: Find) -> WireFind:
        """From what the records take."""
        facts = {name: getattr(find, name) for name in cls.model_fields if name != "pixels"}
        return cls(pixels=b"" if find.pixels is None else find.pixels.tobytes(), **facts)

    def find(self) -> Find:
        """Back to what the records take."""
        facts = {name: getattr(self, name) for name in type(self).model_fields if name != "pixels"}
        return Find(pixels=self._square(), **facts)

    def _square(self) -> UInt8Array | None:
        return square(self.pixels) if self.pixels else None


class Graded(_Message):
    """What was found in a picture, and what graded it."""

    said: Literal["graded"] = "graded"
    kind: Literal["field", "crop"]
    finds: tuple[WireFind, ...]
    notes: tuple[str, ...]
    head_length_px: float | None
    scale_origin: str | None
    model: StoredModel


class Stopped(_Message):
    """The task cannot be done; the process goes on."""

    said: Literal["stopped"] = "stopped"
    code: str
    reason: str
    advice: str | None = None


Task = Annotated[DecodeTask | GradeTask | HeatTask, Field(discriminator="do")]
Reply = Annotated[Decoded | Graded | Heat | Stopped, Field(discriminator="said")]

_TASK: TypeAdapter[DecodeTask | GradeTask | HeatTask] = TypeAdapter(Task)
_REPLY: TypeAdapter[Decoded | Graded | Heat | Stopped] = TypeAdapter(Reply)


def square(pixels: bytes) -> UInt8Array:
    """A square picture from its bytes, row by row."""
    side = math.isqrt(len(pixels))
    return np.frombuffer(pixels, np.uint8).reshape(side, side)


def read_task(line: bytes) -> DecodeTask | GradeTask | HeatTask:
    """Parse a task. Raises pydantic's :class:`ValidationError`."""
    return _TASK.validate_json(line)


def read_reply(line: bytes) -> Decoded | Graded | Heat | Stopped:
    """Parse a reply. Raises pydantic's :class:`ValidationError`."""
    return _REPLY.validate_json(line)

"""What the API says of images that were graded at once and not kept."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from androscope.client.shapes import FailureOut, FlagOut, PartOut

__all__ = ["AssessedOut", "FoundOut", "PictureOut"]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class FoundOut(_Shape):
    """One thing found in a picture, with the model's verdicts or why it was left out.

    Places and lengths are px of the field; null where the picture is a crop of one sperm.
    """

    x: float | None
    y: float | None
    length: float | None
    width: float | None
    angle_deg: float | None
    parts: list[PartOut]
    is_sperm: bool
    excluded: str | None
    flags: list[FlagOut]
    notes: list[str]


class PictureOut(_Shape):
    """One picture: a field with many sperm, or a crop of one."""

    name: str
    index: int | None
    kind: Literal["field", "crop"]
    model: str
    model_sha256: str
    found: list[FoundOut]
    notes: list[str]


class AssessedOut(_Shape):
    """Every picture is in exactly one of the two lists."""

    notice: str
    pictures: list[PictureOut]
    failures: list[FailureOut]

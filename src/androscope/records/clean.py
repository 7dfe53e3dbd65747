"""Files to pictures that hold nothing but pixels: what is kept of an upload.

A picture is kept as it is graded, 8-bit grey, in a PNG of the chunks ``IHDR``, ``IDAT`` and
``IEND`` alone: no EXIF, no TIFF tag, no text, no name. Grading it again gives what grading the file
gave. Of the file its SHA-256 stays, so that a lab can prove which file it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from androscope.types import Failure

__all__ = ["CleanPicture", "clean_pictures"]


@dataclass(frozen=True, slots=True)
class CleanPicture:
    """One picture to be kept: a PNG of nothing but pixels, and what its file said of them."""

    png: bytes = field(repr=False)
    sha256: str
    original_sha256: str
    width: int
    height: int
    index: int | None = None
    pixel_size_um: float | None = None
    notes: tuple[str, ...] = ()


def clean_pictures(content: bytes, name: str) -> tuple[CleanPicture | Failure, ...]:
    """Decode a file and keep its pixels; one item for each of its pictures, none raises.

    Pure, and picklable in and out: decode hostile files in a process of its own.
    """
    raise NotImplementedError

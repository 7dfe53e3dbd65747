"""Files to pictures that hold nothing but pixels: what is kept of an upload.

A picture is kept as it is graded, 8-bit grey, in a PNG of the chunks ``IHDR``, ``IDAT`` and
``IEND`` alone: no EXIF, no TIFF tag, no text, no name. Grading it again gives what grading the file
gave. Of the file its SHA-256 stays, so that a lab can prove which file it was.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from androscope.imaging.crop import looks_like_field
from androscope.imaging.one_field import one_per_field
from androscope.imaging.read import read_images
from androscope.records.chain import digest
from androscope.records.opinions import encode_png
from androscope.settings import Settings
from androscope.types import Failure

__all__ = ["CleanFile", "CleanPicture", "check_clean", "clean_file"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class CleanPicture:
    """One picture to be kept: a PNG of nothing but pixels, and what its file said of them.

    ``chroma`` is a second such PNG: how coloured each block of a coloured picture was, which the
    checks before grading ask for; ``None`` for a grey one.
    """

    png: bytes = field(repr=False)
    index: int | None = None
    pixel_size_um: float | None = None
    notes: tuple[str, ...] = ()
    chroma: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CleanFile:
    """What is kept of a file: its name and hash, and its pictures or why one could not be used."""

    name: str
    sha256: str
    pictures: tuple[CleanPicture | Failure, ...]


def clean_file(content: bytes, name: str, *, settings: Settings | None = None) -> CleanFile:
    """Decode a file and keep its pixels. No picture raises: those that cannot be used are failures.

    Pages that show one field give one picture.

    Pure, and picklable in and out: decode files from outside in a process of its own.

    Parameters
    ----------
    name
        Of the file, as given; it is never opened.
    settings
        ``max_pixels`` counts; default: the environment's.
    """
    pictures: list[CleanPicture | Failure] = []
    read = read_images(content, name=name, settings=settings)
    for item in one_per_field(read, looks_like_field):
        if isinstance(item, Failure):
            pictures.append(item)
            continue
        size = item.pixel_size_um
        known = size is not None and math.isfinite(size) and size > 0
        pictures.append(
            CleanPicture(
                encode_png(item.pixels),
                item.index,
                size if known else None,
                tuple(item.notes),
                None if item.chroma is None else encode_png(item.chroma),
            )
        )
    return CleanFile(name, digest(content), tuple(pictures))


def check_clean(png: bytes) -> tuple[int, int]:
    """Width and height of a grey PNG that holds nothing but pixels.

    Raises
    ------
    ValueError
        If it holds any other chunk, is damaged, or is no 8-bit grey PNG.
    """
    chunks = list(_chunks(png))
    names = [name for name, _ in chunks]
    middle = set(names[1:-1])
    if names[:1] != [b"IHDR"] or names[-1:] != [b"IEND"] or middle != {b"IDAT"}:
        found = ", ".join(dict.fromkeys(name.decode("latin-1") for name in names)) or "nothing"
        raise ValueError(f"a picture to be kept holds IHDR, IDAT and IEND alone, got {found}")
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    if (depth, colour, interlace) != (8, 0, 0):
        raise ValueError(
            f"a picture to be kept is 8-bit grey, got {depth} bits of colour type {colour}"
        )
    return int(width), int(height)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not png.startswith(_SIGNATURE):
        raise ValueError("a picture to be kept is a PNG, got other bytes")
    place = len(_SIGNATURE)
    while place < len(png):
        head = png[place : place + 8]
        length = struct.unpack(">I", head[:4])[0] if len(head) == 8 else 0
        body = png[place + 8 : place + 8 + length]
        end = png[place + 8 + length : place + 12 + length]
        if len(end) != 4 or struct.unpack(">I", end)[0] != zlib.crc32(head[4:] + body):
            raise ValueError("a picture to be kept is damaged: a chunk is cut or altered")
        yield head[4:], body
        place += 12 + length

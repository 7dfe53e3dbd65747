"""Crops as PNG, as they were graded: in a folder, or inside a page."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path, PurePath

from androscope.files import write_bytes
from androscope.types import Crop, UInt8Array

__all__ = ["data_uri", "png_bytes", "thumbnail_name", "write_thumbnail"]


def png_bytes(pixels: UInt8Array) -> bytes:
    """Encode ``(H, W)`` uint8 as a grey PNG, without loss."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def data_uri(pixels: UInt8Array) -> str:
    """Give the PNG as a ``data:`` address, so that a page needs no other file."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(pixels)).decode("ascii")


def thumbnail_name(number: int, crop: Crop, *, flagged: bool = False) -> str:
    """Name a crop's file after its row in the table (from 1) and its source.

    With ``flagged`` behind it if it did not pass the checks and was graded all the same.

    Only letters, digits, ``._-`` of the source are kept, so that the name is good on every
    system; the number keeps names apart.
    """
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", PurePath(crop.source).stem)[:60].strip("._-")
    index = "" if crop.index is None else f"-{crop.index}"
    mark = "-flagged" if flagged else ""
    return f"{number:06d}-{stem or 'crop'}{index}{mark}.png"


def write_thumbnail(folder: str | Path, number: int, crop: Crop, *, flagged: bool = False) -> Path:
    """Write one crop into ``folder``, which is made if needed. Raises :class:`OutputError`."""
    path = Path(folder) / thumbnail_name(number, crop, flagged=flagged)
    write_bytes(path, png_bytes(crop.pixels))
    return path

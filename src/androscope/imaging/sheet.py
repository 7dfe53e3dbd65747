"""Many small pictures on one sheet, and PNG files without metadata."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from androscope.files import write_bytes
from androscope.types import UInt8Array

__all__ = ["contact_sheet", "png_bytes", "write_png"]

_GAP = 2
_CAPTION_PX = 13


def contact_sheet(
    crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    columns: int = 10,
    scale: int = 2,
    captions: Sequence[str] | None = None,
) -> UInt8Array:
    """Crops in rows on a black ground, each pixel enlarged without smoothing.

    Parameters
    ----------
    crops
        Pictures ``(H, W)`` or ``(H, W, 3)`` uint8, of one size or several; smaller ones are
        centred in their cell.
    columns
        Crops in a row; at least 1.
    scale
        Screen pixels per crop pixel; at least 1.
    captions
        A line under each crop, cut to the cell's width.

    Returns
    -------
    array
        ``(H, W)`` uint8, or ``(H, W, 3)`` if any crop has colour.

    Raises
    ------
    ValueError
        For no crops, another type or shape, or captions of another number.
    """
    pictures = [np.asarray(crop) for crop in crops]
    if not pictures or columns < 1 or scale < 1:
        raise ValueError(
            f"expected crops, and columns and scale of at least 1; got {len(pictures)} crops, "
            f"columns={columns}, scale={scale}"
        )
    for picture in pictures:
        if (
            picture.dtype != np.uint8
            or picture.ndim not in (2, 3)
            or picture.shape[2:]
            not in (
                (),
                (3,),
            )
        ):
            raise ValueError(
                f"expected uint8 crops (H, W) or (H, W, 3), got {picture.dtype} {picture.shape}"
            )
    if captions is not None and len(captions) != len(pictures):
        raise ValueError(f"expected {len(pictures)} captions, got {len(captions)}")
    colour = any(picture.ndim == 3 for picture in pictures)
    cell_height = max(picture.shape[0] for picture in pictures) * scale
    cell_width = max(picture.shape[1] for picture in pictures) * scale
    pitch_x = cell_width + _GAP
    pitch_y = cell_height + _GAP + (_CAPTION_PX if captions is not None else 0)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    shape: tuple[int, ...] = (rows * pitch_y - _GAP, columns * pitch_x - _GAP)
    sheet = np.zeros((*shape, 3) if colour else shape, np.uint8)
    for number, picture in enumerate(pictures):
        large = picture.repeat(scale, axis=0).repeat(scale, axis=1)
        if colour and large.ndim == 2:
            large = np.repeat(large[:, :, None], 3, axis=2)
        row, column = divmod(number, columns)
        top = row * pitch_y + (cell_height - large.shape[0]) // 2
        left = column * pitch_x + (cell_width - large.shape[1]) // 2
        sheet[top : top + large.shape[0], left : left + large.shape[1]] = large
    if captions is None:
        return sheet
    drawn = Image.fromarray(sheet)
    for number, caption in enumerate(captions):
        row, column = divmod(number, columns)
        strip = _caption(caption, cell_width, colour)
        drawn.paste(strip, (column * pitch_x, row * pitch_y + cell_height + 1))
    return np.asarray(drawn)


def _caption(text: str, width: int, colour: bool) -> Image.Image:
    font = ImageFont.load_default(size=10)
    strip = Image.new("RGB" if colour else "L", (width, _CAPTION_PX - 1))
    white: Any = (255, 255, 255) if colour else 255
    ImageDraw.Draw(strip).text((1, 0), text, fill=white, font=font)
    return strip


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """``(H, W)`` or ``(H, W, 3)`` uint8 as a PNG file that holds the pixels and nothing else."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG", optimize=False)
    return stream.getvalue()


def write_png(path: str | Path, pixels: NDArray[np.uint8]) -> Path:
    """Write a PNG atomically, without metadata. Raises :class:`~androscope.errors.OutputError`."""
    write_bytes(path, png_bytes(pixels))
    return Path(path)

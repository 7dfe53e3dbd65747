"""PNG, JPEG, BMP, GIF and WebP to one :class:`~androscope.imaging.values.Plane`, with Pillow.

Pillow keeps only the high byte of 16-bit colour: a 12-bit camera's colour PNG would come out as 16
grey levels without a word. PyPNG decodes those. The size is checked on the header, before any
pixel is decoded; Pillow's plug-ins are opened directly because ``Image.open`` has a limit of its
own that only a global variable moves.
"""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
import png
from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from androscope.errors import ImageDimensionsError, ImageUnsupportedError
from androscope.imaging.pixel_size import Stated, stated_size
from androscope.imaging.values import Plane, Samples, from_left_aligned

__all__ = ["TURNED", "check_pixels", "grey_or_rgb", "read_raster", "turned"]

_PLUGINS: dict[str, type[ImageFile.ImageFile]] = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "BMP": BmpImageFile,
    "GIF": GifImageFile,
    "WEBP": WebPImageFile,
}

_ORIENTATION = 0x0112

#: The note of a picture that was turned.
TURNED = "turned upright as its orientation tag says"


def check_pixels(width: int, height: int, limit: int) -> None:
    """Refuse a picture by its header alone.

    Raises
    ------
    ImageDimensionsError
        If it has no pixels or more than ``limit``.
    """
    if width < 1 or height < 1:
        raise ImageDimensionsError(
            f"expected at least one pixel, got {width} x {height}",
            advice="The file is damaged: export it again",
        )
    if width * height > limit:
        raise ImageDimensionsError(
            f"its header promises {width:,} x {height:,} pixels, over the limit of {limit:,}; "
            "not decoded",
            advice="Cut it into crops, or set ANDROSCOPE_MAX_PIXELS higher if the size is right",
        )


def turned(samples: Samples, orientation: object) -> tuple[Samples, tuple[str, ...]]:
    """Apply a TIFF/EXIF orientation (1 to 8), as any viewer does; a note if it changed anything."""
    if orientation not in range(2, 9):
        return samples, ()
    # Each as mirroring left-right first, then quarter turns counter-clockwise.
    mirror, turns = {
        2: (True, 0),
        3: (False, 2),
        4: (True, 2),
        5: (True, 1),
        6: (False, 3),
        7: (True, 3),
        8: (False, 1),
    }[orientation]  # type: ignore[index]
    result = np.rot90(samples[:, ::-1] if mirror else samples, turns)
    return np.ascontiguousarray(result), (TURNED,)


def grey_or_rgb(image: Image.Image) -> tuple[Samples, tuple[str, ...]]:
    """Samples of a loaded Pillow image of any mode that is graded, and notes.

    Transparency is ignored: the colour stored beneath it is used.

    Raises
    ------
    ImageUnsupportedError
        For CMYK, Lab and other modes that have no agreed grey.
    """
    mode = image.mode
    notes: tuple[str, ...] = ()
    if mode in ("CMYK", "LAB", "HSV", "YCbCr"):
        raise ImageUnsupportedError(
            f"expected grey or RGB, got {mode} colour",
            advice="Convert it to grey or RGB where it was made, and save it again",
        )
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        alpha = image.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            notes = ("transparency ignored",)
    if mode == "1":
        return np.asarray(image), notes
    if mode in ("P", "PA"):
        image = image.convert("RGB")
    elif mode in ("LA", "La"):
        image = image.convert("LA").getchannel("L")
    elif mode in ("RGBA", "RGBX", "RGBa"):
        image = image.convert("RGBA").convert("RGB")
    elif mode not in ("L", "RGB", "I", "F") and not mode.startswith("I;16"):
        raise ImageUnsupportedError(
            f"expected grey or RGB, got pixels of Pillow's mode {mode}",
            advice="Save it as 8- or 16-bit grey or RGB",
        )
    return np.asarray(image), notes


def _wide_png(stream: BinaryIO) -> tuple[Samples | None, int | None, bool]:
    """``(samples of 16-bit colour or alpha, sBIT, alpha used)`` of a 16-bit PNG."""
    reader = png.Reader(file=stream)
    reader.preamble()
    significant = max(reader.sbit) if reader.sbit else None
    if reader.color_type == 0:
        return None, significant, False
    width, height, rows, _ = reader.read()
    planes = int(reader.planes)
    flat = np.empty((height, width * planes), np.uint16)
    for y, row in enumerate(rows):
        flat[y] = row
    samples = flat.reshape(height, width, planes)
    alpha = planes in (2, 4) and bool((samples[:, :, -1] != 65535).any())
    colour = samples[:, :, 0] if planes <= 2 else samples[:, :, :3]
    return colour, significant, alpha


def _still(image: ImageFile.ImageFile, kind: str) -> None:
    frames = int(getattr(image, "n_frames", 1))
    # A JPEG's further frames are previews (MPO); the first is the picture.
    if frames > 1 and kind != "JPEG":
        raise ImageUnsupportedError(
            f"expected one picture, got an animation of {frames} frames",
            advice="Export the frame to be graded as PNG or TIFF",
        )


def read_raster(stream: BinaryIO, kind: str, *, max_pixels: int) -> Plane:
    """Decode one picture.

    Parameters
    ----------
    stream
        Seekable, at its beginning.
    kind
        ``"PNG"``, ``"JPEG"``, ``"BMP"``, ``"GIF"`` or ``"WEBP"``.
    max_pixels
        Larger pictures are refused on their header.

    Raises
    ------
    ImageDimensionsError, ImageUnsupportedError
        As said above. Whatever a decoder raises on damaged data goes through; the caller names it.
    """
    # IHDR is a PNG's first chunk by the standard, and its bit depth the 25th byte.
    wide = kind == "PNG" and stream.read(25)[24:] == b"\x10"
    stream.seek(0)
    image = _PLUGINS[kind](stream)
    check_pixels(*image.size, max_pixels)
    _still(image, kind)
    size = Stated()
    if kind != "GIF" and "dpi" in image.info:
        x_dpi, y_dpi = (float(v) for v in image.info["dpi"])
        if x_dpi > 0 and y_dpi > 0:
            size = stated_size(25400 / x_dpi, 25400 / y_dpi)
    orientation = image.getexif().get(_ORIENTATION)
    bits: int | None = None
    samples: Samples | None = None
    notes: tuple[str, ...] = ()
    if wide:
        position = stream.tell()
        stream.seek(0)
        samples, significant, alpha = _wide_png(stream)
        stream.seek(position)
        notes = ("transparency ignored",) if alpha else ()
    if samples is None:
        image.load()
        samples, notes = grey_or_rgb(image)
    if wide and significant is not None:
        bits = from_left_aligned(samples, significant)
    # Not every decoder fails on missing rows; the header's size is what was promised.
    if samples.shape[:2] != (image.size[1], image.size[0]):
        raise ImageDimensionsError(
            f"its header promises {image.size[0]} x {image.size[1]} pixels, "
            f"it holds {samples.shape[1]} x {samples.shape[0]}",
            advice="Export it again",
        )
    samples, turn = turned(samples, orientation)
    return Plane(samples, bits=bits, pixel_size_um=size.um, notes=size.notes + notes + turn)

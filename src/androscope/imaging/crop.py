"""A grey picture of one sperm to the square crop a model sees.

Shape is what is graded, so nothing here ever changes the aspect ratio: a picture that is not
square loses its edges, not its proportions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from androscope.errors import ImageDimensionsError
from androscope.imaging.chroma import chroma_within
from androscope.imaging.pixel_size import believed, disagreement
from androscope.types import Crop, GreyImage, UInt8Array

__all__ = [
    "MAX_ASPECT",
    "MAX_SIDE",
    "MIN_SIDE",
    "Fit",
    "area_weights",
    "looks_like_field",
    "resize",
    "resized_from",
    "to_crop",
]

#: How the note of a crop that was resized begins.
_RESIZED = "resized from "

Fit = Literal["auto", "resize", "centre"]

#: Pictures with a shorter side hold too little of a sperm to grade, px.
MIN_SIDE = 32

#: Pictures with a longer side are fields of view, not crops of one sperm, px.
MAX_SIDE = 512

#: Long over short side above which a picture is a strip.
MAX_ASPECT = 1.5

#: Likewise after rescaling to the model's pixel size, in crop sides.
_MAX_CROPS = 4


def to_crop(
    image: GreyImage,
    *,
    size: int = 64,
    pixel_size_um: float | None = None,
    model_pixel_size_um: float | None = None,
    fit: Fit = "auto",
) -> Crop:
    """Bring a picture of one sperm into a model's geometry.

    Parameters
    ----------
    image
        ``(H, W)`` uint8, one sperm near its centre.
    size
        Side of the crop, px.
    pixel_size_um
        Pixel size of the picture, um/px, where ``image.pixel_size_um`` is not known; a note says
        where both are and differ.
    model_pixel_size_um
        Pixel size the model was trained at, um/px.
    fit
        ``"auto"``: rescale by the pixel sizes and take the centre if both are known, else
        ``"resize"``. ``"resize"``: the largest centred square, brought to ``size``. ``"centre"``:
        the centre at the picture's own scale.

    Returns
    -------
    Crop
        ``(size, size)`` uint8. A picture of exactly that size comes back bit-identical whatever
        ``fit`` says. Whatever else was done stands in its notes.

    Raises
    ------
    ImageDimensionsError
        For a side under 32 px, a long side over 1.5 times the short one, or over 512 px (4 times
        ``size`` after rescaling by pixel sizes): a field of view is not a crop.
    """
    pixels = image.pixels
    differs = disagreement(image.pixel_size_um, pixel_size_um)
    pixel_size_um = believed(image.pixel_size_um, pixel_size_um)
    notes: tuple[str, ...] = ()
    height, width = pixels.shape
    shown = float(min(height, width))
    if pixels.shape != (size, size):
        known = pixel_size_um is not None and model_pixel_size_um is not None
        factor, largest = _limits(pixel_size_um, model_pixel_size_um, fit, size)
        _check_shape(image, factor, largest)
        if fit == "resize" or (fit == "auto" and not known):
            pixels, notes = _squared(pixels)
            if len(pixels) != size:
                notes += (f"{_RESIZED}{len(pixels)} to {size} px",)
                pixels = resize(pixels, size, size)
        else:
            if factor != 1.0:
                after = (max(1, round(n * factor)) for n in pixels.shape)
                pixels = resize(pixels, *after)
                notes = (
                    f"rescaled by {factor:.3g} from {pixel_size_um:g} to "
                    f"{model_pixel_size_um:g} um/px",
                )
            pixels, padded = _centre(pixels, size)
            notes += padded
            shown = size / factor
    if differs is not None:
        notes += (differs,)
    left, top = (width - shown) / 2, (height - shown) / 2
    return Crop(
        np.ascontiguousarray(pixels),
        image.source,
        image.index,
        notes=image.notes + notes,
        chroma=chroma_within(image.chroma, left, top, left + shown, top + shown),
    )


def resized_from(notes: Sequence[str]) -> int | None:
    """Side, px, of the square that a crop with these notes was resized from; ``None`` if none."""
    for note in notes:
        if note.startswith(_RESIZED):
            return int(note.removeprefix(_RESIZED).split()[0])
    return None


def looks_like_field(
    image: GreyImage,
    *,
    size: int = 64,
    pixel_size_um: float | None = None,
    model_pixel_size_um: float | None = None,
    fit: Fit = "auto",
) -> bool:
    """Whether a picture is too large for a crop both ways, so that it must be a field of view.

    Parameters are those of :func:`to_crop`, which refuses such a picture.
    """
    if image.pixels.shape == (size, size):
        return False
    pixel_size_um = believed(image.pixel_size_um, pixel_size_um)
    factor, largest = _limits(pixel_size_um, model_pixel_size_um, fit, size)
    return _is_field(image.pixels, factor, largest)


def _limits(
    pixel_size_um: float | None, model_pixel_size_um: float | None, fit: Fit, size: int
) -> tuple[float, int]:
    """Factor by which a picture is rescaled, and the longest side a crop has after it."""
    if pixel_size_um is None or model_pixel_size_um is None:
        return 1.0, MAX_SIDE
    factor = _factor(pixel_size_um, model_pixel_size_um) if fit == "auto" else 1.0
    return factor, _MAX_CROPS * size


def _is_field(pixels: UInt8Array, factor: float, largest: int) -> bool:
    # Cameras of 16 : 9 are no strips: the short side counts too.
    short, long = min(pixels.shape), max(pixels.shape)
    return bool(long * factor > largest and short * factor > largest / 2)


def _factor(pixel_size_um: float | None, model_pixel_size_um: float | None) -> float:
    if not pixel_size_um or not model_pixel_size_um:
        raise ValueError(f"pixel sizes must be above 0, got {pixel_size_um}, {model_pixel_size_um}")
    ratio = pixel_size_um / model_pixel_size_um
    if not (math.isfinite(ratio) and ratio > 0):
        raise ValueError(f"pixel sizes must be above 0, got {pixel_size_um}, {model_pixel_size_um}")
    # Within 2 % resampling would cost more than it mends.
    return 1.0 if abs(ratio - 1) < 0.02 else ratio


def _check_shape(image: GreyImage, factor: float, largest: int) -> None:
    height, width = image.pixels.shape
    short, long = min(height, width), max(height, width)
    after = "" if factor == 1.0 else f" ({width * factor:.0f} x {height * factor:.0f} rescaled)"
    got = f"{width} x {height} px{after}"
    path = image.source if image.index is None else f"{image.source}[{image.index}]"
    if short * factor < MIN_SIDE:
        raise ImageDimensionsError(
            f"expected at least {MIN_SIDE} px on a side, got {got}",
            path=path,
            advice="Give a crop with one whole sperm in it, about 64 x 64 px",
        )
    if _is_field(image.pixels, factor, largest):
        raise ImageDimensionsError(
            "looks like a whole field of view, not a crop of one sperm: expected at most "
            f"{largest} px on a side, got {got}",
            path=path,
            advice="Assess it with --fields, or cut a square around the head of each sperm",
        )
    if long > MAX_ASPECT * short:
        raise ImageDimensionsError(
            f"expected a nearly square crop (sides within 1 : {MAX_ASPECT}), got {got}",
            path=path,
            advice="Cut a square around the head of one sperm",
        )


def _squared(pixels: UInt8Array) -> tuple[UInt8Array, tuple[str, ...]]:
    height, width = pixels.shape
    side = min(height, width)
    if height == width:
        return pixels, ()
    top, left = (height - side) // 2, (width - side) // 2
    square = pixels[top : top + side, left : left + side]
    return square, (f"cut to the centred {side} x {side} px square of {width} x {height}",)


def _centre(pixels: UInt8Array, size: int) -> tuple[UInt8Array, tuple[str, ...]]:
    height, width = pixels.shape
    missing_y, missing_x = max(0, size - height), max(0, size - width)
    if missing_y or missing_x:
        before = missing_y // 2, missing_x // 2
        pixels = np.pad(
            pixels,
            ((before[0], missing_y - before[0]), (before[1], missing_x - before[1])),
            mode="edge",
        )
    top, left = (pixels.shape[0] - size) // 2, (pixels.shape[1] - size) // 2
    cut = pixels[top : top + size, left : left + size]
    notes: tuple[str, ...] = ()
    if height > size or width > size:
        notes += (f"centre {size} x {size} px taken of {width} x {height}",)
    if missing_y or missing_x:
        notes += (f"edges repeated to fill {size} x {size} px from {width} x {height}",)
    return cut, notes


def area_weights(old: int, new: int) -> NDArray[np.float64]:
    """Weights ``(new, old)`` of an exact area average along one axis; rows sum to 1.

    Output pixel ``i`` covers the interval ``[i, i + 1) * old / new`` of the input, and each input
    pixel counts by the length of its overlap.
    """
    edges = np.arange(new + 1) * (old / new)
    pixel = np.arange(old)
    low = np.maximum(edges[:-1, None], pixel[None, :])
    high = np.minimum(edges[1:, None], pixel[None, :] + 1)
    overlap = np.clip(high - low, 0.0, None)
    return np.asarray(overlap / overlap.sum(axis=1, keepdims=True))


def resize(pixels: UInt8Array, height: int, width: int) -> UInt8Array:
    """Resize ``(H, W)`` uint8 to ``(height, width)``: area average down, bicubic up.

    The exact area average is what a camera with larger pixels would have recorded; Pillow's box
    filter is that only for whole factors. Axes are treated one by one.
    """
    rows, columns = pixels.shape
    if (rows, columns) == (height, width):
        return pixels
    result = pixels
    if height > rows or width > columns:
        grown = Image.fromarray(np.ascontiguousarray(result)).resize(
            (max(width, columns), max(height, rows)), Image.Resampling.BICUBIC
        )
        result = np.asarray(grown)
    if height < rows or width < columns:
        averaged = result.astype(np.float64)
        if height < rows:
            averaged = area_weights(rows, height) @ averaged
        if width < columns:
            averaged = averaged @ area_weights(columns, width).T
        # Rounding twice: the sums leave 127.4999999 where 127.5 is meant.
        result = np.floor(np.round(averaged, 6) + 0.5).astype(np.uint8)
    return np.asarray(result)

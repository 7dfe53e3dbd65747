"""Files, bytes and arrays to :class:`~androscope.types.GreyImage`: 8-bit grey, typed errors.

:func:`read_images` is for batches and never raises for an image: each picture comes as a
``GreyImage`` or as a :class:`~androscope.types.Failure`, in order. :func:`read_image`,
:func:`decode` and :func:`from_array` are for one picture and raise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from androscope.errors import ImageDimensionsError, ImageError, ImageUnsupportedError
from androscope.imaging.planes import Planes, load_plane, open_planes, scale_of
from androscope.imaging.values import Plane, Scale, choose_scale, to_uint8
from androscope.settings import Settings, load_settings
from androscope.types import Failure, GreyImage

__all__ = ["decode", "failure_of", "from_array", "read_image", "read_images"]


#: Grey levels below which a picture that was scaled has lost what is graded. Rendered fields use 90
#: and more at full contrast, and about 30 at a quarter of it.
_FEW_LEVELS = 40


def read_images(
    source: str | os.PathLike[str] | bytes | NDArray[Any],
    *,
    name: str | None = None,
    settings: Settings | None = None,
    least_bits: int = 8,
) -> Iterator[GreyImage | Failure]:
    """Every picture of a file, of a file's bytes or of an array, one by one.

    Parameters
    ----------
    source
        Path of a PNG, TIFF (one or many pages), BMP, JPEG, still GIF or WebP, or ``.npy`` file;
        the bytes of one; or an array as :func:`from_array` takes it, or a stack ``(N, H, W)`` or
        ``(N, H, W, 3)`` of them.
    name
        What the pictures' ``source`` shall say; default: the path as given, ``"<bytes>"`` or
        ``"<array>"``.
    settings
        ``max_pixels`` and ``bit_depth`` count; default: the environment's.
    least_bits
        A bit depth that has to be guessed is not guessed below this: what other files of the same
        run need, see :func:`androscope.imaging.depth.guessed_depth`.

    Yields
    ------
    GreyImage or Failure
        One per picture, in the file's order; ``index`` counts pages and rows from 0 and is
        ``None`` for a file of one picture. A file that cannot be opened yields one Failure. A
        damaged page or row yields a Failure and the others follow.
    """
    if name is None:
        name = _default_name(source)
    settings = load_settings() if settings is None else settings
    try:
        with open_planes(source, settings) as planes:
            yield from _grey_images(planes, name, settings, least_bits)
    except ImageError as error:
        yield failure_of(error, name)


def read_image(
    path: str | os.PathLike[str], *, name: str | None = None, settings: Settings | None = None
) -> GreyImage:
    """The one picture of a file.

    Raises
    ------
    ImageUnreadableError
        Missing, a folder, no permission, empty, truncated or no image.
    ImageUnsupportedError
        Animated, CMYK, many pages, or of a kind that is not read.
    ImageDimensionsError
        More pixels than ``settings.max_pixels``, refused before decoding.
    ImageValuesError
        NaN, infinite, negative or too large values.
    """
    return _single(path, _default_name(path) if name is None else name, settings)


def decode(data: bytes, source: str, *, settings: Settings | None = None) -> GreyImage:
    """The one picture of a file's bytes; ``source`` is its name. Raises as :func:`read_image`."""
    return _single(data, source, settings)


def from_array(
    array: NDArray[Any], source: str = "<array>", *, settings: Settings | None = None
) -> GreyImage:
    """One picture from an array ``(H, W)`` or ``(H, W, 3)``: bool, uint8, wider integer or float.

    Integers wider than 8 bits count up to the setting ``bit_depth``, or else the smallest of 8, 10,
    12, 14 or 16 bits that holds the largest; floats from 0 to 1, or from 0 to 255 if any exceeds 1.
    Raises as :func:`read_image`.
    """
    return _single(np.asarray(array), source, settings)


def failure_of(error: ImageError, source: str, index: int | None = None) -> Failure:
    """The record of an error in one picture of a batch."""
    return Failure(
        source=source, index=index, code=error.code, reason=error.reason, advice=error.advice
    )


def _default_name(source: object) -> str:
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return "<bytes>" if isinstance(source, bytes) else "<array>"


def _single(source: Any, name: str, settings: Settings | None) -> GreyImage:
    settings = load_settings() if settings is None else settings
    try:
        with open_planes(source, settings) as planes:
            if len(planes) != 1:
                raise ImageUnsupportedError(
                    f"expected one picture, got {len(planes)}",
                    advice="Read pages and stacks with read_images, or save them one by one",
                )
            result = next(_grey_images(planes, name, settings, least=8))
    except ImageError as error:
        raise type(error)(error.reason, path=name, advice=error.advice) from error
    if isinstance(result, Failure):
        raise _ERRORS[result.code](result.reason, path=name, advice=result.advice)
    return result


_KINDS: tuple[type[ImageError], ...] = (ImageError, *ImageError.__subclasses__())
_ERRORS = {kind.code: kind for kind in _KINDS}


def _grey_images(
    planes: Planes, name: str, settings: Settings, least: int
) -> Iterator[GreyImage | Failure]:
    count = len(planes)
    if count == 0:
        raise ImageDimensionsError(
            "expected at least one picture, got an empty stack",
            advice="Check how the array was made",
        )
    if count == 1 and not planes.is_stack:
        plane, statistics = load_plane(planes, 0)
        scale = choose_scale([statistics], plane.bits, given=settings.bit_depth, least=least)
        yield _grey_image(plane, scale, name, None)
        return
    scale = scale_of(planes, settings, least)
    for index in range(count):
        try:
            plane, _ = load_plane(planes, index)
            yield _grey_image(plane, scale, name, index)
        except ImageError as error:
            yield failure_of(error, name, index)


def _grey_image(plane: Plane, scale: Scale, name: str, index: int | None) -> GreyImage:
    pixels = to_uint8(plane.samples, scale)
    notes = plane.notes
    if plane.samples.dtype != np.uint8 and plane.samples.dtype != bool:
        notes += () if scale.note is None else (scale.note,)
        levels = int(np.count_nonzero(np.bincount(pixels.ravel(), minlength=256)))
        # A blank picture has a note of its own.
        if 1 < levels < _FEW_LEVELS:
            notes += (
                f"few grey levels: {levels} of 256 after scaling to 8 bits; contrast was lost",
            )
    if plane.inverted:
        pixels = np.subtract(255, pixels, dtype=np.uint8)
        notes += ("white-is-zero picture inverted",)
    return GreyImage(pixels, name, index, plane.pixel_size_um, notes, plane.chroma, plane.place)

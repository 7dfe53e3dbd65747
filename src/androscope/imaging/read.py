"""Files, bytes and arrays to :class:`~androscope.types.GreyImage`: 8-bit grey, typed errors.

:func:`read_images` is for batches and never raises for an image: each picture comes as a
``GreyImage`` or as a :class:`~androscope.types.Failure`, in order. :func:`read_image`,
:func:`decode` and :func:`from_array` are for one picture and raise.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from androscope.errors import (
    ImageDimensionsError,
    ImageError,
    ImageUnreadableError,
    ImageUnsupportedError,
)
from androscope.imaging.chroma import chroma_map
from androscope.imaging.formats import READ, advice_for, sniff
from androscope.imaging.opening import named_decoder_errors, open_image_file
from androscope.imaging.raster import read_raster
from androscope.imaging.stack import ArrayPlanes, open_npy
from androscope.imaging.tiff import TiffPlanes
from androscope.imaging.values import (
    Plane,
    Scale,
    Statistics,
    choose_scale,
    measure,
    to_grey,
    to_uint8,
)
from androscope.settings import Settings, load_settings
from androscope.types import Failure, GreyImage

__all__ = ["decode", "failure_of", "from_array", "read_image", "read_images"]


class _Planes(Protocol):
    #: Samples are 8-bit or bool throughout, so that no scale has to be found.
    is_byte: bool
    #: Pictures carry an index even if there is but one.
    is_stack: bool

    def __len__(self) -> int: ...

    def load(self, index: int) -> Plane: ...


class _OnePlane:
    is_byte = False
    is_stack = False

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def __len__(self) -> int:
        return 1

    def load(self, index: int) -> Plane:
        return (self._plane,)[index]


def read_images(
    source: str | os.PathLike[str] | bytes | NDArray[Any],
    *,
    name: str | None = None,
    settings: Settings | None = None,
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
        ``max_pixels`` counts; default: the environment's.

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
        with _open(source, settings) as planes:
            yield from _grey_images(planes, name)
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

    Integers wider than 8 bits count up to the smallest of 8, 10, 12, 14 or 16 bits that holds the
    largest; floats from 0 to 1, or from 0 to 255 if any exceeds 1. Raises as :func:`read_image`.
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
        with _open(source, settings) as planes:
            if len(planes) != 1:
                raise ImageUnsupportedError(
                    f"expected one picture, got {len(planes)}",
                    advice="Read pages and stacks with read_images, or save them one by one",
                )
            result = next(_grey_images(planes, name))
    except ImageError as error:
        raise type(error)(error.reason, path=name, advice=error.advice) from error
    if isinstance(result, Failure):
        raise _ERRORS[result.code](result.reason, path=name, advice=result.advice)
    return result


_KINDS: tuple[type[ImageError], ...] = (ImageError, *ImageError.__subclasses__())
_ERRORS = {kind.code: kind for kind in _KINDS}


@contextmanager
def _open(source: Any, settings: Settings) -> Iterator[_Planes]:
    if isinstance(source, np.ndarray):
        yield ArrayPlanes(source, max_pixels=settings.max_pixels)
        return
    if isinstance(source, bytes):
        with io.BytesIO(source) as stream:
            yield _planes(stream, None, settings)
        return
    path = Path(source)
    with open_image_file(path) as stream:
        yield _planes(stream, path, settings)


def _planes(stream: BinaryIO, path: Path | None, settings: Settings) -> _Planes:
    with named_decoder_errors():
        head = stream.read(16)
        stream.seek(0)
    if not head:
        raise ImageUnreadableError("the file is empty (0 bytes)", advice="Export or copy it again")
    kind = sniff(head)
    if kind is None:
        what, advice = advice_for(head)
        raise ImageUnreadableError(f"expected an image ({READ}), got {what}", advice=advice)
    with named_decoder_errors():
        if kind == "NPY":
            return ArrayPlanes(open_npy(stream, path), max_pixels=settings.max_pixels)
        if kind == "TIFF":
            return TiffPlanes(stream, max_pixels=settings.max_pixels)
        return _OnePlane(read_raster(stream, kind, max_pixels=settings.max_pixels))


def _load(planes: _Planes, index: int) -> tuple[Plane, Statistics]:
    with named_decoder_errors():
        plane = planes.load(index)
    statistics = measure(plane.samples)
    grey = to_grey(plane.samples)
    return replace(plane, samples=grey, chroma=chroma_map(plane.samples)), statistics


def _grey_images(planes: _Planes, name: str) -> Iterator[GreyImage | Failure]:
    count = len(planes)
    if count == 0:
        raise ImageDimensionsError(
            "expected at least one picture, got an empty stack",
            advice="Check how the array was made",
        )
    if count == 1 and not planes.is_stack:
        plane, statistics = _load(planes, 0)
        yield _grey_image(plane, choose_scale([statistics], plane.bits), name, None)
        return
    scale = Scale(white=255.0) if planes.is_byte else _scale_of_all(planes)
    for index in range(count):
        try:
            plane, _ = _load(planes, index)
            yield _grey_image(plane, scale, name, index)
        except ImageError as error:
            yield failure_of(error, name, index)


def _scale_of_all(planes: _Planes) -> Scale:
    # A first pass over everything: one scale per file keeps its pictures comparable, and nothing
    # is kept in memory.
    statistics: list[Statistics] = []
    bits: int | None = None
    for index in range(len(planes)):
        try:
            plane, found = _load(planes, index)
        except ImageError:
            continue  # reported in the second pass
        statistics.append(found)
        bits = bits or plane.bits
    return choose_scale(statistics, bits)


def _grey_image(plane: Plane, scale: Scale, name: str, index: int | None) -> GreyImage:
    pixels = to_uint8(plane.samples, scale)
    notes = plane.notes
    if plane.samples.dtype != np.uint8 and plane.samples.dtype != bool and scale.note:
        notes += (scale.note,)
    if plane.inverted:
        pixels = np.subtract(255, pixels, dtype=np.uint8)
        notes += ("white-is-zero picture inverted",)
    return GreyImage(pixels, name, index, plane.pixel_size_um, notes, plane.chroma)

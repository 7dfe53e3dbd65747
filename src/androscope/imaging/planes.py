"""What a source of pictures holds, opened: planes that are decoded one by one when asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from androscope.errors import ImageError, ImageUnreadableError
from androscope.imaging.chroma import chroma_map
from androscope.imaging.formats import READ, advice_for, sniff
from androscope.imaging.opening import named_decoder_errors, open_image_file
from androscope.imaging.raster import read_raster
from androscope.imaging.stack import ArrayPlanes, open_npy
from androscope.imaging.tiff import TiffPlanes
from androscope.imaging.values import Plane, Scale, Statistics, choose_scale, measure, to_grey
from androscope.settings import Settings

__all__ = ["Planes", "load_plane", "open_planes", "scale_of"]


class Planes(Protocol):
    """The pictures of one source."""

    #: Samples are 8-bit or bool throughout, so that no scale has to be found.
    is_byte: bool
    #: Pictures carry an index even if there is but one.
    is_stack: bool

    def __len__(self) -> int: ...

    def load(self, index: int) -> Plane:
        """Decode one."""


class _OnePlane:
    is_byte = False
    is_stack = False

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def __len__(self) -> int:
        return 1

    def load(self, index: int) -> Plane:
        return (self._plane,)[index]


@contextmanager
def open_planes(source: Any, settings: Settings) -> Iterator[Planes]:
    """Open a path, a file's bytes or an array. Raises :class:`~androscope.errors.ImageError`."""
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


def _planes(stream: BinaryIO, path: Path | None, settings: Settings) -> Planes:
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


def load_plane(planes: Planes, index: int) -> tuple[Plane, Statistics]:
    """One plane, grey, and what was measured of it. Raises as :func:`open_planes`."""
    with named_decoder_errors():
        plane = planes.load(index)
    statistics = measure(plane.samples)
    grey = to_grey(plane.samples)
    return replace(plane, samples=grey, chroma=chroma_map(plane.samples)), statistics


def scale_of(planes: Planes, settings: Settings, least: int = 8) -> Scale:
    """One scale for all of a file's planes, so that its pictures stay comparable.

    A pass over everything, unless all are of 8 bits; nothing is kept in memory. ``least`` is as for
    :func:`~androscope.imaging.values.choose_scale`.

    Raises
    ------
    ImageValuesError
        As :func:`~androscope.imaging.values.choose_scale` does.
    """
    if planes.is_byte:
        return Scale(white=255.0)
    statistics: list[Statistics] = []
    bits: int | None = None
    for index in range(len(planes)):
        try:
            plane, found = load_plane(planes, index)
        except ImageError:
            continue  # reported when its turn comes
        statistics.append(found)
        bits = bits or plane.bits
    return choose_scale(statistics, bits, given=settings.bit_depth, least=least)

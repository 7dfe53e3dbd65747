"""Which pages of a TIFF show one field, by its metadata: focal planes, channels and times.

OME-XML, ImageJ's description and tifffile's own are read. A page that none of them speaks of has no
place: it is a picture of its own.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element

from androscope.imaging.tiff_tags import ome_pixels
from androscope.types import StackPlace

__all__ = ["ome_places", "page_places"]

Places = tuple[StackPlace | None, ...]


def page_places(file: Any, count: int) -> tuple[Places, str | None]:
    """Place of each page of a tifffile file.

    Parameters
    ----------
    file
        An open ``tifffile.TiffFile``.
    count
        Its pages, without reduced copies.

    Returns
    -------
    places, note
        A place per page, and what a reader should know if the metadata do not fit the pages.
    """
    nothing: Places = (None,) * count
    if file.is_ome and isinstance(file.ome_metadata, str):
        return ome_places(file.ome_metadata, count)
    if count == 1:
        return nothing, None
    if file.is_imagej:
        words = file.imagej_metadata or {}
        sizes = {axis: _whole(words.get(name, 1)) for axis, name in _IMAGEJ}
        # "slices" without "hyperstack" is what ImageJ writes of a stack of anything.
        return _in_order(sizes, count, sure=bool(words.get("hyperstack"))) or nothing, None
    if file.is_shaped:
        described: tuple[dict[str, Any], ...] = file.shaped_metadata or ({},)
        words = described[0]
        axes, shape = str(words.get("axes", "")), words.get("shape", ())
        if len(axes) == len(shape):
            sizes = {axis: _whole(n) for axis, n in zip(axes, shape, strict=True) if axis in "TZC"}
            return _in_order(sizes, count) or nothing, None
    return nothing, None


#: Slowest first, as ImageJ orders pages.
_IMAGEJ = (("T", "frames"), ("Z", "slices"), ("C", "channels"))


def _whole(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _in_order(sizes: dict[str, int], count: int, *, sure: bool = True) -> Places | None:
    """Places of pages whose axes vary as ``sizes`` names them, the slowest first."""
    if math.prod(sizes.values()) != count or count < 2:
        return None
    all_sizes = sizes.get("Z", 1), sizes.get("C", 1), sizes.get("T", 1)
    places = []
    for at in itertools.product(*(range(n) for n in sizes.values())):
        where = dict(zip(sizes, at, strict=True))
        z, c, t = (where.get(axis, 0) for axis in "ZCT")
        places.append(StackPlace(0, z, c, t, all_sizes, sure))
    return tuple(places)


def ome_places(xml: str, count: int) -> tuple[Places, str | None]:
    """As :func:`page_places`, of an OME-XML header: each image in it is one field."""
    stacks = [_planes(pixels) for pixels in ome_pixels(xml)]
    promised = sum(len(planes) for planes, _ in stacks)
    if promised != count:
        if promised < 2:
            return (None,) * count, None
        return (None,) * count, (
            f"its OME metadata speak of {promised} planes, the file holds {count}: other files or "
            "pages may show the same field"
        )
    places: list[StackPlace | None] = [None] * count
    before = 0
    for number, (planes, pages) in enumerate(stacks):
        if len(planes) > 1:
            for at, (z, c, t, sizes) in enumerate(planes):
                page = pages[at] if pages is not None else before + at
                if 0 <= page < count:
                    places[page] = StackPlace(number, z, c, t, sizes)
        before += len(planes)
    return tuple(places), None


_Plane = tuple[int, int, int, tuple[int, int, int]]


def _planes(pixels: Element) -> tuple[list[_Plane], Sequence[int] | None]:
    """An image's planes in the order of ``DimensionOrder``, and their pages where it says so."""
    sizes = {axis: _number(pixels, f"Size{axis}") for axis in "ZCT"}
    channels = [e for e in pixels if e.tag.rpartition("}")[2] == "Channel"]
    samples = _number(channels[0], "SamplesPerPixel") if channels else 1
    # Red, green and blue are three of OME's channels and lie in one page.
    sizes["C"] = max(1, sizes["C"] // samples)
    if math.prod(sizes.values()) > _ABSURD:
        return [], None
    order = pixels.attrib.get("DimensionOrder", "XYCZT")[:1:-1]
    if sorted(order) != ["C", "T", "Z"]:
        order = "TZC"
    all_sizes = sizes["Z"], sizes["C"], sizes["T"]
    planes: list[_Plane] = []
    for at in itertools.product(*(range(sizes[axis]) for axis in order)):
        where = dict(zip(order, at, strict=True))
        planes.append((where["Z"], where["C"], where["T"], all_sizes))
    return planes, _pages(pixels, planes)


#: More planes than any file holds: metadata that promise them are not believed.
_ABSURD = 1_000_000


def _number(element: Element, name: str, default: int = 1) -> int:
    text = element.attrib.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def _pages(pixels: Element, planes: Sequence[_Plane]) -> Sequence[int] | None:
    """Page of each plane by ``TiffData``; ``None`` if it does not name one for each."""
    pages: dict[int, int] = {}
    number = {plane[:3]: at for at, plane in enumerate(planes)}
    for data in pixels:
        if data.tag.rpartition("}")[2] != "TiffData" or "IFD" not in data.attrib:
            continue
        z, c, t = (_number(data, f"First{axis}", 0) for axis in "ZCT")
        first, start = _number(data, "IFD", 0), number.get((z, c, t))
        many = min(_number(data, "PlaneCount"), len(planes))
        if start is not None:
            pages.update((start + step, first + step) for step in range(many))
    if sorted(pages) != list(range(len(planes))) or len(set(pages.values())) != len(planes):
        return None
    return [pages[at] for at in range(len(planes))]

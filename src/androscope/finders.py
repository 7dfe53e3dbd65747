"""What is known of fields of view, and what finds heads in them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

from androscope.imaging.blobs import blobs
from androscope.imaging.locate import locate
from androscope.imaging.located import Finder, Found
from androscope.imaging.video import EVENLY, Sampling
from androscope.model.card import CropInput
from androscope.model.locator import Locator
from androscope.model.locator_bundle import DEFAULT_LOCATOR, load_locator
from androscope.types import UInt8Array

__all__ = ["AUTO", "CLASSICAL", "FieldOptions", "Geometry", "default_finder", "finder", "geometry"]

#: Names of what finds heads, where a locator may be named: the classical filter, which needs no
#: model; and whichever of it and the shipped locator is better on heads of the field's polarity.
CLASSICAL, AUTO = "classical", "auto"


@dataclass(frozen=True, slots=True)
class FieldOptions:
    """What is known of the fields, and how they are searched.

    Attributes
    ----------
    pixel_size_um, head_length
        Scale, as in :func:`~androscope.imaging.head_scale.field_scale`.
    find
        What finds heads; default: ``finder("auto")``. See :func:`finder`.
    sampling
        Which frames of videos are looked at.
    bit_depth
        Bits of the camera's values, where files of more than 8 do not say; default: the setting.

    Raises
    ------
    ValueError
        If a length is not finite and above 0, or the bit depth not between 8 and 16.
    """

    pixel_size_um: float | None = None
    head_length: float | None = None
    find: Finder | None = None
    sampling: Sampling = EVENLY
    bit_depth: int | None = None

    def __post_init__(self) -> None:
        for name in ("pixel_size_um", "head_length"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be above 0, got {value}")
        if self.bit_depth is not None and not 8 <= self.bit_depth <= 16:
            raise ValueError(f"bit_depth must be between 8 and 16, got {self.bit_depth}")


class Geometry(TypedDict):
    """What reading a field takes beside its pixels."""

    pixel_size_um: float | None
    head_length: float | None
    model_pixel_size_um: float | None
    size: int
    find: Finder


def finder(name_or_folder: str | Path = AUTO, *, threads: int = 0) -> Finder:
    """What finds heads: ``"auto"``, ``"classical"``, the shipped locator, or one in a folder.

    ``"auto"`` is the classical filter where heads are darker than the background, and the shipped
    locator where they are brighter, or bright and dark at once: each is the better one there
    (``androscope benchmark locate``).

    Raises
    ------
    BundleError
        If there is no such locator, or it is not whole.
    """
    if str(name_or_folder) == CLASSICAL:
        return locate
    if str(name_or_folder) == AUTO:
        return _by_polarity(Locator(load_locator(DEFAULT_LOCATOR), threads=threads))
    return Locator(load_locator(name_or_folder), threads=threads)


def _by_polarity(locator: Finder) -> Finder:
    def find(pixels: UInt8Array, head_length: float) -> Found:
        dark = blobs(pixels, head_length).sign == -1
        return (locate if dark else locator)(pixels, head_length)

    return find


@lru_cache(maxsize=1)
def default_finder() -> Finder:
    """What finds heads if nothing is named, made ready once."""
    return finder()


def geometry(wanted: CropInput, options: FieldOptions | None = None) -> Geometry:
    """Scale, crop size and finder for fields of a model whose input is ``wanted``."""
    options = options or FieldOptions()
    if options.find is None:
        options = replace(options, find=default_finder())
    assert options.find is not None
    return {
        "pixel_size_um": options.pixel_size_um,
        "head_length": options.head_length,
        "model_pixel_size_um": wanted.pixel_size_um,
        "size": wanted.size,
        "find": options.find,
    }

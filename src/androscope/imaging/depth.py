"""One guess of the bit depth for all files of a run, so that their contrast is one.

A guess for each file would flip by a factor of four where the largest value of one lies just below
a power of two and that of the next just above.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from androscope.errors import ImageError
from androscope.imaging.formats import sniff
from androscope.imaging.planes import open_planes, scale_of
from androscope.imaging.values import DEPTHS
from androscope.settings import Settings

__all__ = ["guessed_depth"]

#: Where a PNG's header says how many bits a sample has.
_PNG_DEPTH = 24


def guessed_depth(
    sources: Sequence[str | os.PathLike[str] | NDArray[Any]], settings: Settings
) -> int:
    """The largest bit depth that any source needs which states none, bits; 8 if none does.

    Decodes what may hold more than 8 bits, and nothing else. What cannot be read is passed over:
    it is reported when its turn comes. Nothing is read where the settings give a bit depth, nor of
    one source alone, which makes its own guess as it is read.

    Parameters
    ----------
    sources
        Paths and arrays, as :func:`androscope.imaging.read.read_images` takes them.
    settings
        ``max_pixels`` and ``bit_depth`` count.
    """
    deepest = DEPTHS[0]
    if settings.bit_depth is not None or len(sources) < 2:
        return deepest
    for source in sources:
        if not _may_be_wide(source):
            continue
        with suppress(ImageError), open_planes(source, settings) as planes:
            deepest = max(deepest, scale_of(planes, settings).guessed or deepest)
    return deepest


def _may_be_wide(source: str | os.PathLike[str] | NDArray[Any]) -> bool:
    if isinstance(source, np.ndarray):
        return source.dtype.kind in "ui" and source.dtype.itemsize > 1
    try:
        # Not what opens without end: a device, a pipe.
        if not Path(source).is_file():
            return False
        with Path(source).open("rb") as stream:
            head = stream.read(_PNG_DEPTH + 1)
    except (OSError, ValueError):
        return False
    kind = sniff(head[:16])
    return kind in ("TIFF", "NPY") or (kind == "PNG" and head[_PNG_DEPTH:] == b"\x10")

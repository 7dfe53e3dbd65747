"""``.npy`` files and arrays to planes: one picture, or a stack of them along the first axis.

The header is read and checked against the file's length here, before anything is mapped or
allocated; nothing is ever unpickled.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.lib import format as npy_format

from androscope.errors import ImageUnreadableError, ImageUnsupportedError, ImageValuesError
from androscope.imaging.raster import check_pixels
from androscope.imaging.values import Plane, Samples

__all__ = ["ArrayPlanes", "open_npy"]


class ArrayPlanes:
    """The pictures of one array.

    ``(H, W)`` and ``(H, W, C)`` are one picture, ``(N, H, W)`` and ``(N, H, W, C)`` a stack, with
    ``C`` 1, 3 (red, green, blue) or 4 (and transparency, not looked at). A three-dimensional array
    whose last axis is 1, 3 or 4 is one colour picture.

    Raises
    ------
    ImageUnsupportedError
        For another number of axes or channels.
    ImageValuesError
        For a type that is no number.
    """

    def __init__(self, array: Samples, *, max_pixels: int) -> None:
        if array.dtype.kind not in "buif":
            raise ImageValuesError(
                f"expected numbers as pixels (bool, integer or float), got type {array.dtype}",
                advice="Save it as uint8 or uint16",
            )
        colour = array.ndim >= 3 and array.shape[-1] in (1, 3, 4)
        axes = array.ndim - colour
        if axes not in (2, 3):
            raise ImageUnsupportedError(
                "expected an array of shape (H, W), (N, H, W) or, with colour, (H, W, 3) or "
                f"(N, H, W, 3), got {array.shape}",
                advice="Reshape it to one of these",
            )
        self.is_stack = axes == 3
        self.is_byte = array.dtype == bool or array.dtype == np.uint8
        self._array = array if self.is_stack else array[np.newaxis]
        height, width = self._array.shape[1:3]
        check_pixels(width, height, max_pixels)

    def __len__(self) -> int:
        return len(self._array)

    def load(self, index: int) -> Plane:
        """One picture of the stack; a copy, so that a mapped file may be closed."""
        return Plane(np.array(self._array[index]))


def open_npy(stream: BinaryIO, path: Path | None) -> Samples:
    """The array of a ``.npy`` file, mapped if it is on disk.

    Parameters
    ----------
    stream
        Its bytes, at the beginning.
    path
        Where it is on disk; ``None`` for bytes in memory.

    Raises
    ------
    ImageUnreadableError
        If the header is damaged or promises more than the file holds.
    ImageValuesError
        If it holds Python objects (never unpickled) or records.
    """
    try:
        version = npy_format.read_magic(stream)
        read_header = {
            (1, 0): npy_format.read_array_header_1_0,
            (2, 0): npy_format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read_header(stream)
        if min(shape, default=0) < 0:
            raise ValueError(f"a negative shape: {shape}")
    except Exception as error:
        raise ImageUnreadableError(
            "expected a .npy array, its header is damaged", advice="Write it with numpy.save"
        ) from error
    if dtype.hasobject or dtype.kind not in "buif":
        what = "Python objects, which are never unpickled" if dtype.hasobject else str(dtype)
        raise ImageValuesError(
            f"expected numbers as pixels (bool, integer or float), got {what}",
            advice="Save it as uint8 or uint16",
        )
    kind: np.dtype[Any] = dtype
    offset = stream.tell()
    size = stream.seek(0, 2)
    count = 1
    for length in shape:
        count *= int(length)
    if offset + count * dtype.itemsize > size:
        raise ImageUnreadableError(
            f"its header promises {count * dtype.itemsize:,} bytes of {dtype} in shape {shape}, "
            f"it holds {size - offset:,}",
            advice="The file is truncated: write or copy it again",
        )
    order: Literal["C", "F"] = "F" if fortran else "C"
    if count == 0:
        return np.zeros(shape, kind)
    if path is not None:
        return np.memmap(path, dtype=kind, mode="r", offset=offset, shape=shape, order=order)
    stream.seek(offset)
    data = stream.read(count * dtype.itemsize)
    return np.ndarray(shape, dtype=kind, buffer=data, order=order)

"""Whether two pictures show the same: what is left of them in a few hundred pixels, compared.

A picture that was saved again, as JPEG, with more bits or brighter, keeps its look; its bytes and
its pixels do not stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from androscope.types import FloatArray, UInt8Array

__all__ = ["Look", "copies", "likeness", "look_of"]

#: Correlation from which two fields are one: different ones have below 0.2, frames of one video a
#: tenth of a second apart above 0.8.
SAME_FIELD = 0.8
#: Likewise two crops: heads in the middle of a crop are alike, at most 0.969 among the thousand of
#: MHSMA's train split.
_SAME_CROP = 0.975

#: Pixels on a side of what is compared.
_SIDE = 48
#: Pixels of it over which the light's unevenness is taken away, which all fields of a microscope
#: share.
_SHADE = 4


def _blur() -> FloatArray:
    """What gives, times a column, its means over ``_SHADE`` neighbours either way."""
    matrix = np.zeros((_SIDE, _SIDE), np.float32)
    for row in range(_SIDE):
        for step in range(-_SHADE, _SHADE + 1):
            matrix[row, min(max(row + step, 0), _SIDE - 1)] += 1 / (2 * _SHADE + 1)
    return matrix


_BLUR = _blur()


def look_of(pixels: UInt8Array) -> FloatArray | None:
    """What is compared of a picture.

    Parameters
    ----------
    pixels
        ``(H, W)`` uint8.

    Returns
    -------
    array or None
        Float32 of length 1 (its squares add up to 1) and mean 0; ``None`` for a picture too even to
        be told from another.
    """
    small = _means(_means(pixels.astype(np.float32), _SIDE).T, _SIDE).T
    detail = (small - _BLUR @ small @ _BLUR.T).ravel()
    detail -= detail.mean()
    size = float(np.sqrt((detail**2).mean()))
    if size < 0.1:
        return None
    return np.asarray(detail / (size * np.sqrt(detail.size)), dtype=np.float32)


def _means(image: FloatArray, count: int) -> FloatArray:
    """Means over ``count`` bands of rows; rows are repeated if there are fewer."""
    if len(image) < count:
        image = np.repeat(image, -(-count // len(image)), axis=0)
    edges = np.linspace(0, len(image), count + 1).round().astype(int)
    sums = np.add.reduceat(image, edges[:-1], axis=0)
    return np.asarray(sums / np.diff(edges)[:, None], dtype=np.float32)


def likeness(one: FloatArray | None, other: FloatArray | None) -> float:
    """How alike two looks are: their correlation, -1 to 1; 0 if either is ``None``."""
    if one is None or other is None:
        return 0.0
    return float(one @ other)


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture looks: its file, what :func:`look_of` gave, and whether it is a field."""

    file: str
    look: FloatArray | None = field(repr=False, compare=False)
    is_field: bool


def copies(looks: Sequence[Look]) -> tuple[tuple[str, ...], ...]:
    """Groups of files with pictures that are one picture, or show one field.

    Pictures of one file are not held against one another. A group may hang together by neighbours
    alone: the frames of a video, saved one by one.
    """
    files = list(dict.fromkeys(look.file for look in looks))
    group = {file: file for file in files}
    for is_field, least in ((True, SAME_FIELD), (False, _SAME_CROP)):
        some = [look for look in looks if look.is_field == is_field and look.look is not None]
        if len(some) < 2:
            continue
        every = np.stack([look.look for look in some if look.look is not None])
        # Row by row: all pairs at once would not fit into memory for very many crops.
        for row, look in enumerate(some[:-1]):
            for other in np.flatnonzero(every[row + 1 :] @ every[row] >= least):
                one, two = group[look.file], group[some[row + 1 + int(other)].file]
                if one != two:
                    group = {file: one if of == two else of for file, of in group.items()}
    joined: dict[str, list[str]] = {}
    for file in files:
        joined.setdefault(group[file], []).append(file)
    return tuple(tuple(same) for same in joined.values() if len(same) > 1)

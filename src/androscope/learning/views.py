"""The eight views of a crop: a square turned and mirrored onto itself.

A sperm lies in any direction and either way up, so its labels are those of all eight views, and
none of them needs interpolation: the mean opinion over them costs eight passes and blurs nothing.
Two of them, the crop and its mirror image in the diagonal, give most of what eight give.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIHEDRAL", "dihedral_views"]

T = TypeVar("T", bound=np.generic)

#: Size of the dihedral group of the square.
DIHEDRAL = 8


def dihedral_views(crops: NDArray[T], count: int = DIHEDRAL) -> list[NDArray[T]]:
    """The first ``count`` of the eight views of ``(N, S, S)`` crops, the crops themselves first.

    Then the mirror image in the diagonal from the lower left, in which no axis stays what it was;
    then the other turns, and the other mirror images.

    Raises
    ------
    ValueError
        If the crops are not square or ``count`` is not 1 to 8.
    """
    if crops.ndim != 3 or crops.shape[1] != crops.shape[2]:
        raise ValueError(f"expected crops (N, S, S), got {crops.shape}")
    if not 1 <= count <= DIHEDRAL:
        raise ValueError(f"expected 1 to {DIHEDRAL} views, got {count}")
    mirrored = crops[:, :, ::-1]
    order = [(crops, 0), (mirrored, 3), *((crops, n) for n in (1, 2, 3))]
    order += [(mirrored, n) for n in (0, 1, 2)]
    return [
        np.ascontiguousarray(np.rot90(side, turns, axes=(1, 2))) for side, turns in order[:count]
    ]

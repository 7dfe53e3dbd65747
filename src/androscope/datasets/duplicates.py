"""The same sperm twice, in two splits: what a split over images instead of patients lets through.

Two crops are compared by the normalised cross-correlation of their band-passed pixels (difference
of Gaussians, which drops illumination and sensor noise and keeps outline and inner detail), at the
best of all shifts up to 5 px and all quarter turns and mirrors, on 64-pixel crops.

The threshold was set on MHSMA's train and valid splits, by two facts that the measure knows nothing
of. Two pictures of one sperm need no turning, whereas a chance likeness is found in any of the 8
orientations; and two pictures of one sperm bear the same labels. Of the 33 pairs between train and
valid at 0.955 and above none is turned or mirrored, and none of their 132 labels differ; of the 43
from 0.93 to 0.94, 9 are turned, and one label in five differs for head and acrosome. To the eye the
pairs agree in shape, acrosome, vacuoles and tail. ``androscope data describe`` prints such figures
for the data at hand. Weaker pictures of one sperm lie below, so the number found is a lower bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from androscope.datasets.types import Dataset
from androscope.imaging.crop import resize
from androscope.types import FloatArray, UInt8Array

__all__ = ["THRESHOLD", "Pair", "near_duplicates", "similarity"]

#: Similarity from which two crops are taken for pictures of one sperm.
THRESHOLD = 0.955

_SIDE = 64
#: Standard deviations of the two Gaussians, px.
_FINE, _BROAD = 0.8, 4.0
#: Largest shift, px; the compared window leaves this margin on all sides.
_SHIFT = 5
_WINDOW = _SIDE - 2 * _SHIFT
#: Windows whose band-passed pixels have no more length than this are flat.
_FLAT = 1e-3
#: The half-size search scores a true pair lower by less than this (measured: 0.037 at most).
_MARGIN = 0.06
_COARSE_SHIFT = 2
#: Axes kept of the 784 in that search.
_AXES = 96
#: Quarter turns, whether mirrored, shift down and right in px.
_Pose = tuple[int, bool, int, int]
#: Shifts around the coarse one that are tried at full size, px.
_REFINE = 2


@dataclass(frozen=True, slots=True)
class Pair:
    """Two crops of different splits that show the same sperm.

    Attributes
    ----------
    split_a, index_a, split_b, index_b
        Where they are; the splits in the data set's order.
    similarity
        Normalised cross-correlation, at most 1.
    turned
        Whether one had to be turned or mirrored. Pictures of one sperm need not be, so the number
        of turned pairs tells how many of the others may be chance (or that augmented copies lie in
        the data).
    exact
        Whether all pixels are equal.
    """

    split_a: str
    index_a: int
    split_b: str
    index_b: int
    similarity: float
    turned: bool = False
    exact: bool = False


def near_duplicates(dataset: Dataset, *, threshold: float = THRESHOLD) -> list[Pair]:
    """Pairs across splits that show the same sperm, the most similar first.

    Parameters
    ----------
    threshold
        Smallest similarity reported, above 0 and at most 1.

    Returns
    -------
    list of Pair
        Every pair from different splits, so that a sperm seen in three splits makes three pairs.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be above 0 and at most 1, got {threshold}")
    finders = {n: _finder(band_pass(_to_side(s.crops))) for n, s in dataset.splits.items()}
    pairs = []
    for a, b in combinations(dataset.splits, 2):
        crops_a, crops_b = dataset.splits[a].crops, dataset.splits[b].crops
        least = threshold - _MARGIN
        for i, j, poses in _candidates(finders[a].bands, finders[b].bands, least):
            if np.array_equal(crops_a[i], crops_b[j]):
                # A flat crop has no correlation with anything, itself included.
                pairs.append(Pair(a, i, b, j, 1.0, exact=True))
                continue
            # A head is nearly its own mirror image: which orientation is best shows at full size.
            score, (turn, mirror, _, _) = max(
                (finders[a].best(i, finders[b], j, pose, _REFINE), pose) for pose in poses
            )
            if score >= threshold:
                pairs.append(Pair(a, i, b, j, score, turned=bool(turn or mirror)))
    return sorted(pairs, key=lambda p: (-p.similarity, p.split_a, p.index_a, p.index_b))


def similarity(one: UInt8Array, other: UInt8Array) -> float:
    """Similarity of two ``(S, S)`` crops, -1 to 1, searched over every shift and orientation.

    The plain and slow definition that :func:`near_duplicates` finds by a coarse search first.
    """
    both = _finder(band_pass(_to_side(np.stack([one, other]))))
    return max(
        both.best(0, both, 1, (turn, mirror, 0, 0), _SHIFT)
        for turn in range(4)
        for mirror in (False, True)
    )


def band_pass(crops: UInt8Array) -> FloatArray:
    """Difference of two Gaussians of ``(N, S, S)`` crops; edges are mirrored. ``(N, S, S)``."""
    pixels = crops.astype(np.float32)
    size = crops.shape[-1]
    fine, broad = blur_matrix(size, _FINE), blur_matrix(size, _BROAD)
    return np.asarray(fine @ pixels @ fine.T - broad @ pixels @ broad.T, dtype=np.float32)


def blur_matrix(size: int, sigma: float) -> FloatArray:
    """``(size, size)`` matrix that blurs a column; the signal is mirrored at its ends."""
    reach = int(4 * sigma + 0.5)
    offsets = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2)
    kernel /= kernel.sum()
    matrix = np.zeros((size, size))
    for row in range(size):
        source = np.mod(row + offsets, 2 * size)
        source = np.where(source >= size, 2 * size - 1 - source, source)
        np.add.at(matrix[row], source, kernel)
    return matrix.astype(np.float32)


def _to_side(crops: UInt8Array) -> UInt8Array:
    if crops.shape[1:] == (_SIDE, _SIDE):
        return crops
    resized = [resize(crop, _SIDE, _SIDE) for crop in crops]
    return np.stack(resized) if resized else np.empty((0, _SIDE, _SIDE), np.uint8)


def _oriented(band: FloatArray, turn: int, mirror: bool) -> FloatArray:
    turned = np.rot90(band, turn, axes=(-2, -1))
    return turned[..., ::-1] if mirror else turned


def _unit(windows: FloatArray) -> FloatArray:
    """Rows of zero mean and length 1; a flat row becomes zeros, which resembles nothing."""
    rows = windows.reshape(len(windows), windows.shape[1] * windows.shape[2])
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.where(length > _FLAT, rows / np.maximum(length, _FLAT), 0), np.float32)


def _candidates(
    a: FloatArray, b: FloatArray, least: float
) -> Iterator[tuple[int, int, list[_Pose]]]:
    """Index pairs that may reach ``least``, each with its best pose of every orientation."""
    if not len(a) or not len(b):
        return
    half_a, half_b = _halved(a), _halved(b)
    reach, side = _COARSE_SHIFT, half_a.shape[-1]
    inner = side - 2 * reach
    template = _unit(half_a[:, reach:-reach, reach:-reach])
    basis = _principal(np.concatenate([template, _unit(half_b[:, reach:-reach, reach:-reach])]))
    reduced = _bounding(template, basis)
    orientations = [(turn, mirror) for turn in range(4) for mirror in (False, True)]
    best = np.full((len(orientations), len(a), len(b)), -2.0, np.float32)
    where = np.zeros(best.shape, np.int16)
    shifts = [(y, x) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)]
    for number, (turn, mirror) in enumerate(orientations):
        oriented = _oriented(half_b, turn, mirror)
        for place, (y, x) in enumerate(shifts):
            top, left = reach + y, reach + x
            window = oriented[:, top : top + inner, left : left + inner]
            score = reduced @ _bounding(_unit(window), basis).T
            better = score > best[number]
            np.copyto(best[number], score, where=better)
            np.copyto(where[number], np.int16(place), where=better)
    # Flat crops: all zeros against all zeros, which only an exact comparison can tell.
    flat_a, flat_b = _is_flat(half_a), _is_flat(half_b)
    best[0, flat_a[:, None] & flat_b[None, :]] = 1
    for i, j in np.argwhere(best.max(axis=0) >= least):
        yield (
            int(i),
            int(j),
            [
                (*orientations[o], 2 * shifts[where[o, i, j]][0], 2 * shifts[where[o, i, j]][1])
                for o in np.flatnonzero(best[:, i, j] >= least)
            ],
        )


def _halved(band: FloatArray) -> FloatArray:
    n = band.shape[-1] // 2
    return np.asarray(band.reshape(len(band), n, 2, n, 2).mean(axis=(2, 4)), np.float32)


def _is_flat(bands: FloatArray) -> NDArray[np.bool_]:
    return np.asarray(np.abs(bands).max(axis=(1, 2)) < _FLAT)


def _principal(rows: FloatArray) -> FloatArray:
    """``(D, K)`` orthonormal axes that hold most of the energy of ``(N, D)`` rows."""
    _, axes = np.linalg.eigh(rows.T @ rows)
    return np.asarray(axes[:, -_AXES:], np.float32)


def _bounding(rows: FloatArray, basis: FloatArray) -> FloatArray:
    """Coordinates on the basis, and the length of the rest, of unit rows: ``(N, K + 1)``.

    By the Cauchy-Schwarz inequality the product of two such rows is never below that of the
    original ones, so the short rows overlook nothing.
    """
    inside = rows @ basis
    rest = (rows * rows).sum(axis=1) - (inside * inside).sum(axis=1)
    return np.column_stack([inside, np.sqrt(np.maximum(rest, 0))]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Finder:
    """The windows of one split at full size, with what each needs divided out.

    Attributes
    ----------
    bands
        ``(N, 64, 64)``.
    templates
        Each crop's middle window, of zero mean and length 1. ``(N, W, W)``.
    lengths
        Length of every window about its mean, by its shift. ``(N, 11, 11)``.
    """

    bands: FloatArray
    templates: FloatArray
    lengths: FloatArray

    def best(
        self, own: int, other: _Finder, theirs: int, pose: tuple[int, bool, int, int], reach: int
    ) -> float:
        """Correlation of two crops, the best of the shifts up to ``reach`` px from the pose's."""
        turn, mirror, *centre = pose
        rows, columns = (
            slice(max(0, _SHIFT + v - reach), min(2 * _SHIFT, _SHIFT + v + reach) + 1)
            for v in centre
        )
        oriented = _oriented(other.bands[theirs], turn, mirror)
        windows = sliding_window_view(oriented, (_WINDOW, _WINDOW))[rows, columns]
        lengths = _oriented(other.lengths[theirs], turn, mirror)[rows, columns]
        # The template has no mean, so the window's drops out of the product.
        products = np.einsum("vuyx,yx->vu", windows, self.templates[own])
        return float(np.where(lengths > _FLAT, products / np.maximum(lengths, _FLAT), 0).max())


def _finder(bands: FloatArray) -> _Finder:
    middle = slice(_SHIFT, _SHIFT + _WINDOW)
    templates = _unit(bands[:, middle, middle]).reshape(-1, _WINDOW, _WINDOW)
    box = np.zeros((2 * _SHIFT + 1, _SIDE))
    for shift in range(2 * _SHIFT + 1):
        box[shift, shift : shift + _WINDOW] = 1
    pixels = bands.astype(np.float64)
    squares = box @ pixels**2 @ box.T
    squares -= (box @ pixels @ box.T) ** 2 / _WINDOW**2
    return _Finder(bands, templates, np.sqrt(np.maximum(squares, 0)).astype(np.float32))

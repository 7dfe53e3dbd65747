"""How well sperm are located: finds matched with boxes one to one, precision, recall and F1.

What counts: boxes of sperm, and of small heads, which are sperm with a small head, are to be found.
A cluster's box holds sperm that nobody told apart: finds in it that match no box of a single sperm
are neither right nor wrong. A box of an impurity is no sperm: a find there is a false one, like any
other beside a sperm; how many there are is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.datasets.located_types import Box, BoxKind
from androscope.extras import require

__all__ = ["MATCH_PX", "Tally", "match_points", "pooled", "tally"]

#: A find is right within this distance of a box's centre, px of the frame.
MATCH_PX = 12.0

_TO_FIND: frozenset[BoxKind] = frozenset({"sperm", "small-head"})


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over one frame or more; they add up.

    Attributes
    ----------
    found
        Boxes with a find of their own.
    false
        Finds without a box, save those in clusters.
    missed
        Boxes without a find.
    in_clusters
        Finds without a box that lie in a cluster: not counted.
    on_impurities
        How many of the false finds lie in an impurity's box.
    distance
        Sum of the distances of matched pairs, px.
    """

    found: int = 0
    false: int = 0
    missed: int = 0
    in_clusters: int = 0
    on_impurities: int = 0
    distance: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.found + other.found,
            self.false + other.false,
            self.missed + other.missed,
            self.in_clusters + other.in_clusters,
            self.on_impurities + other.on_impurities,
            self.distance + other.distance,
        )

    @property
    def precision(self) -> float:
        """Share of finds that are right; NaN without any."""
        return _ratio(self.found, self.found + self.false)

    @property
    def recall(self) -> float:
        """Share of boxes that were found; NaN without any."""
        return _ratio(self.found, self.found + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of both, ``2 TP / (2 TP + FP + FN)``; NaN without finds and boxes."""
        return _ratio(2 * self.found, 2 * self.found + self.false + self.missed)

    @property
    def mean_distance(self) -> float:
        """Mean distance of matched pairs, px; NaN without any."""
        return _ratio(self.distance, self.found)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def match_points(
    points: ArrayLike, targets: ArrayLike, *, within: float = MATCH_PX
) -> NDArray[np.intp]:
    """Pairs of points and targets, each in one pair at most: as many as can be, then the nearest.

    The assignment is optimal (Jonker and Volgenant's algorithm in SciPy), so it does not depend on
    the order, as taking the nearest or the surest first does.

    Parameters
    ----------
    points, targets
        ``(N, 2)`` and ``(M, 2)``: x and y, px.
    within
        Largest distance of a pair, px, included.

    Returns
    -------
    array
        ``(P, 2)``: row in ``points``, row in ``targets``; in order of the points.

    Raises
    ------
    ValueError
        If ``within`` is below 0.
    MissingExtraError
        Without SciPy.
    """
    if not within >= 0:
        raise ValueError(f"within must be at least 0 px, got {within:g}")
    left = np.asarray(points, np.float64).reshape(-1, 2)
    right = np.asarray(targets, np.float64).reshape(-1, 2)
    if len(left) == 0 or len(right) == 0:
        return np.zeros((0, 2), np.intp)
    optimize = require("scipy.optimize", extra="train", why="match what was found with boxes")
    gaps = np.hypot(left[:, None, 0] - right[None, :, 0], left[:, None, 1] - right[None, :, 1])
    # One pair more is worth more than all distances together.
    never = (within + 1) * (min(len(left), len(right)) + 1)
    rows, columns = optimize.linear_sum_assignment(np.where(gaps <= within, gaps, never))
    paired = gaps[rows, columns] <= within
    return np.stack([rows[paired], columns[paired]], axis=1).astype(np.intp)


def tally(
    points: Sequence[tuple[float, float]], boxes: Sequence[Box], *, within: float = MATCH_PX
) -> Tally:
    """Score the finds of one frame.

    Parameters
    ----------
    points
        ``(x, y)`` of what was called a sperm, px from the first pixel's centre.
    boxes
        All boxes of the frame.
    within
        Largest distance between a find and the centre of its box, px.
    """
    targets = [box.centre for box in boxes if box.kind in _TO_FIND]
    pairs = match_points(points, targets, within=within)
    matched = set(pairs[:, 0].tolist())
    alone = [point for number, point in enumerate(points) if number not in matched]
    clustered = [point for point in alone if _in_any(point, boxes, "cluster")]
    impure = sum(_in_any(point, boxes, "impurity") for point in alone if point not in clustered)
    gaps = (math.dist(points[row], targets[column]) for row, column in pairs)
    return Tally(
        found=len(pairs),
        false=len(alone) - len(clustered),
        missed=len(targets) - len(pairs),
        in_clusters=len(clustered),
        on_impurities=impure,
        distance=sum(gaps),
    )


def _in_any(point: tuple[float, float], boxes: Sequence[Box], kind: BoxKind) -> bool:
    return any(box.kind == kind and box.holds(*point) for box in boxes)


def pooled(tallies: Iterable[Tally]) -> Tally:
    """All counts together: every sperm weighs the same, whatever its frame or video."""
    return sum(tallies, Tally())

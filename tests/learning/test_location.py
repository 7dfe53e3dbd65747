"""Matching against every possible assignment; counts by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.datasets.located_types import Box
from androscope.learning.location import Tally, match_points, pooled, tally

pytest.importorskip("scipy", reason="SciPy is not installed: it comes with the train extra")

Points = list[tuple[float, float]]
points = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda p: (float(p[0]), float(p[1]))),
    max_size=5,
)


def best_by_trying_all(left: Points, right: Points, within: float) -> tuple[int, float]:
    """Most pairs, and the smallest total distance among those, over every assignment."""
    best = (0, 0.0)
    for size in range(1, min(len(left), len(right)) + 1):
        for rows in itertools.combinations(range(len(left)), size):
            for columns in itertools.permutations(range(len(right)), size):
                gaps = [math.dist(left[r], right[c]) for r, c in zip(rows, columns, strict=True)]
                if max(gaps) <= within and (-size, sum(gaps)) < (-best[0], best[1]):
                    best = size, sum(gaps)
    return best


@given(points, points, st.sampled_from([0.0, 3.0, 12.0, 50.0]))
def test_matching_is_optimal(left: Points, right: Points, within: float) -> None:
    pairs = match_points(left, right, within=within)
    total = sum(math.dist(left[r], right[c]) for r, c in pairs)
    count, distance = best_by_trying_all(left, right, within)
    assert len(pairs) == count
    assert total == pytest.approx(distance)
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)


@given(points, points)
def test_the_order_of_finds_does_not_matter(left: Points, right: Points) -> None:
    boxes = [Box(x, y, x + 9, y + 9) for x, y in right]
    forward, backward = tally(left, boxes), tally(left[::-1], boxes[::-1])
    assert forward.distance == pytest.approx(backward.distance)
    assert (forward.found, forward.false, forward.missed) == (
        backward.found,
        backward.false,
        backward.missed,
    )


def test_nearest_first_would_lose_a_pair() -> None:
    # The left find is nearest to the right target, whose own find has no other.
    pairs = match_points([(0, 0), (12, 0)], [(-11, 0), (1, 0)], within=12)
    assert pairs.tolist() == [[0, 0], [1, 1]]


def test_the_limit_is_included() -> None:
    assert len(match_points([(0, 0)], [(12, 0)])) == 1
    assert len(match_points([(0, 0)], [(12.01, 0)])) == 0


def test_counts_by_hand() -> None:
    boxes = [
        Box(10, 10, 20, 20, "sperm"),
        Box(50, 50, 56, 56, "small-head"),
        Box(100, 100, 160, 160, "cluster"),
        Box(110, 110, 120, 120, "sperm"),
        Box(200, 200, 230, 230, "impurity"),
        Box(300, 300, 310, 310, "sperm"),
    ]
    finds = [
        (14.5, 17.5),  # 3 px below the first
        (52.5, 52.5),  # the small head
        (114.5, 114.5),  # the one told apart in the cluster
        (150.0, 150.0),  # in the cluster, no box of its own
        (215.0, 215.0),  # on the impurity
        (400.0, 400.0),  # on nothing
    ]
    got = tally(finds, boxes)
    assert got == Tally(
        found=3, false=2, missed=1, in_clusters=1, on_impurities=1, distance=pytest.approx(3.0)
    )
    assert got.precision == pytest.approx(3 / 5)
    assert got.recall == pytest.approx(3 / 4)
    assert got.f1 == pytest.approx(6 / 9)
    assert got.mean_distance == pytest.approx(1.0)


def test_nothing_to_find_and_nothing_found() -> None:
    assert tally([], []) == Tally()
    assert math.isnan(Tally().f1)
    assert tally([(1, 1)], []) == Tally(false=1)
    assert pooled([Tally(found=1, distance=2.0), Tally(false=1, missed=2)]) == Tally(
        1, 1, 2, 0, 0, 2
    )


def test_f1_is_the_harmonic_mean() -> None:
    got = Tally(found=7, false=2, missed=5)
    assert got.f1 == pytest.approx(2 / (1 / got.precision + 1 / got.recall))


def test_a_negative_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="within must be at least 0 px, got -1"):
        match_points(np.zeros((1, 2)), np.zeros((1, 2)), within=-1)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from androscope.learning.trust.faithfulness import (
    BLOCK,
    STEPS,
    areas,
    centre_prior,
    order,
    random_map,
    stages,
)

SIZE = 32
#: Where the model of these tests looks: rows 4 to 12, columns 20 to 28, far from the centre.
SPOT = (slice(4, 12), slice(20, 28))


def _grade(crops: Any) -> Any:
    """Abnormal, the brighter the spot; the second label never changes."""
    bright = (crops[:, *SPOT].mean((1, 2)) - 100) / 100
    return np.stack([np.clip(bright, 0, 1), np.full(len(crops), 0.2)], 1).astype(np.float32)


def _crop() -> Any:
    crop = np.full((SIZE, SIZE), 100, np.uint8)
    crop[SPOT] = 190
    return crop


def _oracle() -> Any:
    heat = np.zeros((SIZE, SIZE), np.float32)
    heat[SPOT] = 1
    return heat


def test_regions_are_ranked_by_their_mean() -> None:
    heat = random_map(SIZE, 1)
    rows = SIZE // BLOCK
    means = [
        heat[BLOCK * r : BLOCK * (r + 1), BLOCK * c : BLOCK * (c + 1)].mean()
        for r in range(rows)
        for c in range(rows)
    ]
    assert list(order(heat)) == sorted(range(rows**2), key=lambda region: -means[region])
    assert list(order(np.zeros((SIZE, SIZE), np.float32))) == list(range(rows**2))


def test_stages_go_from_one_picture_to_the_other() -> None:
    crop, ground = np.full((SIZE, SIZE), 7, np.uint8), np.zeros((SIZE, SIZE), np.uint8)
    got = stages(crop, ground, order(_oracle()))
    assert len(got) == STEPS + 1
    assert (got[0] == crop).all()
    assert (got[-1] == ground).all()
    taken = (got == 0).sum((1, 2))
    assert (np.diff(taken) >= 0).all()
    assert (taken % BLOCK**2 == 0).all()
    # The spot's four regions go first.
    first = got[np.flatnonzero(taken)[0]]
    assert ((first == 0) <= (_oracle() > 0)).all()


def test_areas_are_those_of_a_naive_implementation() -> None:
    crop, heat = _crop(), random_map(SIZE, 3)
    (got,) = areas(_grade, crop, [heat], 0, abnormal=True)
    ranked, regions = order(heat), (SIZE // BLOCK) ** 2
    total, before = 0.0, None
    for point in range(STEPS + 1):
        count = round(regions * (point / STEPS) ** 2)
        left = crop.copy()
        for region in ranked[:count]:
            row, column = divmod(int(region), SIZE // BLOCK)
            left[BLOCK * row : BLOCK * (row + 1), BLOCK * column : BLOCK * (column + 1)] = 100
        here = count / regions, float(_grade(left[None])[0, 0])
        if before is not None:
            total += (here[0] - before[0]) * (here[1] + before[1]) / 2
        before = here
    assert got.deletion == pytest.approx(total, abs=1e-6)


def test_a_true_map_beats_chance_and_the_centre() -> None:
    heats = [_oracle(), random_map(SIZE, 0), centre_prior(SIZE)]
    true, chance, centre = areas(_grade, _crop(), heats, 0, abnormal=True)
    assert true.deletion < 0.2 < min(chance.deletion, centre.deletion)
    assert true.insertion > 0.8 > max(chance.insertion, centre.insertion)


def test_the_probability_followed_is_that_of_the_verdict() -> None:
    (same,) = areas(_grade, _crop(), [_oracle()], 1, abnormal=True)
    assert (same.deletion, same.insertion) == pytest.approx((0.2, 0.2))
    (normal,) = areas(_grade, _crop(), [_oracle()], 1, abnormal=False)
    assert (normal.deletion, normal.insertion) == pytest.approx((0.8, 0.8))


def test_priors() -> None:
    np.testing.assert_array_equal(random_map(SIZE, 1, 2), random_map(SIZE, 1, 2))
    assert (random_map(SIZE, 1, 2) != random_map(SIZE, 1, 3)).any()
    centre = centre_prior(64)
    y, x = np.indices((64, 64)) - 31.5
    np.testing.assert_allclose(centre, np.exp(-(x**2 + y**2) / 200), atol=1e-6)


def test_a_crop_that_is_not_whole_regions() -> None:
    with pytest.raises(ValueError, match="expected a side that 4 divides, got 30"):
        areas(_grade, _crop()[:30, :30], [random_map(30, 0)], 0, abnormal=True)

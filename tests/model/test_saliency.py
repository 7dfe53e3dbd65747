from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from androscope.model.saliency import RADII, ROW, discs, filled_in, heat_maps, log_odds

SIZE = 16


def _sigmoid(x: Any) -> Any:
    return (1 / (1 + np.exp(-np.asarray(x)))).astype(np.float32)


def _spots(crops: Any) -> Any:
    """A model of two labels: one likes it bright at (x 4, y 11), the other dark at (12, 3)."""
    grey = crops.astype(np.float64) - 128
    return _sigmoid(np.stack([grey[:, 11, 4], -grey[:, 3, 12]], 1) / 50)


def _crop(seed: int = 0) -> Any:
    crop = np.random.default_rng(seed).integers(120, 136, (SIZE, SIZE), dtype=np.uint8)
    crop[11, 4], crop[3, 12] = 220, 30
    return crop


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        pytest.param(0.5, 0.0, id="even"),
        pytest.param(0.9, math.log(9), id="nine to one"),
        pytest.param(0.0, -math.log(1e6 - 1), id="never below 1e-6"),
        pytest.param(1.0, math.log(1e6 - 1), id="never above 1 - 1e-6"),
    ],
)
def test_log_odds(probability: float, expected: float) -> None:
    assert log_odds(np.float32([probability]))[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("size", "radius", "number"), [(16, 0.2, 4), (15, 0.3, 3), (64, 9 / 64, 2)]
)
def test_discs_are_the_naive_ones(size: int, radius: float, number: int) -> None:
    step = size / number
    got = discs(size, radius, number)
    assert got.shape == (number**2, size, size)
    for disc in range(number**2):
        cy, cx = (disc // number + 0.5) * step - 0.5, (disc % number + 0.5) * step - 0.5
        for y, x in ((0, 0), (size // 2, size // 3), (int(cy), int(cx)), (size - 1, 1)):
            wanted = min(1.0, max(0.0, radius * size + 0.5 - math.dist((y, x), (cy, cx))))
            assert got[disc, y, x] == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("size", [32, 64, 96])
@pytest.mark.parametrize("radius", RADII)
def test_the_discs_cover_every_pixel(size: int, radius: float) -> None:
    assert (discs(size, radius, ROW).sum(0) > 0).all()


def _mask(*, top: int, bottom: int) -> Any:
    mask = np.zeros((1, SIZE, SIZE), np.float32)
    mask[0, top:bottom, top:bottom] = 1
    return mask


@settings(max_examples=20)
@given(ground=st.integers(0, 255), inside=st.integers(0, 255))
def test_what_is_hidden_looks_like_what_is_around(ground: int, inside: int) -> None:
    crop = np.full((SIZE, SIZE), ground, np.uint8)
    crop[5:-5, 5:-5] = inside
    np.testing.assert_array_equal(filled_in(crop, _mask(top=0, bottom=0))[0], crop)
    # All of what differs is hidden: nothing of it is left.
    assert (filled_in(crop, _mask(top=5, bottom=SIZE - 5)) == ground).all()
    # A place whose surroundings are as it is does not change.
    even = np.full((SIZE, SIZE), inside, np.uint8)
    assert (filled_in(even, _mask(top=4, bottom=12)) == inside).all()
    # Nothing is around: the background's grey.
    assert (filled_in(crop, _mask(top=0, bottom=SIZE)) == ground).all()


def test_the_filling_is_between_what_is_on_either_side() -> None:
    crop = np.tile(np.linspace(40, 200, SIZE).astype(np.uint8), (SIZE, 1))
    (left,) = filled_in(crop, _mask(top=4, bottom=12))
    assert left[8, 4] < left[8, 7] < left[8, 8] < left[8, 11]
    assert crop.min() <= left.min() <= left.max() <= crop.max()
    np.testing.assert_array_equal(left[:, :4], crop[:, :4])


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def test_maps_are_those_of_a_naive_implementation() -> None:
    crop, radii, row = _crop(), (0.3, 0.2), 4
    got = heat_maps(_spots, crop[None], radii=radii, row=row)
    assert got.shape == (1, 2, SIZE, SIZE)
    assert got.dtype == np.float32
    whole = [_logit(float(p)) for p in _spots(crop[None])[0]]
    wanted = np.zeros((2, SIZE, SIZE))
    for radius in radii:
        total, weight = np.zeros((2, SIZE, SIZE)), np.zeros((SIZE, SIZE))
        for mask in discs(SIZE, radius, row):
            without = _spots(filled_in(crop, mask[None]))[0]
            for label in range(2):
                total[label] += (whole[label] - _logit(float(without[label]))) * mask
            weight += mask
        wanted += total / weight / len(radii)
    np.testing.assert_allclose(got[0], wanted, atol=2e-3)


def test_the_peak_is_where_the_model_looks() -> None:
    maps = heat_maps(_spots, _crop()[None])[0]
    for heat, (x, y) in zip(maps, ((4, 11), (12, 3)), strict=True):
        assert heat.max() > 0.5
        top, left = np.unravel_index(int(heat.argmax()), heat.shape)
        assert math.dist((left, top), (x, y)) <= 3


def test_what_speaks_for_normal_is_negative() -> None:
    normal = heat_maps(lambda crops: 1 - _spots(crops), _crop()[None])
    np.testing.assert_allclose(normal, -heat_maps(_spots, _crop()[None]), atol=1e-3)


def test_a_model_that_does_not_look_gives_an_empty_map() -> None:
    blind = heat_maps(lambda crops: np.full((len(crops), 1), 0.3, np.float32), _crop()[None])
    assert not blind.any()


def test_how_often_a_crop_is_graded() -> None:
    graded: list[int] = []

    def count(crops: Any) -> Any:
        graded.append(len(crops))
        return _spots(crops)

    heat_maps(count, _crop()[None])
    assert sum(graded) == len(RADII) * ROW**2 + 1


def test_a_map_depends_on_its_crop_alone() -> None:
    crops = np.stack([_crop(seed) for seed in range(3)])
    together = heat_maps(_spots, crops)
    for number, crop in enumerate(crops):
        np.testing.assert_array_equal(heat_maps(_spots, crop[None])[0], together[number])
    assert heat_maps(_spots, crops[:0]).shape == (0, 2, SIZE, SIZE)

"""Crops out of fields: exact averages, whole-pixel cuts bit for bit, edges repeated and said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.imaging.crop import area_weights
from androscope.imaging.field_crop import cut_crop, interval_weights

FIELD = np.random.default_rng(3).integers(0, 256, (90, 120), dtype=np.uint8)


def test_at_its_own_scale_it_is_a_plain_cut() -> None:
    crop, outside = cut_crop(FIELD, (59.5, 44.5), 1.0, 64)
    np.testing.assert_array_equal(crop, FIELD[13:77, 28:92])
    assert outside == 0


def test_half_the_size_is_the_mean_of_four() -> None:
    crop, _ = cut_crop(FIELD, (59.5, 44.5), 0.5, 32)
    four = FIELD[13:77, 28:92].astype(float).reshape(32, 2, 32, 2).mean(axis=(1, 3))
    np.testing.assert_array_equal(crop, np.floor(four + 0.5))


@given(st.floats(0.3, 3), st.floats(20, 99), st.floats(20, 69))
def test_a_ramp_keeps_its_values_at_their_places(scale: float, x: float, y: float) -> None:
    columns = np.tile(np.arange(120, dtype=np.uint8), (90, 1))
    size = 16
    crop, outside = cut_crop(columns, (x, y), scale, size)
    place = x + (np.arange(size) - (size - 1) / 2) / scale
    inside = (place > 2) & (place < 117)
    np.testing.assert_allclose(crop[8][inside], place[inside], atol=0.7)
    assert 0 <= outside <= 1


@given(st.integers(1, 60), st.integers(1, 60))
def test_whole_intervals_weigh_as_resizing_does(old: int, new: int) -> None:
    np.testing.assert_allclose(interval_weights(0, old, old, new), area_weights(old, new))


@pytest.mark.parametrize(
    ("centre", "share"),
    [
        pytest.param((60, 45), 0.0, id="inside"),
        pytest.param((-0.5, 45), 0.5, id="on the left edge"),
        pytest.param((-0.5, -0.5), 0.75, id="in the corner"),
        pytest.param((-500, 45), 1.0, id="far outside"),
    ],
)
def test_what_lies_outside_is_said(centre: tuple[float, float], share: float) -> None:
    crop, outside = cut_crop(FIELD, centre, 1.6, 64)
    assert outside == pytest.approx(share)
    assert crop.shape == (64, 64)
    assert crop.dtype == np.uint8


def test_the_edge_is_repeated() -> None:
    field = np.full((50, 50), 10, np.uint8)
    field[:, 0] = 200
    crop, _ = cut_crop(field, (0, 25), 1.0, 16)
    assert (crop[:, :7] == 200).all()


@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_a_scale_must_be_positive(bad: float) -> None:
    with pytest.raises(ValueError, match="enlargement and size must be above 0"):
        cut_crop(FIELD, (5, 5), bad)

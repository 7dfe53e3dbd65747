"""Samples of the locator turned, cut and drawn as maps; sketches; frames with clusters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.datasets.located_types import Box, LocatedFrame
from androscope.imaging.contrast import DETECTOR_PX, LIMIT
from androscope.learning.locator_data import (
    Sample,
    cropped,
    frame_sample,
    phantom_field_samples,
    turned,
)
from androscope.learning.locator_sketch import sketched_sample
from androscope.learning.locator_targets import draw, maps_of

NONE4 = np.zeros((0, 4))


def sample(*points: tuple[int, int], size: tuple[int, int] = (40, 60)) -> Sample:
    """A dark field with one bright pixel at each point, which is a head there."""
    contrast = np.zeros(size, np.float32)
    for x, y in points:
        contrast[y, x] = 1
    heads = np.array([(x, y, 16, 10, 0.3) for x, y in points], np.float64).reshape(-1, 5)
    return Sample(contrast, heads, np.zeros((0, 3)), NONE4, True, "made")


@given(st.integers(0, 59), st.integers(0, 39), st.integers(0, 7), st.booleans())
def test_what_is_turned_keeps_its_heads(x: int, y: int, quarters: int, mirrored: bool) -> None:
    result = turned(sample((x, y)), quarters, mirrored)
    column, row = (round(v) for v in result.heads[0, :2])
    assert result.contrast[row, column] == 1


def test_an_angle_turns_anticlockwise_and_mirrors() -> None:
    assert turned(sample((3, 4)), 1, False).heads[0, 4] == pytest.approx(0.3 + math.pi / 2)
    assert turned(sample((3, 4)), 0, True).heads[0, 4] == pytest.approx(math.pi - 0.3)


@given(st.integers(0, 3))
def test_unsure_areas_turn_too(quarters: int) -> None:
    area = Sample(
        np.zeros((40, 60), np.float32), np.array([[10.0, 20, 16, 10, 0]]), np.zeros((0, 3)),
        np.array([[8.0, 18, 12, 22]]), True, "made",
    )  # fmt: skip
    result = turned(area, quarters, True)
    (left, top, right, bottom), (x, y) = result.unsure[0], result.heads[0, :2]
    assert (x, y) == pytest.approx(((left + right) / 2, (top + bottom) / 2))


@given(st.integers(-30, 50), st.integers(-30, 30))
def test_a_crop_shows_what_lies_in_it(left: int, top: int) -> None:
    result = cropped(sample((20, 15)), left, top, 32)
    assert result.contrast.shape == (32, 32)
    x, y = result.heads[0, :2]
    inside = 0 <= x < 32 and 0 <= y < 32
    assert result.contrast.sum() == inside
    if inside:
        assert result.contrast[int(y), int(x)] == 1


def test_maps_of_one_head() -> None:
    heat, known, axes, near = maps_of(sample((17, 22), size=(64, 64)))
    row, column = np.unravel_index(heat[0].argmax(), heat[0].shape)
    assert heat[0, row, column] == 1
    assert abs(column * 4 + 1.5 - 17) <= 2
    assert abs(row * 4 + 1.5 - 22) <= 2
    assert heat[1:].sum() == 0
    assert known.all()
    # What stands beside the peak leads back to the head.
    assert (column + axes[0, row, column]) * 4 + 1.5 == pytest.approx(17)
    assert (row + axes[1, row, column]) * 4 + 1.5 == pytest.approx(22)
    assert np.exp(axes[2:4, row, column]) * DETECTOR_PX == pytest.approx([16, 10])
    assert np.arctan2(axes[5, row, column], axes[4, row, column]) / 2 == pytest.approx(0.3)
    assert near[:, row, column].all()


def test_nothing_is_taught_where_it_is_unsure() -> None:
    area = sample(size=(64, 64))
    area = Sample(
        area.contrast, area.heads, area.others, np.array([[0.0, 0, 31, 63]]), True, "made"
    )
    _, known, _, _ = maps_of(area)
    assert not known[0, :, :8].any()
    assert known[0, :, 8:].all()
    assert known[1:].all()


def test_frames_teach_centres_alone(tmp_path: object) -> None:
    class Frame(LocatedFrame):
        def pixels(self) -> np.ndarray:
            return np.full((100, 200), 90, np.uint8)

    boxes = (Box(40, 40, 60, 60), Box(100, 20, 140, 60, "cluster"))
    frame = Frame("v", "v_1", tmp_path, (200, 100), boxes)  # type: ignore[arg-type]
    result = frame_sample(frame, 32.0, "made")
    assert result.contrast.shape == (50, 100)
    assert result.heads[0, :2] == pytest.approx((24.5, 24.5))
    assert not result.whole
    heat, known, _, near = maps_of(result)
    assert heat[0].max() == 1
    assert not known[1:].any()
    assert near[:2].any()
    assert not near[2:].any()
    assert known[0, 5, 15] == 0


@pytest.mark.parametrize("seed", [0, 1])
def test_sketches_and_phantoms_are_as_their_seed(seed: int) -> None:
    first, second = (sketched_sample(np.random.default_rng(seed), 160, 1.3) for _ in range(2))
    np.testing.assert_array_equal(first.contrast, second.contrast)
    np.testing.assert_array_equal(first.heads, second.heads)
    one, two = (list(phantom_field_samples(2, seed, size=128)) for _ in range(2))
    np.testing.assert_array_equal(one[1].contrast, two[1].contrast)
    assert [s.source for s in one] == ["bright-field", "phase-positive"]


def test_sketched_heads_stand_out_where_they_are_said_to_be() -> None:
    rng, inside, everywhere = np.random.default_rng(3), [], []
    for _ in range(12):
        made = sketched_sample(rng, 160, 1.0)
        strength = np.abs(made.contrast)
        everywhere.append(strength.mean())
        for x, y, *_ in made.heads:
            column, row = round(x), round(y)
            if 4 <= column < 156 and 4 <= row < 156:
                inside.append(strength[row - 4 : row + 5, column - 4 : column + 5].mean())
    assert len(inside) > 20
    assert np.median(inside) > 5 * np.median(everywhere)


def test_crops_come_in_both_contrasts() -> None:
    rng = np.random.default_rng(0)
    signs = [np.sign(draw(sample((30, 20)), rng, 64).contrast.sum()) for _ in range(40)]
    assert {-1.0, 1.0} <= set(signs)
    assert all(np.abs(draw(sample((30, 20)), rng, 64).contrast).max() <= LIMIT for _ in range(5))

"""Values to 8-bit grey: against Pillow's luma, by hand, and as properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from androscope.errors import ImageDimensionsError, ImageUnsupportedError, ImageValuesError
from androscope.imaging.values import (
    DEPTHS,
    Scale,
    Statistics,
    choose_scale,
    from_left_aligned,
    measure,
    to_grey,
    to_uint8,
)

COLOURS = hnp.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3)))
WIDE = hnp.arrays(np.uint16, st.tuples(st.integers(1, 6), st.integers(1, 6)))


@given(COLOURS)
def test_luma_equals_pillows_to_the_bit(samples):
    pillow = np.asarray(Image.fromarray(samples).convert("L"))
    np.testing.assert_array_equal(to_grey(samples), pillow)


@given(COLOURS)
def test_luma_of_16_bits_is_the_same_picture(samples):
    wide = samples.astype(np.uint16) * 257
    eight = to_uint8(to_grey(wide), Scale(white=65535.0)).astype(int)
    assert np.abs(eight - to_grey(samples)).max() <= 1


def test_luma_of_the_brightest_16_bit_colour_does_not_overflow():
    assert to_grey(np.full((1, 1, 3), 65535, np.uint16))[0, 0] == 65535


def test_grey_colours_stay_their_grey():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(to_grey(np.repeat(grey[:, :, None], 3, axis=2)), grey)


def test_five_channels_are_refused():
    with pytest.raises(ImageUnsupportedError) as caught:
        to_grey(np.zeros((4, 4, 5), np.uint8))
    assert str(caught.value) == (
        "expected a picture of shape (H, W), (H, W, 3) or (H, W, 4), got (4, 4, 5). "
        "Give one grey or colour picture at a time"
    )


@pytest.mark.parametrize(
    ("largest", "white"),
    [
        (0, 255),
        (255, 255),
        (256, 1023),
        (1023, 1023),
        (1024, 4095),
        (4095, 4095),
        (4096, 16383),
        (16383, 16383),
        (16384, 65535),
        (65535, 65535),
    ],
)
def test_depth_is_the_smallest_that_holds_the_largest_value(largest, white):
    assert choose_scale([Statistics("int", largest)]).white == white


@given(WIDE)
def test_scaling_is_monotone_and_never_stretches(samples):
    scale = choose_scale([measure(samples)])
    eight = to_uint8(samples, scale)
    assert scale.white in [2**depth - 1 for depth in DEPTHS]
    exact = np.floor(samples.astype(np.float64) * 255 / scale.white + 0.5)
    np.testing.assert_array_equal(eight, exact)
    order = np.argsort(samples, axis=None)
    assert (np.diff(eight.ravel()[order].astype(int)) >= 0).all()


def test_eight_bits_in_wide_integers_are_taken_as_they_are():
    samples = np.arange(256, dtype=np.uint16).reshape(16, 16)
    scale = choose_scale([measure(samples)])
    np.testing.assert_array_equal(to_uint8(samples, scale), samples)
    assert scale.note == ("bit depth guessed: 8, the fewest bits that hold the largest value, 255")


def test_bits_stated_by_the_file_win_over_the_largest_value():
    assert choose_scale([Statistics("int", 900.0)], bits=12) == Scale(
        4095.0, "12 bits (stated by the file) scaled to 8"
    )


def test_bits_that_cannot_be_true_are_not_believed():
    assert choose_scale([Statistics("int", 5000.0)], bits=12).white == 16383


def test_one_dark_picture_of_a_stack_keeps_the_stacks_scale():
    assert choose_scale([Statistics("int", 4000.0), Statistics("int", 100.0)]).white == 4095


@pytest.mark.parametrize(
    ("maxima", "white"),
    [
        ([1.0], 1.0),
        ([0.2], 1.0),
        ([1.0005], 1.0),
        ([200.0], 255.0),
        ([1.0, 0.9, 250.0], 1.0),
        ([200.0, 180.0, 0.0], 255.0),
    ],
    ids=["unit", "dark", "overshoot", "255", "one-outlier", "one-black"],
)
def test_floats_are_unit_or_255_as_most_of_the_file(maxima, white):
    assert choose_scale([Statistics("float", m) for m in maxima]).white == white


def test_a_plane_beyond_its_files_scale_is_refused():
    with pytest.raises(ImageValuesError, match="expected values up to 1 as in the rest"):
        to_uint8(np.array([[250.0]]), Scale(white=1.0))


@given(hnp.arrays(np.float64, (3, 3), elements=st.floats(0, 1)))
def test_unit_floats_round_half_up(samples):
    eight = to_uint8(samples, Scale(white=1.0))
    assert np.abs(eight - samples * 255).max() <= 0.5 + 1e-9


def test_bools_are_black_and_white():
    assert to_uint8(np.array([[True, False]]), Scale(255.0)).tolist() == [[255, 0]]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (
            np.array([[0.5, np.nan]]),
            "expected finite pixel values, got 1 NaN or infinite of 2",
        ),
        (np.array([[np.inf]]), "expected finite pixel values, got 1 NaN or infinite of 1"),
        (np.array([[-3, 7]]), "expected 0 to 65535 as int64 pixel values, got -3 to 7"),
        (np.array([[70000]]), "expected 0 to 65535 as int64 pixel values, got 70000 to 70000"),
        (
            np.array([[-0.5, 1.0]]),
            "expected 0 to 1 or 0 to 255 as float64 pixel values, got -0.5 to 1",
        ),
        (np.array([[1 + 2j]]), "expected numbers as pixels (bool, integer or float)"),
        (np.array([["a"]]), "expected numbers as pixels (bool, integer or float)"),
        (np.array([[None]]), "expected numbers as pixels (bool, integer or float)"),
    ],
    ids=["nan", "inf", "negative", "too-large", "negative-float", "complex", "text", "object"],
)
def test_values_that_mean_nothing_are_refused(samples, message):
    with pytest.raises(ImageValuesError) as caught:
        measure(samples)
    assert message in str(caught.value)
    assert caught.value.advice


def test_no_pixels_are_refused():
    with pytest.raises(ImageDimensionsError, match="expected at least one pixel"):
        measure(np.zeros((0, 4), np.uint8))


def test_left_aligned_and_low_bits_are_told_apart():
    camera = np.arange(0, 200, dtype=np.uint16).reshape(10, 20)  # a dark 12-bit picture
    assert from_left_aligned(camera, 12) == 12
    assert from_left_aligned(camera << 4, 12) == 16
    assert from_left_aligned((camera << 4) | (camera >> 8), 12) == 16

"""Crops: shapes refused by name, geometry as properties, resizing against other code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from androscope.errors import ImageDimensionsError
from androscope.imaging.crop import area_weights, resize, resized_from, to_crop
from androscope.types import GreyImage

SIDES = st.integers(33, 100)
SQUARES = SIDES.flatmap(lambda n: hnp.arrays(np.uint8, (n, n), fill=st.just(128)))


def grey(pixels, **more):
    return GreyImage(np.asarray(pixels, np.uint8), "a.png", **more)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


@pytest.mark.parametrize("fit", ["auto", "resize", "centre"])
def test_a_crop_of_the_right_size_is_untouched(fit):
    pixels = noise(64, 64)
    crop = to_crop(
        grey(pixels, pixel_size_um=0.3, notes=("before",)), model_pixel_size_um=0.1, fit=fit
    )
    np.testing.assert_array_equal(crop.pixels, pixels)
    assert crop.notes == ("before",)
    assert (crop.source, crop.index) == ("a.png", None)


@given(SQUARES, st.sampled_from(["auto", "resize", "centre"]), st.sampled_from([48, 64, 96]))
def test_every_square_gives_the_asked_for_shape_and_type(pixels, fit, size):
    crop = to_crop(grey(pixels), size=size, fit=fit)
    assert crop.pixels.shape == (size, size)
    assert crop.pixels.dtype == np.uint8
    assert crop.pixels.flags.c_contiguous


@given(
    st.integers(33, 120), st.integers(33, 120), st.integers(0, 255), st.sampled_from([0.5, 1.0, 2])
)
def test_constant_pictures_stay_constant(height, width, level, ratio):
    if max(height, width) > 1.5 * min(height, width):
        return
    image = grey(np.full((height, width), level), pixel_size_um=0.1)
    for fit in ("auto", "resize", "centre"):
        model = 0.1 / ratio
        if fit == "auto" and min(height, width) * ratio < 32:
            continue
        crop = to_crop(image, model_pixel_size_um=model, fit=fit)
        assert (crop.pixels == level).all()


@given(SQUARES, st.sampled_from(["resize", "centre"]))
def test_mirroring_and_cropping_commute(pixels, fit):
    if fit == "centre" and len(pixels) % 2:
        return  # an odd margin has no centred cut
    crop = to_crop(grey(pixels), fit=fit).pixels.astype(int)
    for axis in (0, 1):
        mirrored = to_crop(grey(np.flip(pixels, axis)), fit=fit).pixels
        assert np.abs(np.flip(mirrored, axis) - crop).max() <= 1


@given(SQUARES, st.integers(1, 60))
def test_shrinking_keeps_order_and_range(pixels, more):
    brighter = np.minimum(pixels.astype(int) + more, 255).astype(np.uint8)
    small = resize(pixels, 24, 24)
    assert (resize(brighter, 24, 24) >= small).all()
    assert pixels.min() <= small.min() <= small.max() <= pixels.max()


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_whole_factors_are_block_means(factor):
    pixels = noise(16 * factor, 12 * factor)
    means = pixels.reshape(16, factor, 12, factor).mean(axis=(1, 3))
    assert np.abs(resize(pixels, 16, 12) - means).max() <= 0.5 + 1e-6


@pytest.mark.parametrize(("old", "new"), [(96, 64), (80, 64), (100, 64), (70, 64), (65, 64)])
def test_area_average_equals_enlarging_exactly_then_block_means(old, new):
    # old * new grid: each old pixel repeated `new` times, then means over `old`; no weights.
    pixels = noise(old, old, seed=old)
    fine = pixels.astype(float).repeat(new, axis=0)
    rows = fine.reshape(new, old, old).mean(axis=1)
    both = rows.repeat(new, axis=1).reshape(new, new, old).mean(axis=2)
    assert np.abs(resize(pixels, new, new) - both).max() <= 0.5 + 1e-6


def test_halving_equals_pillows_reduce():
    pixels = noise(128, 128)
    other = np.asarray(Image.fromarray(pixels).reduce(2)).astype(int)
    assert np.abs(resize(pixels, 64, 64) - other).max() <= 1


@given(st.integers(1, 200), st.integers(1, 200))
def test_area_weights_share_every_input_pixel_evenly(old, new):
    weights = area_weights(old, new)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(weights.sum(axis=0), new / old, rtol=1e-9)
    assert (weights >= 0).all()


def test_enlarging_is_bicubic_and_keeps_a_ramp():
    ramp = np.tile(np.linspace(40, 200, 40), (40, 1)).astype(np.uint8)
    large = to_crop(grey(ramp), fit="resize")
    assert (np.diff(large.pixels.astype(int), axis=1) >= 0).all()
    assert large.notes == ("resized from 40 to 64 px",)
    assert resized_from(large.notes) == 40
    assert resized_from(("16-bit scaled to 8",)) is None


def test_not_square_loses_its_edges_not_its_proportions():
    pixels = noise(64, 90)
    crop = to_crop(grey(pixels))
    np.testing.assert_array_equal(crop.pixels, pixels[:, 13:77])
    assert crop.notes == ("cut to the centred 64 x 64 px square of 90 x 64",)


def test_centre_of_128_is_the_stored_64_crop():
    pixels = noise(128, 128)
    crop = to_crop(grey(pixels), fit="centre")
    np.testing.assert_array_equal(crop.pixels, pixels[32:96, 32:96])
    assert crop.notes == ("centre 64 x 64 px taken of 128 x 128",)


@pytest.mark.mhsma
def test_mhsmas_64_crops_are_the_centres_of_its_128_crops(mhsma_dir):
    large = np.load(mhsma_dir / "x_128_valid.npy", mmap_mode="r")
    stored = np.load(mhsma_dir / "x_64_valid.npy", mmap_mode="r")
    for number in range(0, len(stored), 20):
        crop = to_crop(grey(np.array(large[number])), fit="centre")
        np.testing.assert_array_equal(crop.pixels, stored[number])


def test_known_pixel_sizes_rescale_then_take_the_centre():
    # A disc of 2 um radius has the same number of pixels whatever camera took it.
    y, x = np.mgrid[-60:61, -60:61] * 0.08
    disc = np.where(x**2 + y**2 < 4, 200, 50)
    crop = to_crop(grey(disc, pixel_size_um=0.08), model_pixel_size_um=0.12)
    assert crop.pixels.shape == (64, 64)
    assert (crop.pixels > 125).sum() * 0.12**2 == pytest.approx(np.pi * 4, rel=0.03)
    assert crop.notes == (
        "rescaled by 0.667 from 0.08 to 0.12 um/px",
        "centre 64 x 64 px taken of 81 x 81",
    )


@pytest.mark.parametrize(("given", "told"), [(0.4, True), (0.201, False)], ids=["apart", "alike"])
def test_the_files_pixel_size_wins_over_the_callers(given, told):
    image = grey(noise(128, 128), pixel_size_um=0.2)
    crop = to_crop(image, pixel_size_um=given, model_pixel_size_um=0.1)
    assert "rescaled by 2 from 0.2 to 0.1 um/px" in crop.notes
    said = f"the pixel size given, {given} um, is not the file's own, 0.2 um, which is believed"
    assert (said in crop.notes) is told


def test_too_small_after_rescaling_repeats_its_edges():
    crop = to_crop(grey(noise(50, 50)), fit="centre")
    assert crop.notes == ("edges repeated to fill 64 x 64 px from 50 x 50",)
    assert (crop.pixels[0] == crop.pixels[7]).all()
    assert (crop.pixels[:, 0] == crop.pixels[:, 7]).all()


@pytest.mark.parametrize(
    ("height", "width", "message"),
    [
        (1, 1, "a.png: expected at least 32 px on a side, got 1 x 1 px"),
        (64, 1, "a.png: expected at least 32 px on a side, got 1 x 64 px"),
        (1, 64, "a.png: expected at least 32 px on a side, got 64 x 1 px"),
        (31, 31, "a.png: expected at least 32 px on a side, got 31 x 31 px"),
        (40, 100, "a.png: expected a nearly square crop (sides within 1 : 1.5), got 100 x 40 px"),
        (
            480,
            640,
            "a.png: looks like a whole field of view, not a crop of one sperm: "
            "expected at most 512 px on a side, got 640 x 480 px",
        ),
    ],
    ids=["1x1", "64x1", "1x64", "31x31", "strip", "field"],
)
@pytest.mark.parametrize("fit", ["auto", "resize", "centre"])
def test_shapes_that_are_no_crop_are_refused(height, width, message, fit):
    with pytest.raises(ImageDimensionsError) as caught:
        to_crop(grey(np.zeros((height, width))), fit=fit)
    assert str(caught.value).startswith(message)
    assert "64 x 64" in str(caught.value) or "square" in str(caught.value)


def test_a_field_of_known_pixel_size_is_refused_too():
    image = grey(np.zeros((480, 480)), pixel_size_um=0.1, index=3)
    with pytest.raises(ImageDimensionsError) as caught:
        to_crop(image, model_pixel_size_um=0.1)
    assert str(caught.value).startswith("a.png[3]: looks like a whole field of view")


def test_a_fine_large_crop_of_known_pixel_size_is_taken():
    crop = to_crop(grey(noise(600, 600), pixel_size_um=0.02), model_pixel_size_um=0.1)
    assert crop.pixels.shape == (64, 64)


def test_too_small_after_rescaling_is_refused():
    with pytest.raises(ImageDimensionsError, match=r"got 64 x 60 px \(26 x 24 rescaled\)"):
        to_crop(grey(noise(60, 64), pixel_size_um=0.1), model_pixel_size_um=0.25)


@pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf")])
def test_pixel_sizes_must_be_sizes(bad):
    with pytest.raises(ValueError, match="pixel sizes must be above 0"):
        to_crop(grey(noise(70, 70)), pixel_size_um=bad, model_pixel_size_um=0.1)

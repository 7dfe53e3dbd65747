"""Filters against SciPy, and against what can be said without it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from androscope.imaging.filters import background, gaussian, peaks, resample

ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is not installed (train extra)")

sides = st.integers(3, 24)
images = arrays(np.float32, st.tuples(sides, sides), elements=st.floats(-99, 99, width=32))


@given(images, st.sampled_from([0.5, 1.0, 2.4, 5.0]))
def test_gaussian_is_scipys(image: np.ndarray, sigma: float) -> None:
    expected = ndimage.gaussian_filter(image.astype(np.float64), sigma, mode="nearest")
    np.testing.assert_allclose(gaussian(image, sigma), expected, atol=1e-3)


def test_no_smoothing_changes_nothing() -> None:
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert gaussian(image, 0.0) is image


@given(images, st.sampled_from([1.5, 3.0, 6.0]))
def test_peaks_are_maxima_apart(image: np.ndarray, radius: float) -> None:
    found = peaks(image, radius, floor=0.0)
    whole = np.rint(found[:, :2]).astype(int)
    largest = ndimage.maximum_filter(image, size=3, mode="constant", cval=-np.inf)
    for (x, y, height), (dx, dy) in zip(found, found[:, :2], strict=True):
        column, row = round(x + 1e-9), round(y + 1e-9)
        assert height > 0
        # The fraction is under half a pixel: the maximum is at the rounded place or next to it.
        around = largest[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        assert (around >= height).any()
        assert -0.5 <= dx <= image.shape[1] - 0.5
        assert -0.5 <= dy <= image.shape[0] - 0.5
    assert (np.diff(found[:, 2]) <= 0).all()
    if len(found) > 1:
        gaps = np.hypot(*(whole[:, None] - whole[None]).transpose(2, 0, 1))
        assert gaps[~np.eye(len(found), dtype=bool)].min() > radius - 1.5
    if (image > 0).any():
        assert found[0, 2] == image.max()


def test_a_peak_lies_between_pixels() -> None:
    y, x = np.mgrid[:21, :31]
    image = np.exp(-((x - 12.3) ** 2 + (y - 8.7) ** 2) / 18).astype(np.float32)
    (found,) = peaks(image, 5, 0.1)
    assert found[:2] == pytest.approx([12.3, 8.7], abs=0.02)


def test_the_background_ignores_cells() -> None:
    y, x = np.mgrid[:240, :320]
    ramp = (100 + 0.1 * x + 0.05 * y).astype(np.float32)
    field = ramp.copy()
    for cx, cy in np.random.default_rng(0).integers(20, 220, (25, 2)):
        field[np.hypot(x - cx, y - cy) < 8] = 10
    # Blocks of 60 px, over which the ramp climbs by 9: it is followed closely inside, and half of
    # a block's climb and more is lost at the corners alone.
    error = np.abs(background(field, 60) - ramp)
    assert np.median(error) < 1.0
    assert error[60:-60, 60:-60].max() < 3.0
    assert error.max() < 9.0


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (300, 5)], ids=str)
def test_any_shape_has_a_background(shape: tuple[int, int]) -> None:
    image = np.full(shape, 42, np.float32)
    np.testing.assert_allclose(background(image, 50), 42)


def test_shrinking_averages_and_keeps_the_mean() -> None:
    image = np.random.default_rng(1).normal(100, 20, (60, 90)).astype(np.float32)
    small = resample(image, 1 / 3)
    np.testing.assert_allclose(small, image.reshape(20, 3, 30, 3).mean(axis=(1, 3)), rtol=1e-5)
    assert resample(image, 1.0) is image

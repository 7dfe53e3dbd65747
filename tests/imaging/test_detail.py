"""Detail falls with blur, with and without noise; noise alone is none."""

from __future__ import annotations

import numpy as np
import pytest

from androscope.imaging.detail import SIDE, fine_detail
from androscope.imaging.filters import gaussian
from androscope.imaging.phantom_set import phantom_set
from androscope.types import FloatArray

PHANTOMS = np.stack([phantom.pixels for phantom in phantom_set(24, 5)]).astype(np.float32)


def _wave(period: float) -> FloatArray:
    x = np.arange(64) - 31.5
    return np.tile(128 + 40 * np.cos(2 * np.pi * x / period), (1, 64, 1)).astype(np.float32)


def _blurred(sigma: float, noise: float) -> FloatArray:
    soft = np.stack([gaussian(crop, sigma) for crop in PHANTOMS])
    return np.rint(soft + np.random.default_rng(0).normal(0, noise, soft.shape)).astype(np.float32)


@pytest.mark.parametrize(
    ("fine", "expected"),
    [pytest.param(0.0, 0.0, id="coarse alone"), pytest.param(0.5, 0.5, id="half as strong")],
)
def test_it_is_the_ratio_of_amplitudes(fine: float, expected: float) -> None:
    both = 128 + (_wave(24) - 128) + fine * (_wave(7) - 128)
    assert fine_detail(both)[0] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_it_falls_with_blur(noise: float) -> None:
    before = fine_detail(_blurred(0, noise))
    for sigma in (2, 4):
        after = fine_detail(_blurred(sigma, noise))
        assert (after < before).mean() > 0.9
        before = after
    assert np.median(after) < np.median(fine_detail(PHANTOMS)) / 2


def test_contrast_and_exposure_change_nothing() -> None:
    changed = 90 + 0.5 * (PHANTOMS - 128)
    np.testing.assert_allclose(fine_detail(changed), fine_detail(PHANTOMS), rtol=0.02)


def test_a_blank_crop_has_none() -> None:
    assert fine_detail(np.full((1, 64, 64), 90, np.float32)) == [0]
    assert fine_detail(np.zeros((0, 64, 64), np.float32)).shape == (0,)
    assert SIDE < 64

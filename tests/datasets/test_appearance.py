from __future__ import annotations

import numpy as np
import pytest

from androscope.datasets.appearance import MEASURES, appearance
from androscope.imaging.phantom_set import phantom_set
from androscope.types import UInt8Array


def ellipse(half_length: float, half_width: float, *, dx: int = 0, head: int = 90) -> UInt8Array:
    y, x = np.mgrid[:64, :64] - 31.5
    inside = ((x - dx) / half_length) ** 2 + (y / half_width) ** 2 <= 1
    return np.where(inside, head, 130).astype(np.uint8)


def measured(crop: UInt8Array) -> dict[str, float]:
    return {key: float(value[0]) for key, value in appearance(crop[None]).items()}


def test_every_measure_has_one_value_per_crop() -> None:
    crops = np.stack([phantom.pixels for phantom in phantom_set(3, 0)])
    found = appearance(crops)
    assert found.keys() == MEASURES.keys()
    assert all(value.shape == (3,) and np.isfinite(value).all() for value in found.values())


def test_greys() -> None:
    found = measured(ellipse(16, 10))
    assert found["background"] == 130
    assert (found["darkest"], found["brightest"]) == (90, 130)
    assert found["mean"] == pytest.approx(ellipse(16, 10).mean())


def test_an_outline_has_the_axes_of_an_ellipse_of_line_masses() -> None:
    # A thin circle of radius r has second moments r^2 / 2, so 4 roots are 2.83 r.
    found = measured(ellipse(14, 14))
    assert found["length"] == pytest.approx(2.83 * 14, rel=0.03)
    assert found["width"] == pytest.approx(2.83 * 14, rel=0.03)


def test_larger_and_longer_heads_measure_so() -> None:
    small, long = measured(ellipse(10, 7)), measured(ellipse(18, 7))
    assert long["length"] > small["length"] + 10
    assert abs(long["width"] - small["width"]) < 3


@pytest.mark.parametrize("head", [90, 170], ids=["dark", "bright"])
def test_size_does_not_depend_on_polarity_or_on_turning(head: int) -> None:
    plain = measured(ellipse(15, 9))
    other = measured(np.ascontiguousarray(np.rot90(ellipse(15, 9, head=head))))
    for key in ("length", "width"):
        assert other[key] == pytest.approx(plain[key], rel=1e-6)


def test_off_centre_is_the_shift() -> None:
    assert measured(ellipse(9, 7))["off_centre"] == pytest.approx(0, abs=0.01)
    assert measured(ellipse(9, 7, dx=6))["off_centre"] == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("sigma", [2.0, 5.0])
def test_noise_is_measured_in_grey_values(sigma: float) -> None:
    rng = np.random.default_rng(0)
    noisy = np.clip(rng.normal(128, sigma, (4, 64, 64)), 0, 255).round().astype(np.uint8)
    assert np.allclose(appearance(noisy)["noise"], sigma, rtol=0.05)

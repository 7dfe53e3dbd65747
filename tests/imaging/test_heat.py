from __future__ import annotations

import numpy as np
import pytest

from androscope.imaging.heat import ABNORMAL_COLOUR, NORMAL_COLOUR, draw_heat

GREY = np.full((64, 64), 100, np.uint8)


def test_a_picture_large_enough_to_see_with_its_legend_below() -> None:
    plain = draw_heat(GREY, np.zeros((64, 64), np.float32))
    assert plain.shape[1] == 384
    assert plain.dtype == np.uint8
    assert (plain[:384] == 100).all()
    assert draw_heat(GREY, np.zeros((64, 64), np.float32), lines=["a", "b"]).shape[0] > len(plain)


@pytest.mark.parametrize(
    ("sign", "colour"),
    [pytest.param(1, ABNORMAL_COLOUR, id="abnormal"), pytest.param(-1, NORMAL_COLOUR, id="normal")],
)
def test_colour_says_what_a_place_speaks_for(sign: int, colour: tuple[int, int, int]) -> None:
    heat = np.zeros((64, 64), np.float32)
    heat[20:44, 20:44] = sign * 3.0
    seen = draw_heat(GREY, heat)[192, 192].astype(int)
    np.testing.assert_allclose(seen, 0.6 * np.asarray(colour) + 0.4 * 100, atol=1)


def test_a_faint_map_looks_faint() -> None:
    heat = np.zeros((64, 64), np.float32)
    heat[20:44, 20:44] = 0.1
    seen = draw_heat(GREY, heat)[:384].astype(int)
    assert 0 < np.abs(seen - 100).max() < 15


def test_the_ring_is_at_the_peak() -> None:
    heat = np.zeros((64, 64), np.float32)
    changed = draw_heat(GREY, heat, peak=(10, 50)) != draw_heat(GREY, heat)
    y, x = np.nonzero(changed.any(axis=2))
    assert (x.mean(), y.mean()) == pytest.approx((10.5 * 6, 50.5 * 6), abs=1)


@pytest.mark.parametrize(
    "heat",
    [
        pytest.param(np.zeros((63, 64), np.float32), id="another shape"),
        pytest.param(np.full((64, 64), np.nan, np.float32), id="NaN"),
    ],
)
def test_what_is_no_map_of_the_crop(heat: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=r"expected a finite map of the crop's shape \(64, 64\)"):
        draw_heat(GREY, heat)

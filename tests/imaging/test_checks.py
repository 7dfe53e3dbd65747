"""Measures of crops: what each says of pictures made for it, and what does not change it."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from androscope.imaging.checks import measure_crops
from androscope.imaging.crop import resize
from androscope.imaging.phantom import Optics, PhantomSperm, render_crop
from androscope.imaging.phantom_set import phantom_set

SIZE = 64
PHANTOMS = np.stack([phantom.pixels for phantom in phantom_set(24, 5)])


def _disc(centres: list[tuple[float, float, float]], *, dark: float = 60, noise: float = 1.0):
    """Dark ellipses (x, y, half length) on an even background."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIZE, :SIZE]
    grey = np.full((SIZE, SIZE), 128.0)
    for cx, cy, half in centres:
        inside = ((x - cx) / half) ** 2 + ((y - cy) / (half * 0.65)) ** 2
        grey -= dark / (1 + np.exp(np.minimum(8 * (inside - 1), 50)))
    return np.clip(grey + rng.normal(0, noise, grey.shape), 0, 255).astype(np.uint8)


def _of(pixels, name: str) -> float:
    return float(asdict(measure_crops(np.asarray(pixels)[None]))[name][0])


@pytest.mark.parametrize("half", [10, 14, 18, 22])
def test_length_is_near_that_of_a_head(half: int) -> None:
    length = _of(_disc([(31.5, 31.5, half)]), "length")
    # Softened, an outline lies a little outside.
    assert 2 * half - 2 <= length <= 2 * half + 9


def test_a_phantom_head_is_measured_near_its_length() -> None:
    found = []
    for seed in range(8):
        phantom = render_crop(PhantomSperm(), seed, optics=Optics())
        found.append(_of(phantom.pixels, "length") / phantom.axes[0])
    assert 0.8 < np.median(found) < 1.25


@pytest.mark.parametrize(
    ("centres", "low", "high"),
    [
        pytest.param([(31.5, 31.5, 16)], 0, 0.02, id="one-head"),
        pytest.param([(20, 16, 13), (42, 48, 13)], 0.7, 1, id="two-heads"),
        pytest.param([(30, 18, 16), (36, 52, 10)], 0.02, 0.8, id="head-and-speck"),
    ],
)
def test_the_second_thing(centres, low: float, high: float) -> None:
    assert low <= _of(_disc(centres), "second") <= high


@pytest.mark.parametrize(
    ("x", "low", "high"),
    [
        pytest.param(31.5, 0, 0.0, id="inside"),
        pytest.param(4, 0.08, 0.4, id="cut"),
    ],
)
def test_the_edge(x: float, low: float, high: float) -> None:
    assert low <= _of(_disc([(x, 31.5, 16)]), "edge") <= high


@pytest.mark.parametrize(
    ("centres", "low", "high"),
    [
        pytest.param([(31.5, 31.5, 18)], 0, 0.0, id="one head"),
        pytest.param([(31.5, 31.5, 18), (56, 50, 14)], 0.1, 1, id="a second one"),
        # What is off the middle is still one head: its own middle counts.
        pytest.param([(24, 38, 18)], 0, 0.02, id="off the middle"),
    ],
)
def test_what_is_beside_the_head(centres, low: float, high: float) -> None:
    assert low <= _of(_disc(centres), "beside") <= high


@pytest.mark.parametrize(("dark", "sign"), [(60, -1), (-60, 1)])
def test_polarity_is_the_sign_of_what_stands_out(dark: float, sign: int) -> None:
    assert 0.8 < sign * _of(_disc([(31.5, 31.5, 16)], dark=dark), "polarity") <= 1


def test_inverting_turns_the_polarity_around() -> None:
    before, after = measure_crops(PHANTOMS), measure_crops(255 - PHANTOMS)
    # The frame's fifths, from which the background is taken, are not quite symmetric.
    np.testing.assert_allclose(after.polarity, -before.polarity, atol=0.01)
    np.testing.assert_allclose(after.detail, before.detail, atol=1e-3)


@pytest.mark.parametrize("dark", [20, 40, 80])
def test_contrast_is_webers(dark: float) -> None:
    assert _of(_disc([(31.5, 31.5, 18)], dark=dark), "contrast") == pytest.approx(
        dark / 128, rel=0.12
    )


def test_an_uneven_light_is_no_contrast() -> None:
    ramp = np.linspace(90, 170, SIZE)[None, :] * np.ones((SIZE, 1))
    assert _of(np.rint(ramp).astype(np.uint8), "contrast") < 0.01


@pytest.mark.parametrize(
    ("black", "white", "share"),
    [(0, 0, 0.0), (64, 0, 64 / 4096), (0, 640, 640 / 4096), (64, 64, 128 / 4096)],
)
def test_saturation_is_the_share_at_both_ends(black: int, white: int, share: float) -> None:
    flat = np.full(SIZE * SIZE, 120, np.uint8)
    flat[:black], flat[black : black + white] = 0, 255
    assert _of(flat.reshape(SIZE, SIZE), "saturation") == pytest.approx(share)


def test_sharpness_falls_with_every_step_of_blur() -> None:
    clear = PHANTOMS.astype(np.float64)
    before = measure_crops(PHANTOMS).sharpness
    for _ in range(4):
        for axis in (1, 2):
            for _ in range(3):
                near = np.roll(clear, 1, axis) + np.roll(clear, -1, axis)
                clear = (2 * clear + near) / 4
        after = measure_crops(np.rint(clear).astype(np.uint8)).sharpness
        # A blurred head has less contrast too, and rounding adds some: nearly all, by a margin.
        assert (after < before).mean() > 0.9
        assert np.median(after) < np.median(before)
        before = after


@given(turns=st.integers(1, 3), mirrored=st.booleans(), seed=st.integers(0, 2**16))
@settings(max_examples=15)
def test_turning_and_mirroring_change_nothing(turns: int, mirrored: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (4, SIZE, SIZE), dtype=np.uint8)
    crops = np.concatenate([PHANTOMS[rng.choice(24, 6)], noise])
    turned = np.rot90(crops[:, :, ::-1] if mirrored else crops, turns, axes=(1, 2))
    before, after = asdict(measure_crops(crops)), asdict(measure_crops(turned))
    for name, values in before.items():
        # Sums of float32 in another order; a pixel at an outline's level may fall either way.
        tolerance = 0.35 if name in ("length", "second", "edge", "beside") else 1e-3
        np.testing.assert_allclose(after[name], values, atol=tolerance, err_msg=name)


@given(offset=st.integers(-40, 40))
@settings(max_examples=10)
def test_exposure_changes_no_shape(offset: int) -> None:
    brighter = np.clip(PHANTOMS[:8].astype(int) + offset, 0, 255).astype(np.uint8)
    before, after = measure_crops(PHANTOMS[:8]), measure_crops(brighter)
    np.testing.assert_allclose(after.length, before.length, rtol=1e-3)
    np.testing.assert_allclose(after.sharpness, before.sharpness, rtol=1e-3)


@pytest.mark.parametrize("size", [32, 96, 128])
def test_crops_of_another_size_measure_alike(size: int) -> None:
    other = np.stack([resize(crop, size, size) for crop in PHANTOMS])
    before, after = measure_crops(PHANTOMS), measure_crops(other)
    assert np.median(abs(after.length - before.length)) < 2
    assert np.median(abs(after.contrast - before.contrast)) < 0.03


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_crop_measures_nothing(value: int) -> None:
    found = measure_crops(np.full((1, SIZE, SIZE), value, np.uint8))
    assert found.contrast == found.length == found.second == found.edge == 0
    assert all(np.isfinite(values).all() for values in asdict(found).values())


def test_a_batch_measures_as_its_crops_do() -> None:
    whole = asdict(measure_crops(PHANTOMS[:5]))
    for row in range(5):
        for name, values in asdict(measure_crops(PHANTOMS[row : row + 1])).items():
            assert values[0] == pytest.approx(whole[name][row], abs=1e-5)
    assert len(measure_crops(PHANTOMS[:0]).contrast) == 0

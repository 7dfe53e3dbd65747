"""Fields put together from crops: where heads are, what is left open, what a crop becomes."""

from __future__ import annotations

import numpy as np
import pytest

from androscope.imaging.contrast import DETECTOR_PX
from androscope.imaging.phantom_set import phantom_set
from androscope.learning import locator_pasted
from androscope.learning.locator_pasted import CROP_HEAD_PX, CROP_PX, pasted_sample

CROPS = np.stack([phantom.pixels for phantom in phantom_set(6, 5)])


def field(seed: int, crops: np.ndarray = CROPS, jitter: float = 1.3):
    return pasted_sample(np.random.default_rng(seed), crops, 240, jitter)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_is_a_field(seed: int) -> None:
    first, second = field(seed), field(seed)
    np.testing.assert_array_equal(first.contrast, second.contrast)
    np.testing.assert_array_equal(first.heads, second.heads)
    assert first.contrast.shape == (240, 240)
    assert first.contrast.dtype == np.float32
    assert not np.array_equal(first.contrast, field(seed + 2).contrast)


def test_centres_are_taught_alone() -> None:
    made = field(3)
    assert not made.whole
    assert made.source == "pasted"


def test_heads_are_where_they_are_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field of crops less one of empty crops, drawn alike, is there at heads and nowhere else."""
    # Whether a tail is drawn depends on the crop, and all draws after it with that.
    monkeypatch.setattr(locator_pasted, "_go_on_with_tail", lambda *_: None)
    empty = np.full_like(CROPS, 120)
    seen = 0
    for seed in range(8):
        made = field(seed, jitter=1.0)
        bare = field(seed, crops=empty, jitter=1.0)
        np.testing.assert_array_equal(made.heads, bare.heads)
        added = np.abs(made.contrast - bare.contrast)
        ys, xs = np.mgrid[:240, :240]
        places = np.concatenate([made.heads[:, :2], (made.unsure[:, :2] + made.unsure[:, 2:]) / 2])
        if not len(places):
            continue
        gaps = np.hypot(xs - places[:, 0, None, None], ys - places[:, 1, None, None])
        heads = gaps[: len(made.heads)]
        seen += len(heads)
        for gap in heads[:, 30:-30, 30:-30]:
            near = added[30:-30, 30:-30][gap < 0.4 * DETECTOR_PX]
            assert near.size == 0 or near.max() > 0.05
    assert seen > 20


def test_a_head_far_out_of_focus_is_neither_taught_nor_denied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sharp = field(4)
    monkeypatch.setattr(locator_pasted, "_blur_of_depth", lambda rng: 3.0 * (rng.random() >= 0))
    assert len(field(4).heads) == 0
    monkeypatch.setattr(locator_pasted, "_blur_of_depth", lambda rng: 1.0 * (rng.random() >= 0))
    soft = field(4)
    assert len(soft.heads) >= len(sharp.heads) > 0


def test_a_crop_becomes_a_soft_patch_with_a_positive_head() -> None:
    steps = np.arange(CROP_PX) - (CROP_PX - 1) / 2
    inside = np.hypot(steps[:, None] / 19, steps[None, :] / 12) < 1
    crop = np.where(inside, 80, 120).astype(np.uint8)
    patch = locator_pasted._patch(crop, 0.0, False, DETECTOR_PX)
    side = round(CROP_PX * DETECTOR_PX / CROP_HEAD_PX)
    assert patch.shape == (side, side)
    middle = side // 2
    assert patch[middle, middle] == pytest.approx(40 / 120, abs=0.01)
    # 38 px of the crop are 16 of the patch.
    column = patch[:, middle] > 0.5 * patch[middle, middle]
    assert column.sum() == pytest.approx(DETECTOR_PX, abs=1)
    assert np.abs(patch[0]).max() < 0.01
    turned = locator_pasted._patch(crop, 90.0, False, DETECTOR_PX)
    np.testing.assert_allclose(turned, patch.T, atol=0.05)


def test_a_tail_goes_on_where_the_crop_shows_one() -> None:
    canvas = np.zeros((200, 200), np.float32)
    patch = np.zeros((27, 27), np.float32)
    patch[12:15, 14:] = 0.5  # to the right
    locator_pasted._go_on_with_tail(
        canvas, np.random.default_rng(0), patch, 60.0, 100.0, DETECTOR_PX, 1.0
    )
    _, xs = np.nonzero(canvas > 0.1)
    assert xs.min() >= 66
    assert xs.max() > 75
    without = np.zeros_like(canvas)
    locator_pasted._go_on_with_tail(
        without, np.random.default_rng(0), 0 * patch, 60.0, 100.0, DETECTOR_PX, 1.0
    )
    assert not without.any()

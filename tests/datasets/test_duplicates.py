from __future__ import annotations

import numpy as np
import pytest

from androscope.datasets import Dataset, LabelledCrops
from androscope.datasets.duplicates import THRESHOLD, Pair, band_pass, near_duplicates, similarity
from androscope.imaging.phantom import render_crop
from androscope.imaging.phantom_set import phantom_set
from androscope.types import UInt8Array


def crops_of(crops: UInt8Array, name: str) -> LabelledCrops:
    return LabelledCrops(
        crops=crops,
        labels=np.zeros((len(crops), 1), np.int8),
        label_names=("head",),
        ids=tuple(f"{name}/{i}" for i in range(len(crops))),
    )


def data_set(**splits: UInt8Array) -> Dataset:
    return Dataset("toy", {name: crops_of(crops, name) for name, crops in splits.items()})


@pytest.fixture(scope="module")
def phantoms() -> UInt8Array:
    return np.stack([phantom.pixels for phantom in phantom_set(40, 11)])


def seen_again(crop: UInt8Array, *, shift: tuple[int, int] = (2, -3), seed: int = 0) -> UInt8Array:
    """The same sperm a little elsewhere, in other light, with noise of its own."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :64]
    moved = np.roll(crop, shift, axis=(0, 1)).astype(float)
    lit = (moved - 128) * 1.3 + 118 + 0.2 * y - 0.1 * x
    return np.clip(lit + rng.normal(0, 0.8, lit.shape), 0, 255).round().astype(np.uint8)


def test_planted_pairs_are_found_and_nothing_else(phantoms: UInt8Array) -> None:
    train, valid, test = phantoms[:20], phantoms[20:30].copy(), phantoms[30:].copy()
    valid[4] = seen_again(train[7])
    test[2] = np.rot90(seen_again(train[11]))
    test[3] = np.fliplr(seen_again(valid[8]))
    test[9] = train[0]
    pairs = near_duplicates(data_set(train=train, valid=valid, test=test))
    assert {(p.split_a, p.index_a, p.split_b, p.index_b, p.turned, p.exact) for p in pairs} == {
        ("train", 7, "valid", 4, False, False),
        ("train", 11, "test", 2, True, False),
        ("valid", 8, "test", 3, True, False),
        ("train", 0, "test", 9, False, True),
    }
    assert pairs[0] == Pair("train", 0, "test", 9, 1.0, exact=True)
    assert [p.similarity for p in pairs] == sorted((p.similarity for p in pairs), reverse=True)


def test_a_sperm_in_three_splits_makes_three_pairs(phantoms: UInt8Array) -> None:
    train, valid, test = phantoms[:5], phantoms[5:10].copy(), phantoms[10:15].copy()
    valid[1], test[2] = seen_again(train[3], seed=1), seen_again(train[3], seed=2)
    assert len(near_duplicates(data_set(train=train, valid=valid, test=test))) == 3


def test_two_pictures_within_one_split_are_not_the_question(phantoms: UInt8Array) -> None:
    train = phantoms[:5].copy()
    train[4] = train[0]
    assert near_duplicates(data_set(train=train, test=phantoms[5:8])) == []


def test_another_exposure_of_the_same_sperm_is_near() -> None:
    (one,) = phantom_set(1, 4)
    again = render_crop(
        one.spec,
        seed=one.seed + 1,  # other noise
        optics=one.optics,
        angle_deg=one.angle_deg,
        centre=(one.centre[0] + 1.5, one.centre[1] - 1),
    )
    assert similarity(one.pixels, again.pixels) > THRESHOLD


@pytest.mark.parametrize("threshold", [0.8, 0.9, THRESHOLD])
def test_the_fast_search_finds_what_the_plain_definition_finds(
    phantoms: UInt8Array, threshold: float
) -> None:
    a, b = phantoms[:12], phantoms[12:20].copy()
    b[0], b[5] = seen_again(a[2]), np.flipud(seen_again(a[9], shift=(5, 4)))
    plain = {
        (i, j): score
        for i, one in enumerate(a)
        for j, other in enumerate(b)
        if (score := similarity(one, other)) >= threshold
    }
    fast = {
        (p.index_a, p.index_b): p.similarity
        for p in near_duplicates(data_set(train=a, test=b), threshold=threshold)
    }
    assert fast.keys() == plain.keys()
    assert len(plain) >= 2
    assert all(fast[key] == pytest.approx(plain[key], abs=1e-6) for key in plain)


def test_light_and_contrast_do_not_matter(phantoms: UInt8Array) -> None:
    darker = (phantoms[0] * 0.6 + 20).round().astype(np.uint8)
    assert similarity(phantoms[0], darker) > 0.99
    assert similarity(phantoms[0], 255 - phantoms[0]) < 0.5


def test_flat_crops_are_alike_only_if_identical() -> None:
    flat = np.stack([np.full((64, 64), grey, np.uint8) for grey in (90, 120)])
    assert near_duplicates(data_set(train=flat, test=flat[:1])) == [
        Pair("train", 0, "test", 0, 1.0, exact=True)
    ]


def test_other_crop_sizes_are_compared_at_64_px(phantoms: UInt8Array) -> None:
    large = phantoms[:6].repeat(2, axis=1).repeat(2, axis=2)
    (pair,) = near_duplicates(data_set(train=large, test=large[3:4]))
    assert (pair.index_a, pair.exact) == (3, True)


def test_empty_splits_have_no_pairs(phantoms: UInt8Array) -> None:
    assert near_duplicates(data_set(train=phantoms[:3], test=phantoms[:0])) == []


@pytest.mark.parametrize("threshold", [0.0, 1.1])
def test_a_threshold_that_means_nothing_is_refused(phantoms: UInt8Array, threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold must be above 0 and at most 1"):
        near_duplicates(data_set(train=phantoms[:2], test=phantoms[2:4]), threshold=threshold)


def test_the_band_pass_is_scipys(phantoms: UInt8Array) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="scipy comes with the train extra")
    pixels = phantoms[:3].astype(np.float64)
    fine, broad = (ndimage.gaussian_filter(pixels, (0, s, s), mode="reflect") for s in (0.8, 4.0))
    assert np.allclose(band_pass(phantoms[:3]), fine - broad, atol=2e-3)

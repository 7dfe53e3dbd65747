"""Crops spoilt in one way each: what is changed, by how much, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from androscope.imaging.checks import measure_crops
from androscope.imaging.phantom_set import phantom_set
from androscope.learning.trust.altered import ALTERATIONS, Alteration, altered
from androscope.types import UInt8Array

CROPS = np.stack([phantom.pixels for phantom in phantom_set(12, 3)])
KINDS = {kind.what: kind for kind in ALTERATIONS}


def _altered(what: str) -> UInt8Array:
    return altered(CROPS, KINDS[what])


@pytest.mark.parametrize("kind", ALTERATIONS, ids=lambda kind: kind.what)
def test_the_same_every_time(kind: Alteration) -> None:
    found = altered(CROPS, kind)
    assert found.shape == CROPS.shape
    assert found.dtype == np.uint8
    assert (found != CROPS).any(axis=(1, 2)).all()
    np.testing.assert_array_equal(found, altered(CROPS, kind))


def test_names_differ_and_some_of_each_are_strong() -> None:
    assert len(KINDS) == len(ALTERATIONS)
    strong = [kind.what for kind in ALTERATIONS if kind.strong]
    assert strong == [
        "blurred by 4 px",
        "blurred by 4 px, then noise of 1 grey level",
        "head moved by 24 px",
        "a second head 24 to 36 px away",
        "grey inverted",
        "contrast x 0.35",
    ]


def test_inverted() -> None:
    np.testing.assert_array_equal(_altered("grey inverted"), 255 - CROPS)


@pytest.mark.parametrize(
    ("what", "measure", "ratio"),
    [
        pytest.param("contrast x 0.5", "contrast", 0.5, id="half the contrast"),
        pytest.param("contrast x 0.35", "contrast", 0.35, id="a third"),
    ],
)
def test_contrast(what: str, measure: str, ratio: float) -> None:
    before, after = measure_crops(CROPS), measure_crops(_altered(what))
    found = np.median(getattr(after, measure) / getattr(before, measure))
    assert found == pytest.approx(ratio, rel=0.15)


def test_each_step_of_blur_takes_more_detail() -> None:
    steps = [measure_crops(_altered(f"blurred by {n} px")).detail for n in (2, 3, 4)]
    medians = [np.median(found) for found in (measure_crops(CROPS).detail, *steps)]
    assert medians == sorted(medians, reverse=True)


@pytest.mark.parametrize("distance", [16, 24])
def test_the_head_is_moved(distance: int) -> None:
    found = _altered(f"head moved by {distance} px")
    for before, after in zip(CROPS.astype(int), found.astype(int), strict=True):
        # Somewhere on the circle the crop is found again, but for what has left it.
        differences = []
        for angle in np.linspace(0, 2 * np.pi, 360, endpoint=False):
            x, y = round(distance * np.cos(angle)), round(distance * np.sin(angle))
            was = before[max(0, -y) : 64 - max(0, y), max(0, -x) : 64 - max(0, x)]
            now = after[max(0, y) : 64 - max(0, -y), max(0, x) : 64 - max(0, -x)]
            differences.append(abs(was - now).max())
        assert min(differences) == 0


def test_a_second_head_leaves_the_first() -> None:
    found = _altered("a second head 24 to 36 px away").astype(int)
    middle = abs(found - CROPS)[:, 28:36, 28:36].max(axis=(1, 2))
    assert np.median(middle) <= 2
    away = abs(found - CROPS).max(axis=(1, 2))
    assert (away > 15).all()

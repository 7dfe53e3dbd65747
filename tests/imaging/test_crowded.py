"""Two heads that touch are never one that is graded; a head alone stays one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from androscope.imaging.crowded import mark_crowded, pieces_around, several_heads
from androscope.imaging.head_scale import HEAD_UM
from androscope.imaging.located import Located
from androscope.imaging.phantom_field import render_field
from androscope.imaging.phantom_optics import Polarity

LENGTH = 27.0


def field(*heads: tuple[float, float, float], tail: bool = False, sign: int = -1) -> np.ndarray:
    """A grey field with ellipses a head long and 0.65 as wide: x, y and angle (degrees) of each."""
    y, x = np.mgrid[:240, :320].astype(np.float64)
    pixels = np.full((240, 320), 120.0)
    for at_x, at_y, degrees in heads:
        angle = math.radians(degrees)
        along = (x - at_x) * math.cos(angle) - (y - at_y) * math.sin(angle)
        across = (x - at_x) * math.sin(angle) + (y - at_y) * math.cos(angle)
        inside = np.hypot(along / (LENGTH / 2), across / (0.65 * LENGTH / 2)) < 1
        if tail:
            inside |= (np.abs(across) < 2) & (along < 0) & (along > -90)
        pixels[inside] = 120 + sign * 50
    return pixels.astype(np.uint8)


def found(x: float, y: float, *flags: str) -> Located:
    return Located(x, y, LENGTH, 0.65 * LENGTH, 0.0, 1.0, frozenset(flags))  # type: ignore[arg-type]


@pytest.mark.parametrize("sign", [-1, 1], ids=["dark", "bright"])
@pytest.mark.parametrize("tail", [False, True], ids=["no tail", "tail"])
def test_a_head_alone_has_the_area_of_its_ellipse(sign: int, tail: bool) -> None:
    areas, solidities = pieces_around(
        field((150, 120, 30), tail=tail, sign=sign), [found(150, 120)], LENGTH
    )
    assert areas[0] == pytest.approx(math.pi / 4 * 0.65, abs=0.08)
    assert solidities[0] > 0.96
    assert not several_heads(areas, solidities).any()


@pytest.mark.parametrize("sign", [-1, 1], ids=["dark", "bright"])
@pytest.mark.parametrize(
    "place",
    [
        pytest.param((150.0, 120.0), id="on the first head"),
        pytest.param((150.0, 129.5), id="between the two"),
    ],
)
def test_two_that_touch_are_more_than_one(sign: int, place: tuple[float, float]) -> None:
    pixels = field((150, 120, 0), (150, 139, 10), sign=sign)
    (item,) = mark_crowded(pixels, [found(*place)], LENGTH)
    assert item.flags == {"overlapping"}


def test_what_is_no_sperm_or_cut_by_the_frame_is_not_asked() -> None:
    pixels = field((150, 120, 0), (150, 139, 10))
    items = [found(150, 120, "debris"), found(150, 139, "edge"), found(150, 120, "round")]
    assert mark_crowded(pixels, items, LENGTH) == tuple(items)
    assert mark_crowded(pixels, [], LENGTH) == ()


@pytest.mark.parametrize(
    ("areas", "solidities", "wanted"),
    [
        pytest.param([0.6, 0.65], [1, 1], [False, True], id="few: by the usual size"),
        pytest.param([0.4] * 6 + [0.6], [1] * 7, [False] * 6 + [True], id="large in its field"),
        pytest.param([0.45] * 6 + [0.6], [1] * 7, [False] * 7, id="not so large in its field"),
        pytest.param([0.9] * 6, [0.9] * 6, [True] * 6, id="pairs alone"),
        pytest.param([0.4] * 6, [0.99] * 5 + [0.9], [False] * 5 + [True], id="bays among full"),
        pytest.param([0.4] * 6, [0.9] * 6, [False] * 6, id="all have bays: the optics"),
    ],
)
def test_which_are_several(areas: list[float], solidities: list[float], wanted: list[bool]) -> None:
    assert several_heads(np.array(areas), np.array(solidities)).tolist() == wanted


@pytest.mark.slow
@pytest.mark.parametrize("polarity", ["bright-field", "phase-positive", "phase-negative"])
def test_touching_phantoms_are_rarely_graded(polarity: Polarity) -> None:
    """Of pairs beside heads alone; `benchmarks/touching_heads.py` has more of them."""
    from androscope.finders import finder

    find = finder(threads=1)
    pairs = graded = alone = flagged = 0
    for seed in (150, 151, 152):
        halves = [
            render_field(500, 400, 8, seed, pixel_size_um=0.16, touching=t, polarity=polarity)
            for t in (True, False)
        ]
        sperm = find(np.hstack([half.pixels for half in halves]), HEAD_UM / 0.16).sperm
        free = [(item.x, item.y) for item in sperm if not item.flags]
        for first, second in zip(halves[0].sperm, halves[0].sperm[1:], strict=False):
            if second.touches:
                middle = tuple(np.mean([first.centre, second.centre], axis=0))
                pairs += 1
                graded += any(
                    math.dist(p, spot) < 12
                    for p in free for spot in (first.centre, second.centre, middle)
                )  # fmt: skip
        for one in halves[1].sperm:
            near = [
                i for i in sperm if math.dist((i.x, i.y), (one.centre[0] + 500, one.centre[1])) < 12
            ]
            alone += bool(near)
            flagged += any("overlapping" in item.flags for item in near)
    assert pairs >= 8
    assert graded <= 0.4 * pairs
    assert flagged <= 0.25 * alone

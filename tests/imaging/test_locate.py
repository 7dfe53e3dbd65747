"""Sperm located in phantom fields of known truth, in every kind of microscope."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from androscope.imaging.blobs import BlobOptions, blobs
from androscope.imaging.locate import locate
from androscope.imaging.located import Found, Located
from androscope.imaging.phantom_field import FieldSperm, PhantomField, render_field
from androscope.imaging.phantom_optics import Optics, Polarity
from androscope.imaging.phantom_spec import PhantomSperm

UM = 0.25
LENGTH = PhantomSperm().head_length_um / UM
DARK = Optics()


@cache
def field(polarity: Polarity = "bright-field", n: int = 12, touching: bool = False) -> PhantomField:
    return render_field(
        480, 400, n, 7, pixel_size_um=UM, polarity=polarity, touching=touching,
        round_cells=1, specs=[PhantomSperm()] * n,
        optics=Optics(polarity=polarity),
    )  # fmt: skip


def nearest(found: Found, sperm: FieldSperm) -> Located:
    return min(found.items, key=lambda i: math.hypot(i.x - sperm.centre[0], i.y - sperm.centre[1]))


@pytest.mark.parametrize("polarity", ["bright-field", "phase-positive", "phase-negative"])
def test_heads_are_found_with_their_axes(polarity: Polarity) -> None:
    truth = field(polarity)
    found = locate(truth.pixels, LENGTH)
    assert found.sign == (1 if polarity == "phase-negative" else -1)
    lengths, widths, turns = [], [], []
    for sperm in truth.sperm:
        item = nearest(found, sperm)
        assert math.hypot(item.x - sperm.centre[0], item.y - sperm.centre[1]) < 0.3 * LENGTH
        assert item.is_sperm
        lengths.append(item.length / sperm.axes[0])
        widths.append(item.width / sperm.axes[1])
        turns.append(abs((item.angle_deg - sperm.angle_deg + 90) % 180 - 90))
    assert np.median(lengths) == pytest.approx(1, abs=0.12)
    assert np.median(widths) == pytest.approx(1, abs=0.12)
    assert np.median(turns) < 6
    # The round cell may not be among them.
    assert len(found.sperm) <= len(truth.sperm) + 1


def test_a_round_cell_is_told_apart() -> None:
    truth = field()
    (cell,) = (other for other in truth.others if other.kind == "round-cell")
    near = [
        item for item in locate(truth.pixels, LENGTH).items
        if math.hypot(item.x - cell.centre[0], item.y - cell.centre[1]) < cell.radius
    ]  # fmt: skip
    assert all("round" in item.flags for item in near)


def test_touching_heads_are_never_one_head_without_a_flag() -> None:
    truth = field(n=8, touching=True)
    found = locate(truth.pixels, LENGTH)
    pairs = [
        (truth.sperm[i], truth.sperm[i + 1]) for i in range(0, 8, 2) if truth.sperm[i + 1].touches
    ]
    assert pairs
    for first, second in pairs:
        for item in {nearest(found, first), nearest(found, second)}:
            assert item.flags & {"overlapping", "round"}


def test_a_head_cut_by_the_frame_is_flagged() -> None:
    truth = field()
    sperm = truth.sperm[0]
    x, y = (round(c) for c in sperm.centre)
    cut = truth.pixels[:, x:]
    item = min(locate(cut, LENGTH).items, key=lambda i: math.hypot(i.x, i.y - y))
    assert math.hypot(item.x, item.y - y) < LENGTH
    assert "edge" in item.flags


@pytest.mark.parametrize("factor", [1, 2], ids=["as it is", "twice as large"])
def test_places_scale_with_the_picture(factor: int) -> None:
    truth = field()
    larger = np.kron(truth.pixels, np.ones((factor, factor), np.uint8))
    found = locate(larger, LENGTH * factor)
    item = nearest(locate(truth.pixels, LENGTH), truth.sperm[2])
    same = min(
        found.items,
        key=lambda i: math.hypot((i.x + 0.5) / factor - item.x, (i.y + 0.5) / factor - item.y),
    )
    assert ((same.x + 0.5) / factor - 0.5, (same.y + 0.5) / factor - 0.5) == pytest.approx(
        (item.x, item.y), abs=1.0
    )
    assert same.length / factor == pytest.approx(item.length, rel=0.1)


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(np.zeros((120, 160), np.uint8), id="black"),
        pytest.param(np.full((120, 160), 255, np.uint8), id="saturated"),
        pytest.param(np.full((5, 7), 90, np.uint8), id="tiny"),
        pytest.param(
            np.random.default_rng(0).normal(130, 2, (240, 320)).astype(np.uint8), id="noise"
        ),
    ],
)
def test_nothing_is_found_in_nothing(pixels: np.ndarray) -> None:
    assert locate(pixels, LENGTH).items == ()


def test_a_box_holds_the_ellipse() -> None:
    upright = Located(x=50, y=40, length=20, width=10, angle_deg=90, score=1)
    assert upright.box == pytest.approx((45.5, 30.5, 55.5, 50.5))
    slanted = Located(x=0, y=0, length=20, width=10, angle_deg=45, score=1)
    left, top, right, bottom = slanted.box
    assert right - left == pytest.approx(bottom - top) == pytest.approx(math.sqrt(250))


def test_a_higher_threshold_leaves_fewer() -> None:
    seen = blobs(field().pixels, LENGTH)
    counts = [len(seen.above(BlobOptions(relative=r))) for r in (0.2, 0.4, 0.8, 1.5)]
    assert counts == sorted(counts, reverse=True)


def test_a_head_must_have_a_length() -> None:
    with pytest.raises(ValueError, match="head_length must be above 3 px, got 0"):
        locate(np.zeros((50, 50), np.uint8), 0)

"""Outlines of drawn ellipses: axes, angle, tails cut, touching heads taken apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.imaging.head_masks import ellipse_of, head_masks, lobes, of_both_signs, windows

LENGTH, SIDE = 24.0, 79


def ellipse(x: float, y: float, length: float, width: float, angle_deg: float) -> np.ndarray:
    """Cover ``(SIDE, SIDE)`` by an ellipse; angle anticlockwise from the right."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    angle = math.radians(angle_deg)
    dx, dy = columns - x, y - rows
    along = dx * math.cos(angle) + dy * math.sin(angle)
    across = -dx * math.sin(angle) + dy * math.cos(angle)
    return (2 * along / length) ** 2 + (2 * across / width) ** 2 <= 1


def head_in(contrast: np.ndarray, outline: float = 0.2) -> np.ndarray:
    return head_masks(contrast[None].astype(np.float32), LENGTH, np.array([outline]))[0][0]


@given(
    st.floats(30, 48), st.floats(30, 48), st.floats(16, 30), st.floats(0.4, 0.85), st.floats(0, 179)
)
def test_moments_give_the_ellipse_back(
    x: float, y: float, length: float, ratio: float, angle: float
) -> None:
    got = ellipse_of(ellipse(x, y, length, ratio * length, angle))
    assert got is not None
    assert (got.x, got.y) == pytest.approx((x, y), abs=0.5)
    # A pixel more or less at the tip of a narrow one counts for more than one along its side.
    assert (got.length, got.width) == pytest.approx((length, ratio * length), abs=1.5)
    # The rounder it is, the less a pixel at its edge lets its angle be told.
    assert abs((got.angle_deg - angle + 90) % 180 - 90) < (8 if ratio < 0.7 else 12)
    assert 0 <= got.angle_deg < 180
    assert got.solidity == pytest.approx(1, abs=0.08)


def test_nothing_has_no_ellipse() -> None:
    assert ellipse_of(np.zeros((9, 9), bool)) is None


def test_the_tail_is_cut_and_the_pale_cap_kept() -> None:
    head = ellipse(39, 39, 24, 16, 0)
    contrast = np.where(head, 20.0, 0.0)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    contrast[head & (columns > 42)] = 7.0  # the acrosome
    tail = (np.abs(rows - 39) <= 2) & (columns < 30)
    contrast[tail & ~head] = 12.0
    got = ellipse_of(head_in(contrast))
    assert got is not None
    assert got.length == pytest.approx(24, abs=3)
    assert got.width == pytest.approx(16, abs=1.5)


def test_a_hole_is_filled() -> None:
    contrast = np.where(ellipse(39, 39, 24, 16, 30), 20.0, 0.0)
    contrast[ellipse(41, 39, 6, 6, 0)] = -5.0
    assert head_in(contrast)[39, 41]


def test_the_neighbour_is_left_out() -> None:
    own, other = ellipse(39, 39, 24, 16, 0), ellipse(39, 66, 24, 16, 0)
    got = head_in(np.where(own | other, 20.0, 0.0))
    assert got[39, 39]
    assert not got[66, 39]


def test_nothing_in_the_middle_is_empty() -> None:
    assert not head_in(np.zeros((SIDE, SIDE))).any()


def test_touching_heads_come_apart() -> None:
    pair = ellipse(39, 31.5, 24, 16, 0) | ellipse(39, 46.5, 24, 16, 10)
    parts = lobes(pair, LENGTH)
    assert len(parts) == 2
    assert not (parts[0] & parts[1]).any()
    assert (parts[0] | parts[1] == pair).all()
    heights = sorted(found.y for part in parts if (found := ellipse_of(part)))
    assert heights == pytest.approx([31.5, 46.5], abs=1.5)


@pytest.mark.parametrize("angle", [0, 30, 75, 90])
@pytest.mark.parametrize("ratio", [0.45, 0.65, 0.95])
def test_one_head_stays_one(angle: float, ratio: float) -> None:
    assert len(lobes(ellipse(39, 39, 26, 26 * ratio, angle), LENGTH)) == 1


def test_bright_in_a_dark_rim_is_both() -> None:
    head, inner = ellipse(39, 39, 24, 16, 0), ellipse(39, 39, 18, 11, 0)
    dark = np.where(head, 20.0, 0.0)
    mixed = np.where(inner, -18.0, dark)
    got = of_both_signs(np.stack([dark, mixed]).astype(np.float32), LENGTH)
    assert got.tolist() == [False, True]


def test_windows_are_empty_outside_the_image() -> None:
    image = np.arange(20, dtype=np.float32).reshape(4, 5) + 1
    got = windows(image, np.array([[0, 0], [2, 2]]), 1)
    assert got[0].tolist() == [[0, 0, 0], [0, 1, 2], [0, 6, 7]]
    assert got[1].tolist() == image[1:4, 1:4].tolist()

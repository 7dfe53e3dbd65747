# ruff: noqa: E501  a row of a table of cases stays on one line
"""Heads that are cut, and heads that touch."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.imaging.located import Flag, Located
from androscope.imaging.touching import flagged


def head(x: float, y: float, angle: float = 0.0, kind: frozenset[Flag] = frozenset()) -> Located:
    return Located(x, y, 20.0, 12.0, angle, 0.9, kind)


@pytest.mark.parametrize(
    ("items", "flags"),
    [
        pytest.param([head(50, 50), head(90, 50)], [set(), set()], id="apart"),
        pytest.param([head(50, 50), head(69, 50)], [{"overlapping"}] * 2, id="end to end"),
        pytest.param([head(50, 50), head(50, 69)], [set(), set()], id="side by side, apart"),
        pytest.param([head(50, 50), head(50, 61)], [{"overlapping"}] * 2, id="side by side, touching"),
        pytest.param([head(50, 50, 90), head(50, 69)], [set(), set()], id="a cross, apart"),
        pytest.param([head(9, 50)], [{"edge"}], id="left edge"),
        pytest.param([head(9.5, 50)], [set()], id="just inside"),
        pytest.param([head(50, 95)], [{"edge"}], id="bottom edge"),
        pytest.param([head(50, 50), head(60, 50, 0, frozenset({"debris"}))], [set(), {"debris"}], id="debris beside it"),
    ],
)  # fmt: skip
def test_flags(items: list[Located], flags: list[set[str]]) -> None:
    assert [set(item.flags) for item in flagged(items, (200, 100))] == flags


@given(
    st.floats(-15, 15), st.floats(-15, 15), st.floats(0, 180), st.floats(0, 180), st.floats(0, 6.28)
)
def test_touching_is_symmetric_and_turns_with_the_field(
    dx: float, dy: float, a: float, b: float, turn: float
) -> None:
    def overlapping(items: list[Located]) -> list[bool]:
        return ["overlapping" in item.flags for item in flagged(items, (10_000, 10_000))]

    pair = [head(500, 500, a), head(500 + dx, 500 + dy, b)]
    first, second = overlapping(pair)
    assert first == second
    assert overlapping(pair[::-1]) == [first, second]
    gap = math.hypot(dx, dy)
    assert first or gap > 12 - 1e-6
    assert not first or gap < 20 + 1e-6

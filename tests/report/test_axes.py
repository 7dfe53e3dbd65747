from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.report.axes import Axes, page, ticks

SVG = "{http://www.w3.org/2000/svg}"


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=9))
def test_ticks_span_the_values(values: list[float]) -> None:
    found = ticks(values)
    assert 2 <= len(found) <= 6
    assert found[0] <= min(values) + 1e-6
    assert found[-1] >= max(values) - 1e-6
    steps = {round(b - a, 6) for a, b in pairwise(found)}
    assert len(steps) == 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([73.0, 90.0], [70, 75, 80, 85, 90], id="percent"),
        pytest.param([0.405, 0.578], [0.4, 0.45, 0.5, 0.55, 0.6], id="MCC"),
        pytest.param([84.0], [75, 80, 85, 90], id="one value"),
        pytest.param([70.0, 70.0, 71.0], [70, 70.2, 70.4, 70.6, 70.8, 71], id="narrow"),
    ],
)
def test_ticks(values: list[float], expected: list[float]) -> None:
    assert ticks(values) == pytest.approx(expected)


@given(
    st.lists(st.tuples(st.floats(-90, 90), st.floats(-90, 90)), min_size=1, max_size=20),
    st.text(max_size=20),
)
def test_a_plot_is_whole_xml_and_holds_its_marks(
    points: list[tuple[float, float]], name: str
) -> None:
    axes = Axes(name, name, name, x=[p[0] for p in points], y=[p[1] for p in points])
    for x, y in points:
        axes.point(x, y, name)
    root = ET.fromstring(page([axes, axes, axes], name))
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    assert (width, height) == (2 * axes.width, 2 * axes.height)
    marks = list(root.iter(f"{SVG}circle"))
    assert len(marks) == 3 * len(points)
    for mark in marks:
        assert 0 <= float(mark.get("cx", "")) <= axes.width
        assert 0 <= float(mark.get("cy", "")) <= axes.height


def test_marks_stand_where_their_values_are() -> None:
    axes = Axes("t", "x", "y", x=[0, 10], y=[0, 10])
    for value in (0, 5, 10):
        axes.point(value, value, "")
    marks = list(ET.fromstring(page([axes], "s")).iter(f"{SVG}circle"))
    across = [float(mark.get("cx", "")) for mark in marks]
    down = [float(mark.get("cy", "")) for mark in marks]
    assert across[1] - across[0] == pytest.approx(across[2] - across[1], abs=0.2)
    assert down[0] - down[1] == pytest.approx(down[1] - down[2], abs=0.2)
    assert down[0] > down[2]


def test_many_names_are_thinned_and_none_runs_into_another() -> None:
    names = [f"sample-{i:03d}" for i in range(60)]
    axes = Axes("t", "", "y", x=[], y=[0, 1], x_names=names)
    root = ET.fromstring(page([axes], "s"))
    shown = [t for t in root.iter(f"{SVG}text") if (t.text or "").startswith("sample-")]
    places = [float(t.get("x", "")) for t in shown]
    assert 2 <= len(shown) < 10
    assert all(b - a > 8 * len(names[0]) for a, b in pairwise(places))

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.benchmark.plot import plot_svg, year_of
from androscope.benchmark.ranking import rank

from .conftest import board, entry
from .pages import Element, Page
from .test_entries import SEEN


def draw(*entries: object, metric: str = "accuracy", title: str = "Accuracy") -> Element:
    ranked = rank(board(*entries), "discs", "head", metric)  # type: ignore[arg-type]
    (svg,) = Page(plot_svg(ranked, metric, title)).all("svg")
    return svg


def test_results_stand_where_their_dates_and_scores_are() -> None:
    svg = draw(
        entry("a", 0.7, date="2019"),
        entry("b", 0.9, date="2020"),
        entry("c", 0.8, date="2020-07-02", verification=SEEN),
        entry("base", 0.72, kind="baseline"),
    )
    marks = svg.all("circle")
    assert [m.attributes["class"] for m in marks] == ["unverified", "unverified", "verified"]
    assert [m.text for m in marks] == [
        "a, 2019: 70.00, unverified",
        "b, 2020: 90.00, unverified",
        "c, 2020-07-02: 80.00, verified",
    ]
    x, y = ([float(str(m.attributes[k])) for m in marks] for k in ("cx", "cy"))
    assert x[1] - x[0] == pytest.approx(2 * (x[2] - x[1]), abs=0.3)
    assert y[0] - y[2] == pytest.approx(y[2] - y[1], abs=0.2)
    (line,) = [e for e in svg.all("line") if e.attributes["class"] == "base"]
    assert line.text == "base: 72.00"
    assert y[2] < float(str(line.attributes["y1"])) < y[0]


def test_the_line_is_the_best_so_far() -> None:
    svg = draw(
        entry("a", 0.7, date="2019"), entry("b", 0.9, date="2020"), entry("c", 0.8, date="2021")
    )
    x, y = ([str(m.attributes[k]) for m in svg.all("circle")] for k in ("cx", "cy"))
    (path,) = svg.all("path")
    end = str(path.attributes["d"]).rpartition("H")[2]
    assert path.attributes["d"] == f"M{x[0]} {y[0]}H{x[1]}V{y[1]}H{x[2]}V{y[1]}H{end}"
    assert float(end) > float(x[2])


def test_a_screen_reader_is_told_who_leads() -> None:
    svg = draw(entry("a<b>", 0.7, date="2019-04"), entry("c", 0.6), title="Accuracy on head")
    assert svg.attributes["role"] == "img"
    assert svg.attributes["aria-label"] == (
        "Accuracy on head. The best of 2 is a<b>, 2019-04, with 70.00"
    )


def test_one_result_is_enough_and_none_is_not() -> None:
    assert len(draw(entry()).all("circle")) == 1
    with pytest.raises(ValueError, match="expected at least one result that is no baseline"):
        draw(entry(kind="baseline"))


@given(
    st.lists(
        st.tuples(st.integers(-100, 100), st.dates(date(1990, 1, 1), date(2090, 1, 1))),
        min_size=1,
        max_size=6,
    )
)
def test_everything_is_drawn_inside(results: list[tuple[int, date]]) -> None:
    svg = draw(
        *(
            entry(f"e{i}", date=str(day), scores={"head": {"mcc": {"value": value / 100}}})
            for i, (value, day) in enumerate(results)
        ),
        metric="mcc",
    )
    width, height = map(float, str(svg.attributes["viewbox"]).split()[2:])
    for mark in svg.all("circle"):
        assert 0 <= float(str(mark.attributes["cx"])) <= width
        assert 0 <= float(str(mark.attributes["cy"])) <= height
    years = [t.text for t in svg.all("text") if re.fullmatch(r"\d{4}", t.text)]
    assert 2 <= len(years) <= 6


@pytest.mark.parametrize(
    ("text", "year"),
    [
        pytest.param("2021", 2021.0, id="year"),
        pytest.param("2019-04", 2019 + 90 / 365, id="month"),
        pytest.param("2020-12-31", 2020 + 365 / 366, id="day of a leap year"),
    ],
)
def test_dates_as_years(text: str, year: float) -> None:
    assert year_of(text) == pytest.approx(year)

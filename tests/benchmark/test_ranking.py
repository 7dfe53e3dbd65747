from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.benchmark.ranking import best_over_time, labels_of, percent, rank

from .conftest import board, entry

SCORES = st.lists(
    st.tuples(
        st.integers(0, 10_000).map(lambda v: v / 10_000),
        st.dates().map(str),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


def order(*entries: object) -> list[tuple[int | None, str]]:
    found = rank(board(*entries), "discs", "head", "accuracy")  # type: ignore[arg-type]
    return [(one.rank, one.entry.name) for one in found]


def test_the_best_is_first() -> None:
    assert order(entry("a", 0.7), entry("b", 0.9), entry("c", 0.8)) == [
        (1, "b"),
        (2, "c"),
        (3, "a"),
    ]


def test_equals_share_a_rank_and_the_older_comes_first() -> None:
    found = order(
        entry("new", 0.8, date="2021"),
        entry("old", 0.8, date="2019-04"),
        entry("best", 0.9),
        entry("last", 0.7),
    )
    assert found == [(1, "best"), (2, "old"), (2, "new"), (4, "last")]


def test_a_value_that_was_cut_in_print_equals_the_whole_one() -> None:
    # 242 of 300 crops: printed as 80.66 by some, as 80.67 by others.
    assert order(entry("cut", 0.8066), entry("whole", 242 / 300)) == [(1, "whole"), (1, "cut")]
    assert order(entry("less", 0.8065), entry("whole", 242 / 300)) == [(1, "whole"), (2, "less")]


def test_a_baseline_stands_at_its_place_without_a_rank() -> None:
    found = order(entry("a", 0.9), entry("base", 0.8, kind="baseline"), entry("b", 0.7))
    assert found == [(1, "a"), (None, "base"), (2, "b")]


def test_who_lacks_the_score_is_left_out() -> None:
    there = board(
        entry("none", scores={"tail": {"mcc": {"value": 0.1}}}),
        entry("undefined", scores={"head": {"mcc": {"value": None, "why": "one class"}}}),
    )
    assert rank(there, "discs", "head", "accuracy") == ()
    assert rank(there, "discs", "head", "mcc") == ()
    assert labels_of(there, "discs") == ("head", "tail")


def test_labels_with_nothing_but_a_baseline_are_left_out() -> None:
    there = board(entry(scores={"tail": {"mcc": {"value": 0.1}}}, kind="baseline"), entry("a"))
    assert labels_of(there, "discs") == ("head",)


def test_the_best_so_far() -> None:
    ranked = rank(
        board(
            entry("b", 0.9, date="2021"),
            entry("a", 0.7, date="2019-04"),
            entry("c", 0.8, date="2023-01-18"),
            entry("base", 0.95, date="2018", kind="baseline"),
        ),
        "discs",
        "head",
        "accuracy",
    )
    found = [(r.entry.name, r.value, r.best) for r in best_over_time(ranked)]
    assert found == [("a", 0.7, 0.7), ("b", 0.9, 0.9), ("c", 0.8, 0.9)]
    assert best_over_time(()) == ()


@given(SCORES)
def test_ranks_count_those_ahead(given_: list[tuple[float, str, bool]]) -> None:
    entries = [
        entry(f"e{i}", value, date=day, kind="baseline" if base else "result")
        for i, (value, day, base) in enumerate(given_)
    ]
    found = rank(board(*entries), "discs", "head", "accuracy")
    assert len(found) == len(entries)
    assert [one.value for one in found] == sorted((e[0] for e in given_), reverse=True)
    results = [one for one in found if one.rank is not None]
    for one in results:
        # Values are apart by whole hundredths of a percent here: ties are exact.
        assert one.rank == 1 + sum(other.value > one.value for other in results)
    records = best_over_time(found)
    assert [r.entry.date for r in records] == sorted(one.entry.date for one in results)
    assert all(a.best <= b.best for a, b in pairwise(records))
    assert all(r.best == max(x.value for x in records[: i + 1]) for i, r in enumerate(records))


@pytest.mark.parametrize(
    ("metric", "value", "decimals", "shown"),
    [
        pytest.param("accuracy", 0.84, 2, "84.00", id="percent"),
        pytest.param("accuracy", 0.9, 0, "90", id="as printed"),
        pytest.param("mcc", 0.5775, 2, "0.578", id="MCC"),
        pytest.param("mcc", -0.25, 0, "-0.250", id="negative"),
        pytest.param("roc_auc", None, 2, "-", id="none"),
    ],
)
def test_percent(metric: str, value: float | None, decimals: int, shown: str) -> None:
    assert percent(metric, value, decimals) == shown


def test_percent_of_no_metric() -> None:
    with pytest.raises(ValueError, match=r"expected one of accuracy, .*, got 'auc'"):
        percent("auc", 0.5)

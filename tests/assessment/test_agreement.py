"""WHO's table of acceptable differences, entry by entry."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.assessment.agreement import acceptable_difference, compare

# As it is printed: averages (first, last) and the limit.
PUBLISHED = [
    (0, 0, 1), (1, 1, 2), (2, 2, 3), (3, 4, 4), (5, 7, 5), (8, 11, 6), (12, 16, 7), (17, 23, 8),
    (24, 34, 9), (35, 65, 10), (66, 76, 9), (77, 83, 8), (84, 88, 7), (89, 92, 6), (93, 95, 5),
    (96, 97, 4), (98, 98, 3), (99, 99, 2), (100, 100, 1),
]  # fmt: skip
ENTRIES = [(average, limit) for a, b, limit in PUBLISHED for average in range(a, b + 1)]


def test_the_table_has_every_average_once() -> None:
    assert [average for average, _ in ENTRIES] == list(range(101))


@pytest.mark.parametrize(("average", "limit"), ENTRIES, ids=lambda v: str(v))
def test_every_entry(average: int, limit: int) -> None:
    assert acceptable_difference(average) == limit


@pytest.mark.parametrize("average", range(101))
def test_it_is_its_own_mirror(average: int) -> None:
    assert acceptable_difference(average) == acceptable_difference(100 - average)


def test_it_is_not_the_normal_formula() -> None:
    formula = [round(1.96 * sqrt(2 * a * (100 - a) / 200)) for a in range(101)]
    table = [acceptable_difference(a) for a in range(101)]
    assert sum(a != b for a, b in zip(formula, table, strict=True)) > 20


@pytest.mark.parametrize(
    ("first", "second", "average", "difference", "limit", "agree"),
    [
        # 13.5 is read as 14.
        pytest.param((36, 200), (18, 200), 14, 9, 7, False, id="18% and 9%"),
        pytest.param((20, 200), (28, 200), 12, 4, 7, True, id="10% and 14%"),
        pytest.param((6, 200), (4, 200), 3, 1, 4, True, id="3% and 2%"),
        pytest.param((0, 200), (0, 200), 0, 0, 1, True, id="none at all"),
        pytest.param((200, 200), (200, 200), 100, 0, 1, True, id="all"),
        pytest.param((0, 100), (1, 100), 1, 1, 2, True, id="half a percent is one"),
        pytest.param((40, 100), (50, 100), 45, 10, 10, True, id="just within"),
        pytest.param((400, 1000), (501, 1000), 45, 10.1, 10, False, id="just beyond"),
    ],
)
def test_worked_cases(
    first: tuple[int, int],
    second: tuple[int, int],
    average: int,
    difference: float,
    limit: int,
    agree: bool,
) -> None:
    found = compare(first, second)
    assert (found.average, found.limit, found.agree) == (average, limit, agree)
    assert float(found.difference) == pytest.approx(difference)
    assert compare(second, first).agree is agree


def test_no_rounding_decides() -> None:
    # 1/3 and 1/3 + 9/100 exactly: as floats, the difference comes out a little above 9.
    assert compare((100, 300), (127, 300)).agree


@given(st.tuples(st.integers(0, 400), st.integers(0, 400)))
def test_defects_and_normals_agree_alike_but_for_halves(counts: tuple[int, int]) -> None:
    a, b = counts
    normal, abnormal = compare((a, 400), (b, 400)), compare((400 - a, 400), (400 - b, 400))
    assert normal.difference == abnormal.difference
    if (a + b) % 8 != 4:
        assert normal.agree is abnormal.agree


@pytest.mark.parametrize("average", [-1, 101])
def test_no_percentage(average: int) -> None:
    with pytest.raises(ValueError, match=f"between 0 and 100 percent, got {average}"):
        acceptable_difference(average)


@pytest.mark.parametrize("counts", [(0, 0), (3, 2), (-1, 5)], ids=["of none", "too many", "less"])
def test_impossible_counts(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected 0 <= count <= n and n >= 1"):
        compare((1, 2), counts)

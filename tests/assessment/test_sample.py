from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.assessment.sample import proportion, wilson_interval


def test_a_fraction_of_nothing_is_none() -> None:
    assert proportion(0, 0).fraction is None
    found = proportion(2, 3)
    assert (found.count, found.n, found.fraction) == (2, 3, 2 / 3)
    assert (found.low, found.high) == wilson_interval(2, 3)


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3 (score).
        pytest.param(81, 263, 0.2553, 0.3662, id="81/263"),
        pytest.param(15, 148, 0.0624, 0.1605, id="15/148"),
        pytest.param(0, 20, 0.0000, 0.1611, id="0/20"),
        pytest.param(1, 29, 0.0061, 0.1718, id="1/29"),
    ],
)
def test_published_intervals(count: int, n: int, low: float, high: float) -> None:
    got = wilson_interval(count, n)
    assert got == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_against_scipy(case: tuple[int, int]) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy comes with the train extra")
    count, n = case
    reference = stats.binomtest(count, n).proportion_ci(method="wilson")
    assert wilson_interval(count, n) == pytest.approx((reference.low, reference.high), abs=1e-9)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_ends_solve_the_score_equation(case: tuple[int, int]) -> None:
    """Each end q is where |p - q| equals z standard errors of q: the interval's definition."""
    count, n = case
    low, high = wilson_interval(count, n)
    p = Fraction(count, n)
    assert 0 <= low <= p <= high <= 1
    for q in (low, high):
        if 0 < q < 1:
            assert (float(p) - q) ** 2 == pytest.approx(1.959963985**2 * q * (1 - q) / n, rel=1e-6)


@pytest.mark.parametrize(
    ("count", "n"), [(-1, 3), (4, 3), (0, 0)], ids=["negative", "too many", "of none"]
)
def test_impossible_counts(count: int, n: int) -> None:
    with pytest.raises(ValueError, match="expected 0 <= count <= n and n >= 1"):
        wilson_interval(count, n)


def test_impossible_confidence() -> None:
    with pytest.raises(ValueError, match="confidence must be between 0 and 1, got 95"):
        wilson_interval(1, 2, confidence=95)

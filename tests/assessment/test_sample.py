from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.assessment.sample import summarise, wilson_interval
from androscope.types import Assessment, PartVerdict, Verdict


def _assessment(*abnormal: bool) -> Assessment:
    parts = tuple(
        PartVerdict(label, 0.9 if bad else 0.1, 0.5, Verdict.ABNORMAL if bad else Verdict.NORMAL)
        for label, bad in zip(("head", "tail"), abnormal, strict=True)
    )
    return Assessment("x.png", None, parts)


def test_counts_and_intervals() -> None:
    sample = summarise(
        [_assessment(True, False), _assessment(False, False), _assessment(True, True)],
        ("head", "tail"),
    )
    assert sample.n == 3
    assert (sample.abnormal["head"].count, sample.abnormal["tail"].count) == (2, 1)
    assert sample.abnormal["head"].fraction == 2 / 3
    assert (sample.all_normal.count, sample.all_normal.n) == (1, 3)
    assert (sample.abnormal["head"].low, sample.abnormal["head"].high) == wilson_interval(2, 3)


def test_nothing_assessed_gives_no_fractions() -> None:
    sample = summarise([], ("head",))
    assert sample.n == 0
    assert sample.abnormal["head"].fraction is None
    assert sample.all_normal.low is None


def test_a_label_that_was_not_assessed() -> None:
    with pytest.raises(KeyError, match="'vacuole' is not assessed by this model"):
        summarise([_assessment(True, False)], ("vacuole",))


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

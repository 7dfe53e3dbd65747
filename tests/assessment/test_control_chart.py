from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from androscope.assessment.control_chart import control_chart, limits
from androscope.assessment.tally import Counts

TAIL = stats.norm.cdf(-3)


@pytest.mark.parametrize("n", [1, 5, 20, 40])
@pytest.mark.parametrize("p", [0.02, 0.1, 0.5, 0.93])
def test_limits_of_small_samples_are_scipys_binomial(p: float, n: int) -> None:
    low, high, exact = limits(p, n)
    if n * p * (1 - p) >= 9:
        assert not exact
        return
    assert exact
    assert low == pytest.approx(stats.binom.ppf(TAIL, n, p) / n)
    assert high == pytest.approx(stats.binom.isf(TAIL, n, p) / n)


def test_limits_of_large_samples_are_three_deviations() -> None:
    assert limits(0.3, 200) == (
        pytest.approx(0.3 - 3 * np.sqrt(0.21 / 200)),
        pytest.approx(0.3 + 3 * np.sqrt(0.21 / 200)),
        False,
    )


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_a_reference_of_one_kind_leaves_no_room(p: float) -> None:
    assert limits(p, 50) == (p, p, True)


@pytest.mark.parametrize("n", [20, 200])
def test_a_sample_that_did_not_move_is_hardly_ever_out(n: int) -> None:
    draw = np.random.default_rng(n)
    low, high, _ = limits(0.3, n)
    share = draw.binomial(n, 0.3, 20_000) / n
    assert ((share < low) | (share > high)).mean() < 0.004


def test_a_chart_says_which_samples_are_out() -> None:
    samples = [
        ("a", Counts(30, 70)),
        ("b", Counts(5, 95, 10)),
        ("c", Counts(0, 0, 7)),
        ("d", Counts(9, 1)),
        ("e", Counts(3, 7)),
    ]
    chart = control_chart(Counts(300, 700, 50), samples)
    assert chart.centre.fraction == pytest.approx(0.3)
    assert [point.name for point in chart.out] == ["b", "d"]
    undecided = chart.points[2]
    assert (undecided.share, undecided.low, undecided.out) == (None, None, False)
    assert [point.exact for point in chart.points] == [False, False, False, True, True]


def test_a_reference_without_a_decided_sperm_is_refused() -> None:
    with pytest.raises(ValueError, match="expected decided sperm in the reference, got none"):
        control_chart(Counts(0, 0, 5), [])


@pytest.mark.parametrize(("p", "n"), [(-0.1, 5), (1.1, 5), (0.5, 0)])
def test_limits_out_of_range_are_refused(p: float, n: int) -> None:
    with pytest.raises(ValueError, match="expected 0 <= p <= 1 and n >= 1"):
        limits(p, n)

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from androscope.assessment.bland_altman import SamplePair, bland_altman, t_quantile
from androscope.assessment.observers import Estimate


def samples(*pairs: tuple[int, int], n: int = 100) -> list[SamplePair]:
    return [SamplePair(f"s{i}", n, a, b) for i, (a, b) in enumerate(pairs)]


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 8, 9, 30, 61, 400])
@pytest.mark.parametrize("p", [0.5, 0.8, 0.975, 0.9995])
def test_students_t_is_that_of_scipy(p: float, freedom: int) -> None:
    assert t_quantile(p, freedom) == pytest.approx(stats.t.ppf(p, freedom), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("p", "freedom"), [(0.4, 3), (1.0, 3), (0.9, 0)])
def test_a_quantile_out_of_range_is_refused(p: float, freedom: int) -> None:
    with pytest.raises(ValueError, match=r"expected 0\.5 <= p < 1 and freedom >= 1"):
        t_quantile(p, freedom)


def test_mean_difference_and_limits() -> None:
    draw = np.random.default_rng(0)
    a = draw.integers(20, 80, 25)
    b = a + draw.integers(-6, 9, 25)
    found = bland_altman(samples(*zip(a.tolist(), b.tolist(), strict=True)))
    d = (b - a).astype(float)
    s, n = d.std(ddof=1), len(d)
    assert found.deviation == pytest.approx(s)
    assert found.bias.value == pytest.approx(d.mean())
    around = stats.t.interval(0.95, n - 1, loc=d.mean(), scale=stats.sem(d))
    assert (found.bias.low, found.bias.high) == pytest.approx(around)
    assert found.upper.value == pytest.approx(d.mean() + 1.959964 * s)
    assert found.lower.value == pytest.approx(d.mean() - 1.959964 * s)
    error = s * np.sqrt(1 / n + 1.959964**2 / (2 * (n - 1))) * stats.t.ppf(0.975, n - 1)
    assert found.upper.high == pytest.approx(d.mean() + 1.959964 * s + error)
    assert found.lower.low == pytest.approx(d.mean() - 1.959964 * s - error)


def test_the_interval_of_a_limit_holds_it_about_as_often_as_it_says() -> None:
    inside = 0
    for seed in range(300):
        d = np.random.default_rng([3, seed]).normal(0, 5, 20)
        found = bland_altman([SamplePair("s", 100_000, 0, round(1000 * x)) for x in d])
        assert found.upper.low is not None
        assert found.upper.high is not None
        inside += found.upper.low <= 1.959964 * 5 <= found.upper.high
    assert 0.91 * 300 <= inside <= 0.99 * 300


@pytest.mark.parametrize(
    ("pairs", "upper"),
    [
        pytest.param([(0, 100), (0, 100), (100, 0)], Estimate(100.0), id="wholly beyond"),
        pytest.param([(0, 90), (0, 85), (0, 95)], None, id="the interval alone"),
    ],
)
def test_nothing_lies_beyond_100_points(
    pairs: list[tuple[int, int]], upper: Estimate | None
) -> None:
    found = bland_altman(samples(*pairs))
    for one in (found.bias, found.lower, found.upper):
        ends = (one.low, one.value, one.high)
        assert all(-100 <= end <= 100 for end in ends if end is not None)
    if upper is None:
        assert (found.upper.value, found.upper.high) == (pytest.approx(99.8, abs=0.01), 100.0)
    else:
        assert found.upper.value == 100.0


def test_an_interval_beyond_100_points_is_left_out() -> None:
    pairs = [(0, 100), (100, 0)] * 40
    assert bland_altman(samples(*pairs)).upper == Estimate(100.0)


@pytest.mark.parametrize(
    ("pairs", "bias"),
    [
        pytest.param([], None, id="none"),
        pytest.param([(50, 60)], 10.0, id="one"),
        pytest.param([(50, 60), (50, 56)], 8.0, id="two"),
    ],
)
def test_few_samples_have_no_limits(pairs: list[tuple[int, int]], bias: float | None) -> None:
    found = bland_altman(samples(*pairs))
    assert found.bias == Estimate(bias)
    assert (found.lower, found.upper, found.deviation) == (Estimate(None), Estimate(None), None)


def test_a_sample_without_decided_sperm_is_left_out() -> None:
    found = bland_altman([SamplePair("empty", 0, 0, 0), *samples((10, 20), (10, 20), (10, 20))])
    assert [sample.name for sample in found.samples] == ["s0", "s1", "s2"]
    assert (found.bias.value, found.deviation) == (pytest.approx(10), pytest.approx(0))
    assert found.samples[0].average == pytest.approx(15)

"""The kernel test against a naive one, ranks against scipy, and false alarms counted."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import pdist

from androscope.assessment.two_sample import divide, mmd_test, rank_tests

ALPHA, DRAWS = 0.05, 200


def crops(n: int, name: str = "s") -> list[str]:
    return [name] * n


def within_bounds(alarms: int, draws: int = DRAWS, alpha: float = ALPHA) -> bool:
    low, high = stats.binom.ppf([0.001, 0.999], draws, alpha)
    return bool(low <= alarms <= high)


def naive_mmd2(x: np.ndarray, y: np.ndarray) -> float:
    """Equation 3 of Gretton et al. 2012, sum by sum."""
    width = np.median(pdist(np.concatenate([x, y])))

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.exp(-((a - b) ** 2).sum() / (2 * width**2)))

    m, n = len(x), len(y)
    xx = sum(k(x[i], x[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    yy = sum(k(y[i], y[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    xy = sum(k(a, b) for a in x for b in y) / (m * n)
    return xx + yy - 2 * xy


@pytest.mark.parametrize("shift", [0.0, 0.4, 3.0])
def test_the_discrepancy_is_that_of_the_formula(shift: float) -> None:
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(17, 5)), draw.normal(size=(11, 5)) + shift
    found = mmd_test(x + 1000, y + 1000, divide(crops(17), crops(11), permutations=99))
    assert found.mmd2 == pytest.approx(naive_mmd2(x, y), abs=1e-9)
    assert found.bandwidth == pytest.approx(np.median(pdist(np.concatenate([x, y]))))
    assert (found.reference, found.new) == (17, 11)


def test_false_alarms_are_as_many_as_promised_and_p_is_even() -> None:
    p, q = [], []
    for seed in range(DRAWS):
        draw = np.random.default_rng([2, seed])
        x, y = draw.normal(size=(24, 6)), draw.normal(size=(16, 6))
        divisions = divide(crops(24), crops(16), permutations=199, seed=seed)
        p.append(mmd_test(x, y, divisions).p)
        found = rank_tests(*({str(i): a[:, i] for i in range(6)} for a in (x, y)), divisions)
        q.append(min(ranks.p for ranks in found.values()))
    for values in (p, q):
        assert within_bounds(sum(value <= ALPHA for value in values))
        assert stats.kstest(values, "uniform").pvalue > 0.001


def test_whole_samples_are_divided_where_there_are_enough_of_them() -> None:
    # Each sample is off by itself: taken crop by crop that looks like a move nearly every time.
    alarms = {"whole": 0, "crops": 0}
    for seed in range(100):
        draw = np.random.default_rng([4, seed])
        sets = [
            np.concatenate([draw.normal(size=(8, 4)) + draw.normal(size=4) for _ in range(6)])
            for _ in range(2)
        ]
        names = [f"s{i // 8}" for i in range(48)]
        whole = divide(names, names, permutations=199, seed=seed)
        single = divide(crops(48), crops(48), permutations=199, seed=seed)
        assert (whole.whole_samples, single.whole_samples) == (True, False)
        alarms["whole"] += mmd_test(*sets, whole).p <= ALPHA
        alarms["crops"] += mmd_test(*sets, single).p <= ALPHA
    assert within_bounds(alarms["whole"], 100)
    assert alarms["crops"] > 80


@pytest.mark.parametrize(
    ("reference", "new", "whole"),
    [
        pytest.param(6, 6, True, id="six and six"),
        pytest.param(5, 5, False, id="five and five"),
        pytest.param(1, 12, False, id="one reference"),
        pytest.param(3, 12, True, id="three and twelve"),
    ],
)
def test_how_many_samples_are_enough(reference: int, new: int, whole: bool) -> None:
    names = [[f"s{i // 3}" for i in range(3 * n)] for n in (reference, new)]
    divisions = divide(names[0], names[1], permutations=99)
    assert divisions.whole_samples is whole
    if whole:
        by_sample = divisions.is_new.reshape(99, -1, 3)
        assert (by_sample == by_sample[:, :, :1]).all()
        assert (by_sample[:, :, 0].sum(axis=1) == new).all()


def test_crops_that_are_each_a_sample_are_crops() -> None:
    names = [str(i) for i in range(20)]
    assert not divide(names, names, permutations=99).whole_samples


def test_a_move_is_found_and_its_size_grows() -> None:
    draw = np.random.default_rng(0)
    x, noise = draw.normal(size=(60, 8)), draw.normal(size=(60, 8))
    divisions = divide(crops(60), crops(60))
    found = [mmd_test(x, noise + shift, divisions) for shift in (0.0, 0.3, 0.7, 4.0)]
    sizes = [test.separation for test in found]
    assert 0.5 <= sizes[0] < 0.6 < sizes[1] < sizes[2] < sizes[3] == 1.0
    assert found[0].p > 0.05
    assert [test.p for test in found[2:]] == [0.001, 0.001]
    assert mmd_test(x, noise, divide(crops(60), crops(60))) == found[0]


def test_copies_of_one_crop_do_not_differ() -> None:
    same = np.ones((6, 3))
    found = mmd_test(same, same, divide(crops(6), crops(6), permutations=99))
    assert (found.mmd2, found.p, found.separation) == (pytest.approx(0), 1.0, 0.5)


@given(
    st.lists(st.integers(0, 9), min_size=2, max_size=30),
    st.lists(st.integers(0, 9), min_size=2, max_size=30),
)
def test_shares_are_those_of_scipy(reference: list[int], new: list[int]) -> None:
    divisions = divide(crops(len(reference)), crops(len(new)), permutations=9)
    found = rank_tests({"a": reference}, {"a": new}, divisions)["a"]
    u = stats.mannwhitneyu(new, reference).statistic
    assert found.share == pytest.approx(u / (len(new) * len(reference)))


def test_the_p_of_one_measure_is_that_of_scipy() -> None:
    draw = np.random.default_rng(3)
    a, b = draw.normal(size=40), draw.normal(size=50) + 0.5
    divisions = divide(crops(40), crops(50), permutations=4000)
    alone = rank_tests({"a": a}, {"a": b}, divisions)["a"].p
    assert alone == pytest.approx(stats.mannwhitneyu(b, a).pvalue, abs=0.01)
    others = {str(i): draw.normal(size=90) for i in range(9)}
    several = rank_tests(
        {"a": a, **{k: v[:40] for k, v in others.items()}},
        {"a": b, **{k: v[40:] for k, v in others.items()}},
        divisions,
    )
    assert alone < several["a"].p <= 10 * alone + 0.01


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        pytest.param(np.zeros((3, 2)), np.zeros((3, 4)), "(3, 2) and (3, 4)", id="widths"),
        pytest.param(np.zeros((3, 2)), np.zeros((4, 2)), "expected 6 crops, got 7", id="number"),
        pytest.param(np.full((3, 2), np.nan), np.zeros((3, 2)), "finite", id="NaN"),
    ],
)
def test_what_does_not_fit_is_refused(x: np.ndarray, y: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        mmd_test(x, y, divide(crops(3), crops(3), permutations=9))


def test_one_crop_is_too_few() -> None:
    with pytest.raises(ValueError, match="expected two crops of each at least, got 1 and 5"):
        divide(crops(1), crops(5))

"""Agreement of observers, against statsmodels and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, recall_score
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa
from statsmodels.stats.inter_rater import fleiss_kappa as reference_fleiss

from androscope.assessment.observers import (
    Estimate,
    Pair,
    compare_pair,
    fleiss_kappa,
    whole_sperm,
)
from androscope.assessment.sample import wilson_interval
from androscope.assessment.tally import overall
from androscope.types import Assessment, PartVerdict, Verdict

TWO = st.lists(st.tuples(st.integers(-1, 1), st.integers(-1, 1)), max_size=60)


@pytest.mark.parametrize(
    "table",
    [
        pytest.param((50, 10, 7, 12), id="ordinary"),
        pytest.param((95, 2, 3, 0), id="rare, below chance"),
        pytest.param((0, 20, 30, 0), id="never alike"),
        pytest.param((400, 20, 5, 75), id="many"),
        pytest.param((10, 0, 5, 5), id="an empty cell"),
    ],
)
def test_kappa_and_its_interval_are_those_of_statsmodels(table: tuple[int, ...]) -> None:
    found = Pair(*table, 0).kappa
    expected = cohens_kappa(np.reshape(table, (2, 2)))
    assert found.value == pytest.approx(expected.kappa, abs=1e-12)
    assert found.low == pytest.approx(max(expected.kappa_low, -1), abs=1e-9)
    assert found.high == pytest.approx(min(expected.kappa_upp, 1), abs=1e-9)


@given(TWO)
def test_a_pair_is_that_of_scikit_learn(rows: list[tuple[int, int]]) -> None:
    given_rows = np.array(rows, dtype=int).reshape(-1, 2)
    pair = compare_pair(given_rows[:, 0], given_rows[:, 1])
    kept = given_rows[(given_rows >= 0).all(axis=1)]
    assert pair.n == len(kept)
    assert pair.undecided == len(rows) - len(kept)
    if not len(kept):
        assert (pair.kappa, pair.pabak, pair.bias) == (Estimate(None), None, None)
        return
    a, b = kept.T
    assert pair.agreement.fraction == pytest.approx((a == b).mean())
    assert pair.pabak == pytest.approx(2 * (a == b).mean() - 1)
    assert pair.bias == pytest.approx(b.mean() - a.mean())
    if len(np.unique(kept)) == 1:
        assert pair.kappa == Estimate(None)
    else:
        assert pair.kappa.value == pytest.approx(cohen_kappa_score(a, b))
    for positive, share in ((1, pair.sensitivity), (0, pair.specificity)):
        if (a == positive).any():
            assert share.fraction == pytest.approx(recall_score(a, b, pos_label=positive))
            assert (share.low, share.high) == wilson_interval(share.count, share.n)
        else:
            assert share.fraction is None


@given(st.integers(1, 50), st.integers(1, 50))
def test_agreeing_on_all_has_a_kappa_of_1_and_no_interval(normal: int, abnormal: int) -> None:
    assert Pair(normal, 0, 0, abnormal, 0).kappa == Estimate(1.0)


@given(st.integers(1, 50), st.integers(1, 50), st.booleans(), st.booleans())
def test_of_an_observer_with_one_word_kappa_is_0_and_no_interval(
    alike: int, apart: int, b: bool, abnormal: bool
) -> None:
    same = (0, alike) if abnormal else (alike, 0)
    # Who says one thing of all: A alone abnormal is B's constant normal, and the other way round.
    other = (0, apart) if b is not abnormal else (apart, 0)
    found = Pair(same[0], *other, same[1], 0).kappa
    assert found == Estimate(0.0)
    assert str(found.value) == "0.0"  # not -0.00


def test_kappa_falls_with_a_rare_class_and_pabak_does_not() -> None:
    common, rare = Pair(45, 5, 5, 45, 0), Pair(85, 5, 5, 5, 0)
    assert common.pabak == rare.pabak == pytest.approx(0.8)
    assert common.kappa.value == pytest.approx(0.8)
    assert rare.kappa.value is not None
    assert rare.kappa.value < 0.5
    assert rare.prevalence == pytest.approx(0.8)


@pytest.mark.parametrize("raters", [2, 3, 6])
def test_fleiss_is_that_of_statsmodels(raters: int) -> None:
    draw = np.random.default_rng(raters)
    truth = draw.random(120) < 0.3
    verdicts = np.array([truth ^ (draw.random(120) < 0.15) for _ in range(raters)]).astype(int)
    found = fleiss_kappa(verdicts)
    assert found.value == pytest.approx(reference_fleiss(aggregate_raters(verdicts.T)[0]))
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high  # type: ignore[operator]
    assert fleiss_kappa(verdicts) == found
    undecided = verdicts.copy()
    undecided[0, :20] = -1
    rest = reference_fleiss(aggregate_raters(verdicts[:, 20:].T)[0])
    assert fleiss_kappa(undecided).value == pytest.approx(rest)


def test_the_interval_of_fleiss_holds_the_truth_about_as_often_as_it_says() -> None:
    # Errors of 10 % either way of half abnormal: kappa of any two is (1 - 2 * 0.1)^2.
    inside = 0
    for seed in range(100):
        draw = np.random.default_rng([7, seed])
        truth = draw.random(150) < 0.5
        verdicts = np.array([truth ^ (draw.random(150) < 0.1) for _ in range(3)]).astype(int)
        found = fleiss_kappa(verdicts, resamples=300)
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= 0.64 <= found.high
    assert 88 <= inside <= 100


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        pytest.param([[0, 1, 0], [0, 1, 0], [0, 1, 0]], Estimate(1.0), id="all alike"),
        pytest.param([[0, 0], [0, 0]], Estimate(None), id="one class"),
        pytest.param([[-1, 0], [0, -1]], Estimate(None), id="nothing decided by both"),
        pytest.param([[], []], Estimate(None), id="no sperm"),
    ],
)
def test_fleiss_where_there_is_little_to_say(verdicts: list[list[int]], expected: Estimate) -> None:
    assert fleiss_kappa(verdicts) == expected


@given(st.lists(st.tuples(*[st.integers(-1, 1)] * 3), min_size=1, max_size=20))
def test_whole_sperm_are_those_of_the_tally(rows: list[tuple[int, int, int]]) -> None:
    words = {0: Verdict.NORMAL, 1: Verdict.ABNORMAL, -1: "undecided"}
    numbers = {"normal": 0, "abnormal": 1, "undecided": -1}
    labels = ("head", "acrosome", "vacuole")
    for row, found in zip(rows, whole_sperm(rows), strict=True):
        parts = tuple(
            PartVerdict(label, 0.5, 0.5, words[value])  # type: ignore[arg-type]
            for label, value in zip(labels, row, strict=True)
        )
        assert found == numbers[overall(Assessment("a.png", None, parts), labels)]


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        pytest.param([0, 1], [0], "expected two rows of one length", id="lengths"),
        pytest.param([0, 2], [0, 1], "expected verdicts of 0", id="values"),
        pytest.param([[0]], [[0]], "expected two rows", id="dimensions"),
    ],
)
def test_what_are_no_verdicts_is_refused(a: list[int], b: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare_pair(a, b)

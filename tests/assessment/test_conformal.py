# ruff: noqa: E501  a row of a table of cases stays on one line
"""Conformal verdicts: against MAPIE, against their definition, and in what they promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.assessment.conformal import cuts_at, cuts_of, promise, unreachable, verdict_at
from androscope.assessment.decide import decide
from androscope.errors import BundleError
from androscope.model.bundle import load_bundle
from androscope.model.card_trust import Conformal
from androscope.types import Cuts, Verdict

TINY = Path(__file__).parent.parent / "data" / "tiny-bundle"

_scores = st.lists(st.integers(0, 50).map(lambda i: i / 50), min_size=1, max_size=40)


def conformal(normal: Any, abnormal: Any) -> Conformal:
    return Conformal(
        data="x",
        normal=tuple(sorted(map(float, normal))),
        abnormal=tuple(sorted(map(float, abnormal))),
    )


def _naive(p: float, normal: list[float], abnormal: list[float], percent: int) -> set[str]:
    """The prediction set by the definition, in whole numbers."""
    more = sum(q >= p for q in normal)
    fewer = sum(q <= p for q in abnormal)
    found = set()
    if 100 * (1 + more) > percent * (1 + len(normal)):
        found.add("normal")
    if 100 * (1 + fewer) > percent * (1 + len(abnormal)):
        found.add("abnormal")
    return found


@given(
    normal=_scores,
    abnormal=_scores,
    percent=st.integers(1, 50),
    p=st.integers(0, 100).map(lambda i: i / 100),
)
def test_verdicts_are_those_of_the_definition(
    normal: list[float], abnormal: list[float], percent: int, p: float
) -> None:
    found = _naive(p, normal, abnormal, percent)
    expected = Verdict(found.pop()) if len(found) == 1 else Verdict.UNDECIDED
    assert verdict_at(p, cuts_at(conformal(normal, abnormal), percent / 100)) is expected


@pytest.mark.filterwarnings("ignore:.*conformalization dataset has less labels")
@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2, 0.29])
def test_prediction_sets_are_those_of_mapie(rate: float) -> None:
    # MAPIE has no class-conditional classifier: it is given the crops of one class at a time, and
    # asked about that class.
    classification: Any = pytest.importorskip("mapie.classification")
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Given(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        """Probabilities in, the same out."""

        def __init__(self) -> None:
            self.classes_ = np.array([0, 1])
            self.n_features_in_ = 1

        def fit(self, x: Any, y: Any) -> Given:
            return self

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict_proba(self, x: Any) -> Any:
            return np.c_[1 - x[:, 0], x[:, 0]]

        def predict(self, x: Any) -> Any:
            return (x[:, 0] >= 0.5).astype(int)

    random = np.random.default_rng(3)
    scores = {0: random.beta(1.5, 5, 83), 1: random.beta(3, 2, 46)}
    asked = random.random(400)
    sets = np.zeros((400, 2), bool)
    for label, given_scores in scores.items():
        model = classification.SplitConformalClassifier(
            Given(), confidence_level=1 - rate, conformity_score="lac", prefit=True
        )
        model.conformalize(given_scores[:, None], np.full(len(given_scores), label))
        _, found = model.predict_set(asked[:, None])
        sets[:, label] = found[:, label, 0]
    cuts = cuts_at(conformal(scores[0], scores[1]), rate)
    np.testing.assert_array_equal(asked <= cuts.normal_to, sets[:, 0])
    np.testing.assert_array_equal(asked >= cuts.abnormal_from, sets[:, 1])


def test_the_promise_is_kept_on_average() -> None:
    random = np.random.default_rng(0)
    wrong = {Verdict.NORMAL: 0, Verdict.ABNORMAL: 0}
    draws, each = 400, 25
    for _ in range(draws):
        cuts = cuts_at(conformal(random.beta(2, 5, 60), random.beta(4, 3, 30)), 0.1)
        # Coverage proper: the true class is not ruled out.
        wrong[Verdict.NORMAL] += int((random.beta(2, 5, each) > cuts.normal_to).sum())
        wrong[Verdict.ABNORMAL] += int((random.beta(4, 3, each) < cuts.abnormal_from).sum())
    for count in wrong.values():
        # At most 0.1, and not below 0.1 - 1 / (N + 1) = 0.068; three standard errors of either.
        assert 0.068 - 0.015 < count / (draws * each) < 0.1 + 0.015


@pytest.mark.parametrize(
    ("normal", "abnormal", "rate", "cuts"),
    [
        pytest.param([0.1, 0.2, 0.3], [0.7, 0.8, 0.9], 0.1, Cuts(0.0, 1.0), id="too few: never ruled out"),
        pytest.param([0.1, 0.2, 0.3], [0.7, 0.8, 0.9], 0.25, Cuts(0.7, 0.3), id="one of three: the last"),
        pytest.param([0.1, 0.2, 0.3], [0.7, 0.8, 0.9], 0.5, Cuts(0.8, 0.2), id="neither between"),
        pytest.param([0.1] * 99, [0.9] * 9, 0.29, Cuts(0.9, 0.1), id="0.29 x 100 is 29"),
    ],
)  # fmt: skip
def test_cuts(normal: list[float], abnormal: list[float], rate: float, cuts: Cuts) -> None:
    assert cuts_at(conformal(normal, abnormal), rate) == cuts


@pytest.mark.parametrize("rate", [0, -0.1, 0.51, float("nan")])
def test_a_rate_outside_its_range(rate: float) -> None:
    with pytest.raises(ValueError, match=r"error_rate must be above 0 and at most 0\.5, got"):
        cuts_at(conformal([0.1], [0.9]), rate)


def test_a_card_without_the_data_says_how_to_get_it() -> None:
    card = load_bundle(TINY).card
    assert cuts_of(card, None) == {}
    with pytest.raises(BundleError) as caught:
        cuts_of(card, 0.1)
    assert "cannot leave a part undecided" in str(caught.value)
    assert "androscope calibrate BUNDLE --data DATA --out DIR" in str(caught.value)


def test_classes_that_are_never_ruled_out_are_named() -> None:
    card = load_bundle(TINY).card
    data = dict.fromkeys(card.labels, conformal([0.1] * 40, [0.9] * 9))
    card = card.model_copy(update={"conformal": data})
    assert unreachable(card, 0.1) == ()
    assert unreachable(card, 0.05) == tuple(
        f"{label} abnormal (9 crops, from 0.1 on)" for label in card.labels
    )


def test_decide_by_cuts() -> None:
    cuts = {"head": Cuts(0.3, 0.6), "tail": Cuts(0.6, 0.3)}
    given_p = np.array([[0.2, 0.2], [0.3, 0.3], [0.6, 0.6], [0.7, 0.45]], np.float32)
    rows = decide(given_p, ("head", "tail"), {"head": 0.5, "tail": 0.5}, cuts)
    words = [[str(part.verdict) for part in row] for row in rows]
    assert words == [
        ["normal", "normal"],
        ["undecided", "normal"],
        ["undecided", "abnormal"],
        ["abnormal", "undecided"],
    ]
    assert rows[1][0].threshold == 0.5
    with pytest.raises(ValueError, match=r"no cuts for \['tail'\]"):
        decide(given_p, ("head", "tail"), {"head": 0.5, "tail": 0.5}, {"head": cuts["head"]})


def test_the_promise_in_words() -> None:
    assert "at most 10% of the truly normal sperm are called abnormal" in promise(0.1)

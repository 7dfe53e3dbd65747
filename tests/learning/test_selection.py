from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.learning.selection import EpochScores, Rule, better, pick, selection_score

NAN = math.nan


def epochs(*rows: tuple[float, tuple[float, ...]]) -> list[EpochScores]:
    return [EpochScores(i, loss, right) for i, (loss, right) in enumerate(rows)]


#: loss, accuracies per label. By mean: 1 (0.850), by balance: 2 (errors 0.48 + spread 0.02
#: against 0.45 + 0.25), by loss: 0.
ROWS = epochs((0.30, (0.80, 0.80, 0.80)), (0.40, (0.95, 0.90, 0.70)), (0.50, (0.85, 0.84, 0.83)))


@pytest.mark.parametrize(
    ("rule", "kept"), [("balance", 2), ("mean", 1), ("accuracy", 1), ("loss", 0), ("last", 2)]
)
def test_which_epoch_each_rule_keeps(rule: Rule, kept: int) -> None:
    assert pick(ROWS, rule).epoch == kept


@pytest.mark.parametrize(
    ("rule", "scores", "value"),
    [
        pytest.param("balance", (0.9, 0.7), (0.1 + 0.3) + (0.3 - 0.1), id="errors and spread"),
        pytest.param("balance", (0.8,), 0.2, id="one label has no spread"),
        pytest.param("balance", (0.9, NAN, 0.7), 0.6, id="a label without crops is left out"),
        pytest.param("mean", (0.9, 0.7), 0.2, id="mean error"),
        pytest.param("mean", (NAN, 0.7), 0.3, id="mean of those there are"),
        pytest.param("loss", (0.9, 0.7), 0.25, id="loss"),
        pytest.param("last", (0.9, 0.7), -3.0, id="later is smaller"),
        pytest.param("mean", (NAN,), -3.0, id="nothing to choose by: the last"),
    ],
)
def test_scores(rule: Rule, scores: tuple[float, ...], value: float) -> None:
    assert selection_score(EpochScores(3, 0.25, scores), rule) == pytest.approx(value)


def test_ties_go_to_the_smaller_loss_then_to_the_earlier_epoch() -> None:
    same = (0.9, 0.7)
    assert pick(epochs((0.4, same), (0.3, same), (0.3, same)), "mean").epoch == 1
    # 0.1 + 0.2 and 0.3 are the same total error.
    assert pick(epochs((0.3, (0.9, 0.8)), (0.2, (0.8, 0.9))), "balance").epoch == 1


def test_a_loss_that_is_no_number_never_wins() -> None:
    assert pick(epochs((0.4, (0.6,)), (NAN, (0.9,))), "mean").epoch == 0
    assert pick(epochs((NAN, (0.9,)), (0.4, (0.9,))), "mean").epoch == 1
    assert pick(epochs((NAN, (0.9,)), (0.4, (0.9,))), "loss").epoch == 1


def test_nothing_to_pick_from() -> None:
    with pytest.raises(ValueError, match="no epoch to pick from"):
        pick([], "mean")


@given(
    rows=st.lists(
        st.tuples(st.floats(0, 5), st.tuples(st.floats(0, 1), st.floats(0, 1))),
        min_size=1,
        max_size=20,
    ),
    rule=st.sampled_from(["balance", "mean", "loss", "last"]),
)
def test_the_kept_epoch_is_beaten_by_none(
    rows: list[tuple[float, tuple[float, ...]]], rule: Rule
) -> None:
    found = epochs(*rows)
    kept = pick(found, rule)
    assert not any(better(other, kept, rule) for other in found if other.epoch > kept.epoch)
    smallest = min(selection_score(e, rule) for e in found)
    assert selection_score(kept, rule) == pytest.approx(smallest, abs=1e-9)

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")

from androscope.learning.agreement import agreement, kappa, missed_by_all

pytestmark = pytest.mark.train

VERDICTS = hnp.arrays(np.int8, st.integers(2, 30), elements=st.integers(0, 1))


def by_hand(a: np.ndarray, b: np.ndarray) -> float:
    """Cohen 1960: (observed - expected) / (1 - expected)."""
    observed = (a == b).mean()
    expected = sum((a == k).mean() * (b == k).mean() for k in (0, 1))
    return float((observed - expected) / (1 - expected))


@given(VERDICTS, st.randoms(use_true_random=False))
def test_kappa_is_cohens(one: np.ndarray, random: object) -> None:
    other = np.array([random.randint(0, 1) for _ in one], np.int8)  # type: ignore[attr-defined]
    found = kappa(one, other)
    if len({*one.tolist(), *other.tolist()}) < 2:
        assert found is None
    else:
        assert found == pytest.approx(by_hand(one, other))


def test_three_models_on_six_crops() -> None:
    truth = [0, 0, 1, 1, -1, 0]
    verdicts = [[0, 1, 1, 0, 1, 0], [0, 1, 0, 0, 0, 0], [0, 1, 1, 0, 0, 1]]
    found = agreement(truth, verdicts)
    assert (found.models, found.crops) == (3, 5)
    assert found.unanimous == pytest.approx(3 / 5)
    assert found.all_right == pytest.approx(1 / 5)
    assert found.all_wrong == pytest.approx(2 / 5)
    assert found.all_wrong_if_independent == pytest.approx(2 / 5 * 3 / 5 * 3 / 5)
    known = np.array(verdicts)[:, [0, 1, 2, 3, 5]]
    pairs = [by_hand(known[i], known[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert found.kappa.mean == pytest.approx(np.mean(pairs))
    assert (found.kappa.least, found.kappa.most) == pytest.approx((min(pairs), max(pairs)))
    labels = np.array([0, 0, 1, 1, 0])
    assert found.kappa_with_labels.mean == pytest.approx(
        np.mean([by_hand(row, labels) for row in known])
    )


def test_independent_models_miss_few_crops_together() -> None:
    generator = np.random.default_rng(0)
    truth = (generator.random(20_000) < 0.3).astype(np.int8)
    verdicts = truth ^ (generator.random((3, 20_000)) < 0.2)
    found = agreement(truth, verdicts)
    assert found.all_wrong == pytest.approx(found.all_wrong_if_independent, abs=0.003)
    same = agreement(truth, np.stack([verdicts[0]] * 3))
    assert (same.kappa.mean, same.unanimous) == (1, 1)
    assert same.all_wrong == pytest.approx(0.2, abs=0.01)


def test_models_that_say_one_thing_of_all_have_no_kappa() -> None:
    found = agreement([0, 0, 0], [[0, 0, 0], [0, 0, 0]])
    assert (found.kappa.mean, found.kappa.n) == (None, 0)
    assert found.unanimous == 1


@pytest.mark.parametrize(
    ("truth", "verdicts", "what"),
    [
        ([0, 1], [[0, 1]], "expected two models at least, got 1"),
        ([0, 1], [[0, 1, 1], [0, 1, 1]], "expected (M, 2) verdicts, got (2, 3)"),
        ([-1, -1], [[0, 1], [0, 1]], "no crop is labelled"),
    ],
    ids=["one model", "shapes", "no label"],
)
def test_what_cannot_be_compared(truth: list[int], verdicts: list[list[int]], what: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the text is looked at)
        agreement(truth, verdicts)
    assert str(caught.value) == what


def test_the_surest_miss_comes_first() -> None:
    ids = ("a", "b", "c", "d", "e")
    truth = [1, 0, 1, -1, 0]
    probabilities = [[0.4, 0.9, 0.1, 0.0, 0.2], [0.2, 0.7, 0.05, 0.0, 0.9]]
    verdicts = (np.array(probabilities) >= 0.5).astype(int)
    found = missed_by_all(ids, truth, verdicts, probabilities)
    assert [(c.id, c.label, c.probability) for c in found] == [
        ("c", 1, 0.075),
        ("b", 0, 0.8),
        ("a", 1, 0.3),
    ]

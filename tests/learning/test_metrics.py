from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from androscope.errors import TrainingError
from androscope.learning.metrics import METRICS, Counts, scores, scores_by_label

pytestmark = pytest.mark.train


def test_by_hand() -> None:
    # Ten crops: 6 normal of which 4 are called so, 4 abnormal of which 3 are called so.
    labels = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]
    probabilities = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.35, 0.8, 0.9, 0.5]
    found = scores(labels, probabilities, 0.5)
    assert found.counts == Counts(4, 2, 1, 3)
    assert found.counts.matrix == ((4, 2), (1, 3))
    assert (found.n, found.normal, found.abnormal) == (10, 6, 4)
    assert found.accuracy == pytest.approx(7 / 10)
    assert found.precision == pytest.approx(4 / 5)
    assert found.recall == pytest.approx(4 / 6)
    # 1.25 * P * R / (0.25 * P + R) with P = 0.8, R = 2/3: (2/3) / (13/15) = 10/13.
    assert found.f_half == pytest.approx(10 / 13)
    assert found.g_mean == pytest.approx(math.sqrt(8 / 15))
    # Pairs in the right order: 0.35 is above 3 normal crops, 0.5 above 4, the others above all 6.
    assert found.roc_auc == pytest.approx((3 + 4 + 6 + 6) / 24)
    # (4 * 3 - 1 * 2) / sqrt(5 * 6 * 5 * 4)
    assert found.mcc == pytest.approx(10 / math.sqrt(600))
    assert found.undefined == {}


PUBLISHED = {
    # Precision, recall and G-mean as printed in the paper for MHSMA test, percent.
    "DTL head": (87.01, 91.78, 89.36),
    "DTL acrosome": (80.24, 93.42, 86.58),
    "DTL vacuole": (95.18, 98.09, 96.62),
    "DMTL head": (82.60, 95.43, 88.78),
    "DMTL acrosome": (82.42, 92.48, 87.31),
    "DMTL vacuole": (94.75, 96.56, 95.65),
}


@pytest.mark.parametrize(("precision", "recall", "g_mean"), PUBLISHED.values(), ids=PUBLISHED)
def test_the_papers_g_mean_is_that_of_precision_and_recall(
    precision: float, recall: float, g_mean: float
) -> None:
    assert math.sqrt(precision * recall) == pytest.approx(g_mean, abs=0.02)


def test_the_published_head_row_follows_from_its_confusion_matrix() -> None:
    # 219 normal heads and 81 abnormal ones; 201 and 51 right give the whole printed row.
    labels = [0] * 219 + [1] * 81
    probabilities = [0.0] * 201 + [1.0] * 18 + [0.0] * 30 + [1.0] * 51
    found = scores(labels, probabilities, 0.5)
    printed = {"accuracy": 84.00, "precision": 87.01, "recall": 91.78, "f_half": 87.92}
    for name, value in printed.items():
        assert 100 * found[name] == pytest.approx(value, abs=0.01), name
    assert found.g_mean == pytest.approx(0.8936, abs=1e-4)
    assert found.mcc == pytest.approx(0.5775, abs=1e-4)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([-1, 0, 0, 1]), st.integers(0, 20).map(lambda i: i / 20)),
        min_size=1,
        max_size=60,
    ),
    st.integers(0, 20).map(lambda i: i / 20),
)
def test_against_scikit_learn(crops: list[tuple[int, float]], threshold: float) -> None:
    labels, probabilities = map(np.array, zip(*crops, strict=True))
    found = scores(labels, probabilities, threshold)
    truth, given_ = labels[labels >= 0], probabilities[labels >= 0]
    verdict = (given_ >= threshold).astype(int)
    if not len(truth):
        assert all(math.isnan(found[name]) for name in METRICS)
        return
    kwargs = {"pos_label": 0, "zero_division": np.nan}
    expected = {
        "accuracy": sklearn_metrics.accuracy_score(truth, verdict),
        "precision": sklearn_metrics.precision_score(truth, verdict, **kwargs),
        "recall": sklearn_metrics.recall_score(truth, verdict, **kwargs),
        "f_half": sklearn_metrics.fbeta_score(truth, verdict, beta=0.5, **kwargs),
    }
    expected["g_mean"] = math.sqrt(expected["precision"] * expected["recall"])
    if len(set(truth)) == 2:
        # Normal as positive: its score is one minus the probability of abnormal.
        expected["roc_auc"] = sklearn_metrics.roc_auc_score(truth == 0, 1 - given_)
    if len(set(truth)) == 2 and len(set(verdict)) == 2:
        expected["mcc"] = sklearn_metrics.matthews_corrcoef(truth, verdict)
    for name in METRICS:
        wanted = expected.get(name, math.nan)
        assert found[name] == pytest.approx(wanted, nan_ok=True), name
        assert (name in found.undefined) == math.isnan(found[name]), name
    matrix = sklearn_metrics.confusion_matrix(truth, verdict, labels=[0, 1])
    assert np.array_equal(matrix, found.counts.matrix)


DEGENERATE = {
    "all normal, all called so": (
        [0, 0],
        [0.1, 0.2],
        {
            "roc_auc": "all crops are of one class",
            "mcc": "all crops are, or were called, of one class",
        },
    ),
    "all called abnormal": (
        [0, 1],
        [0.8, 0.9],
        {
            "precision": "no crop was called normal",
            "g_mean": "no crop was called normal",
            "mcc": "all crops are, or were called, of one class",
        },
    ),
    "all abnormal, one called normal": (
        [1, 1],
        [0.1, 0.9],
        {
            "recall": "no crop is normal",
            "g_mean": "no crop is normal",
            "roc_auc": "all crops are of one class",
            "mcc": "all crops are, or were called, of one class",
        },
    ),
    "all abnormal, all called so": (
        [1, 1],
        [0.8, 0.9],
        {
            "precision": "no crop was called normal",
            "recall": "no crop is normal",
            "f_half": "no crop is normal and none was called so",
            "g_mean": "no crop was called normal",
            "roc_auc": "all crops are of one class",
            "mcc": "all crops are, or were called, of one class",
        },
    ),
}


@pytest.mark.parametrize(("labels", "given_", "why"), DEGENERATE.values(), ids=DEGENERATE)
def test_undefined_scores_are_nan_and_say_why(
    labels: list[int], given_: list[float], why: dict[str, str]
) -> None:
    found = scores(labels, given_, 0.5)
    assert dict(found.undefined) == why
    assert {name for name in METRICS if math.isnan(found[name])} == set(why)


def test_nothing_labelled() -> None:
    found = scores([-1, -1], [0.2, float("nan")], 0.5)
    assert found.n == 0
    assert found.undefined["accuracy"] == "no crop has this label"
    assert all(math.isnan(found[name]) for name in METRICS)


def test_a_probability_on_the_threshold_is_abnormal() -> None:
    assert scores([1], [0.5], 0.5).counts == Counts(0, 0, 0, 1)


def test_ties_count_half_in_the_area() -> None:
    assert scores([0, 1], [0.5, 0.5], 0.5).roc_auc == 0.5


def test_the_area_is_not_that_of_the_verdicts() -> None:
    # The authors' code takes it from verdicts; here that would give 0.75.
    labels, given_ = [0, 0, 1, 1], [0.1, 0.6, 0.7, 0.8]
    assert scores(labels, given_, 0.5).roc_auc == 1.0


def test_crops_without_a_label_are_left_out() -> None:
    with_gap = scores([0, -1, 1, 1], [0.1, 0.9, 0.2, 0.9], 0.5)
    assert with_gap == scores([0, 1, 1], [0.1, 0.2, 0.9], 0.5)


@pytest.mark.parametrize("bad", [float("nan"), -0.1, 1.5, float("inf")])
def test_a_probability_that_is_none(bad: float) -> None:
    with pytest.raises(TrainingError) as caught:
        scores([0, 1, -1], [0.5, bad, 0.5], 0.5)
    assert str(caught.value) == (
        f"1 of 2 probabilities are not: expected 0 to 1, got {bad:g}. "
        "The network has diverged; lower the learning rate, or train in 32-true"
    )


def test_wrong_shapes_and_labels() -> None:
    with pytest.raises(ValueError, match=r"expected two equal lengths, got \(2,\) and \(3,\)"):
        scores([0, 1], [0.1, 0.2, 0.3], 0.5)
    with pytest.raises(ValueError, match=r"expected labels -1, 0 or 1, got \[2\]"):
        scores([0, 2], [0.1, 0.2], 0.5)
    with pytest.raises(ValueError, match=r"expected \(N, 2\) twice for \['a', 'b'\]"):
        scores_by_label(("a", "b"), np.zeros((3, 1)), np.zeros((3, 1)), {})


def test_by_label_takes_each_its_own_column_and_threshold() -> None:
    labels = np.array([[0, 1], [1, -1], [1, 0]])
    given_ = np.array([[0.1, 0.3], [0.9, 0.9], [0.2, 0.2]])
    found = scores_by_label(("head", "tail"), labels, given_, {"tail": 0.25, "head": 0.5})
    assert found["head"] == scores(labels[:, 0], given_[:, 0], 0.5)
    assert found["tail"] == scores([1, 0], [0.3, 0.2], 0.25)
    assert list(found) == ["head", "tail"]


def test_crops_may_have_thresholds_of_their_own() -> None:
    found = scores([0, -1, 1], [0.4, 0.9, 0.4], [0.5, 0.1, 0.3])
    assert found.counts == Counts(1, 0, 0, 1)
    assert math.isnan(found.threshold)

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("imblearn", reason="needs the train extra: imbalanced-learn is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from imblearn.over_sampling import ADASYN, SMOTE

from androscope.errors import TrainingError
from androscope.learning.balance import batch_weights, oversample

pytestmark = pytest.mark.train


def rows(counts: dict[tuple[int, ...], int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping clouds of 4-pixel crops, one for each combination of labels."""
    generator = np.random.default_rng(seed)
    x, labels = [], []
    for i, (combination, count) in enumerate(counts.items()):
        x.append(generator.normal(100 + 5 * i, 20, (count, 2, 2)))
        labels += [combination] * count
    return np.clip(np.concatenate(x), 0, 255).astype(np.uint8), np.array(labels, np.int8)


def sizes(labels: np.ndarray) -> dict[tuple[int, ...], int]:
    found, counts = np.unique(labels.reshape(len(labels), -1), axis=0, return_counts=True)
    return {tuple(c.tolist()): n for c, n in zip(found, counts.tolist(), strict=True)}


@pytest.mark.parametrize(("method", "library"), [("smote", SMOTE), ("adasyn", ADASYN)])
def test_one_label_is_the_librarys_own(method: str, library: type) -> None:
    crops, labels = rows({(0,): 60, (1,): 20})
    x = crops.reshape(80, -1).astype(np.float32)
    got_x, got_labels = oversample(x, labels[:, 0], method, seed=4)
    expected_x, expected_labels = library(random_state=4).fit_resample(x, labels[:, 0])
    assert np.array_equal(got_x, expected_x)
    assert np.array_equal(got_labels, expected_labels)
    assert got_labels.shape == (len(got_x),)


def test_crops_stay_crops() -> None:
    crops, labels = rows({(0,): 40, (1,): 8})
    x, y = oversample(crops, labels, "smote", 0)
    assert (x.dtype, x.shape, y.dtype, y.shape) == (np.uint8, (80, 2, 2), np.int8, (80, 1))
    assert np.array_equal(x[:48], crops)
    assert sizes(y) == {(0,): 40, (1,): 40}
    # Between two crops, no pixel can be darker or brighter than both.
    rare = crops[labels[:, 0] == 1]
    assert (x[48:] >= rare.min(axis=0)).all()
    assert (x[48:] <= rare.max(axis=0)).all()


def test_combinations_of_labels_are_classes() -> None:
    crops, labels = rows({(0, 0): 30, (0, 1): 12, (1, 0): 7, (1, 1): 3})
    _, y = oversample(crops, labels, "smote", 0)
    assert set(sizes(y).values()) == {30}


def test_a_combination_that_is_single_stays_so() -> None:
    crops, labels = rows({(0, 0): 20, (0, 1): 10, (1, 1): 1})
    x, y = oversample(crops, labels, "smote", 0)
    assert sizes(y) == {(0, 0): 20, (0, 1): 20, (1, 1): 1}
    assert len(x) == 41


def test_rows_that_lack_a_label_take_no_part_and_stay() -> None:
    crops, labels = rows({(0, 0): 20, (1, -1): 15, (1, 1): 9})
    x, y = oversample(crops, labels, "smote", 0)
    assert sizes(y) == {(0, 0): 20, (1, -1): 15, (1, 1): 20}
    assert np.array_equal(x[: len(crops)], crops)
    alone = labels.min(axis=1) >= 0
    x_alone, _ = oversample(crops[alone], labels[alone], "smote", 0)
    assert np.array_equal(x[len(crops) :], x_alone[alone.sum() :])


@pytest.mark.parametrize("method", ["smote", "adasyn"])
def test_the_seed_decides(method: str) -> None:
    crops, labels = rows({(0,): 40, (1,): 12})
    one, _ = oversample(crops, labels, method, 1)
    again, _ = oversample(crops, labels, method, 1)
    other, _ = oversample(crops, labels, method, 2)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_none_and_balanced_rows_come_back() -> None:
    crops, labels = rows({(0,): 10, (1,): 4})
    assert oversample(crops, labels, "none", 0)[0] is crops
    crops, labels = rows({(0,): 4, (1,): 4})
    assert oversample(crops, labels, "adasyn", 0)[0] is crops


TOO_FEW = {
    "one abnormal": (
        {(0,): 9, (1,): 1},
        "smote needs at least 2 abnormal crops to draw between, got 1. "
        "Use balance: batch or none, or label more crops",
    ),
    "no normal": (
        {(1,): 9, (-1,): 3},
        "smote needs at least 2 normal crops to draw between, got 0. "
        "Use balance: batch or none, or label more crops",
    ),
    "all combinations single": (
        {(0, 0): 1, (0, 1): 1, (1, 0): 1},
        "smote needs at least 2 crops with the same labels, all known; "
        "got 3 combinations of at most 1. Use balance: batch",
    ),
    "no row with all labels": (
        {(0, -1): 5, (-1, 1): 5},
        "smote needs at least 2 crops with the same labels, all known; "
        "got 0 combinations of at most 0. Use balance: batch",
    ),
}


@pytest.mark.parametrize(("counts", "said"), TOO_FEW.values(), ids=TOO_FEW)
def test_too_few(counts: dict[tuple[int, ...], int], said: str) -> None:
    crops, labels = rows(counts)
    with pytest.raises(TrainingError) as caught:
        oversample(crops, labels, "smote", 0)
    assert str(caught.value) == said


def test_adasyn_without_hard_cases_says_so() -> None:
    x = np.r_[np.random.default_rng(0).normal(0, 1, (30, 3)), np.full((8, 3), 1000.0)]
    x[30:] += np.random.default_rng(1).normal(0, 1, (8, 3))
    with pytest.raises(TrainingError) as caught:
        oversample(x, [0] * 30 + [1] * 8, "adasyn", 0)
    assert str(caught.value) == (
        "adasyn made no rows: no crop of a rare class has one of another class among its 5 "
        "neighbours. Use smote, which does not look for hard cases"
    )


def shares(labels: np.ndarray, weights: np.ndarray) -> list[float]:
    """Share of abnormal among what is drawn, for each label."""
    return [float(weights[column == 1].sum() / weights[column >= 0].sum()) for column in labels.T]


def test_one_labels_weights_by_hand() -> None:
    assert batch_weights([0, 0, 0, 1, -1]) == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2, 0])


def test_every_class_of_every_label_has_half() -> None:
    generator = np.random.default_rng(0)
    labels = (generator.random((1000, 4)) < [0.27, 0.3, 0.17, 0.05]).astype(np.int8)
    labels[generator.random((1000, 4)) < 0.1] = -1
    weights = batch_weights(labels)
    assert shares(labels, weights) == pytest.approx([0.5] * 4, abs=1e-5)
    assert weights.sum() == pytest.approx(1)


def test_the_order_of_the_labels_does_not_matter() -> None:
    labels = (np.random.default_rng(3).random((200, 3)) < [0.1, 0.3, 0.6]).astype(np.int8)
    assert batch_weights(labels) == pytest.approx(batch_weights(labels[:, ::-1]))


def test_where_equal_shares_cannot_be_had_the_weights_lie_between() -> None:
    # Each crop has exactly one defect: three shares of a half would make one and a half.
    labels = np.eye(3, dtype=np.int8)[[0, 0, 0, 1, 1, 2]]
    weights = batch_weights(labels)
    assert shares(labels, weights) == pytest.approx([1 / 3] * 3, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(
        np.int8, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=st.integers(-1, 1)
    )
)
def test_weights_are_chances_or_an_error(labels: np.ndarray) -> None:
    both = all({0, 1} <= set(column.tolist()) for column in labels.T)
    if not both:
        with pytest.raises(TrainingError, match="needs normal and abnormal crops of every label"):
            batch_weights(labels)
        return
    weights = batch_weights(labels)
    assert weights.shape == (len(labels),)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)
    assert (weights[(labels < 0).all(axis=1)] == 0).all()


def test_one_class_alone_cannot_be_balanced() -> None:
    with pytest.raises(TrainingError) as caught:
        batch_weights([[0, 0], [1, 0], [0, -1]])
    assert str(caught.value) == (
        "balance: batch needs normal and abnormal crops of every label, got 2 and 0 of label 2 "
        "of 2. Leave the label out, or use balance: none"
    )

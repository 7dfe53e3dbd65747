from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st

from androscope.errors import TrainingError
from androscope.learning.config import ThresholdConfig
from androscope.learning.metrics import scores
from androscope.learning.thresholds import find_threshold, find_thresholds, grid, objective

pytestmark = pytest.mark.train

CONFIG = ThresholdConfig()


def test_grid_is_the_papers() -> None:
    tried = grid(CONFIG)
    assert (tried[0], tried[-1], len(tried)) == (0.2, 0.8, 61)
    assert 0.3 in tried.tolist()


def brute_force(labels: np.ndarray, given_: np.ndarray, config: ThresholdConfig) -> float:
    """The documented rule, word by word, on scores computed one threshold at a time."""
    tried = grid(config).tolist()
    reached = []
    for threshold in tried:
        found = scores(labels, given_, threshold)
        reached.append(found.accuracy + (0 if math.isnan(found.f_half) else found.f_half))
    top = max(reached)
    runs: list[list[float]] = [[]]
    for threshold, value in zip(tried, reached, strict=True):
        if value >= top - 1e-12:
            runs[-1].append(threshold)
        elif runs[-1]:
            runs.append([])
    runs = [run for run in runs if run]
    longest = max(len(run) for run in runs)
    middles = [run[(len(run) - 1) // 2] for run in runs if len(run) == longest]
    return min(middles, key=lambda t: (round(abs(t - 0.5), 10), t))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(st.sampled_from([-1, 0, 0, 1]), st.integers(0, 100).map(lambda i: i / 100)),
        min_size=1,
        max_size=40,
    ).filter(lambda crops: any(label >= 0 for label, _ in crops)),
    st.integers(2, 70),
)
def test_against_brute_force(crops: list[tuple[int, float]], steps: int) -> None:
    labels, given_ = map(np.array, zip(*crops, strict=True))
    config = ThresholdConfig(steps=steps)
    found = find_threshold(labels, given_, config)
    assert found.value == brute_force(labels, given_, config)
    assert found.low <= found.value <= found.high
    best = scores(labels, given_, found.value)
    reached = best.accuracy + (0 if math.isnan(best.f_half) else best.f_half)
    assert found.objective == pytest.approx(reached)


CASES = {
    # Every threshold above 0.40 up to 0.60 parts the two classes: 0.41 to 0.60, middle 0.50.
    "middle of the plateau": ([0, 1], [0.4, 0.6], 0.50, 0.41, 0.60),
    "plateau at the low end": ([0, 1], [0.1, 0.3], 0.25, 0.2, 0.30),
    "all normal: as high as can be": ([0, 0], [0.3, 0.5], 0.65, 0.51, 0.8),
    "all abnormal: as low as can be": ([1, 1], [0.5, 0.9], 0.35, 0.2, 0.5),
    "float32 as the network gives it": (
        [0, 1],
        np.array([0.4, 0.6], dtype=np.float32),
        0.50,
        0.41,
        0.60,
    ),
}


@pytest.mark.parametrize(("labels", "given_", "value", "low", "high"), CASES.values(), ids=CASES)
def test_chosen(
    labels: list[int], given_: list[float], value: float, low: float, high: float
) -> None:
    found = find_threshold(labels, given_, CONFIG)
    assert (found.value, found.low, found.high) == (value, low, high)


def test_without_a_search_it_is_one_half() -> None:
    found = find_threshold([0, 1], [0.7, 0.8], ThresholdConfig(search=False))
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)
    # One of two right, none called normal.
    assert found.objective == 0.5


def test_objective_is_accuracy_plus_f_half() -> None:
    labels, given_ = [0, 0, 0, 1, 1], [0.1, 0.4, 0.6, 0.3, 0.9]
    found = scores(labels, given_, 0.5)
    assert objective(labels, given_, [0.5])[0] == pytest.approx(found.accuracy + found.f_half)


def test_a_label_that_no_validation_crop_has() -> None:
    with pytest.raises(TrainingError) as caught:
        find_thresholds(("head", "tail"), [[0, -1], [1, -1]], np.full((2, 2), 0.5), CONFIG)
    assert str(caught.value) == (
        "no threshold can be found for tail: expected labelled validation crops, got none. "
        "Label some validation crops, or leave the label out of `labels`"
    )


def test_each_label_has_its_own() -> None:
    labels = np.array([[0, 0], [1, 1]])
    found = find_thresholds(("a", "b"), labels, [[0.1, 0.4], [0.3, 0.6]], CONFIG)
    assert {name: choice.value for name, choice in found.items()} == {"a": 0.25, "b": 0.5}

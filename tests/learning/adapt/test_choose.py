from __future__ import annotations

import numpy as np
import pytest

from androscope.learning.adapt.adapt import grade
from androscope.learning.adapt.choose import choose, choose_label, out_of_fold
from androscope.model.bundle import load_bundle

from .lab import LABELS, TINY, lab

EVERY = ("recalibrated", "branch")


@pytest.fixture(scope="module")
def graded():
    return grade(load_bundle(TINY), lab(100, seed=1), threads=1)


@pytest.fixture(scope="module")
def choices(graded):
    return choose(graded, LABELS, dict.fromkeys(LABELS, EVERY))


def test_each_label_gets_what_it_needs(choices) -> None:
    assert {label: choice.how for label, choice in choices.items()} == {
        "head": "branch",
        "acrosome": "recalibrated",
        "vacuole": "kept",
    }
    assert choices["vacuole"].head is None
    assert choices["acrosome"].head.weights is None
    assert choices["head"].head.weights.shape == (6,)


def test_the_reasons_have_numbers(choices) -> None:
    assert choices["head"].reason.startswith("in cross-validation its log loss is 0.")
    assert "below that of keeping the label as it is (standard error 0." in choices["head"].reason
    assert choices["vacuole"].reason.startswith(
        "in cross-validation nothing is better beyond noise; log loss against keeping: recalibrated"
    )


def test_what_may_not_be_tried_is_not(graded) -> None:
    assert choose(graded, LABELS, {"head": ("recalibrated",)})["head"].losses.keys() == {
        "kept",
        "recalibrated",
    }
    kept = choose(graded, LABELS, {})["acrosome"]
    assert (kept.how, kept.reason, kept.head) == ("kept", "nothing else was tried", None)


def test_a_crop_is_graded_without_itself_and_its_patient(graded) -> None:
    """Turning a patient's labels round changes no opinion of that patient's own crops."""
    groups = np.repeat(np.arange(10), 10)
    truth = np.tile([0, 1], 50).astype(np.int8)
    labels = np.column_stack([truth] * 3)
    other = labels.copy()
    other[:10] = 1 - other[:10]  # as many of each class as before, so that parts stay the same

    def opinion(given: np.ndarray) -> np.ndarray:
        crops = type(graded)(graded.raw, graded.current, graded.embeddings, given, groups)
        return out_of_fold("branch", crops, 0, repeats=1)[0]

    before, after = opinion(labels), opinion(other)
    np.testing.assert_array_equal(after[:10], before[:10])
    assert np.abs(after[10:] - before[10:]).max() > 1e-3


def test_crops_without_the_label_are_left_out(graded) -> None:
    labels = graded.labels.copy()
    labels[::4, 0] = -1
    crops = type(graded)(graded.raw, graded.current, graded.embeddings, labels, graded.groups)
    choice = choose_label(crops, 0, ("recalibrated",), repeats=1)
    assert (np.isnan(choice.held_out) == (labels[:, 0] == -1)).all()
    assert (np.isnan(choice.column) == (labels[:, 0] == -1)).all()
    assert choice.losses["kept"] == pytest.approx(np.nanmean(choice.column), abs=0.5)

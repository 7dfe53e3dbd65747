from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("cleanlab", reason="needs the train extra: cleanlab is not installed")

from androscope.errors import TrainingError
from androscope.learning.label_noise import confident_joint, label_noise, suspects

pytestmark = pytest.mark.train


def by_hand(labels: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Northcutt et al. 2021, eqs. 1 to 3, for two classes."""
    probabilities = np.column_stack([1 - p, p])
    # Eq. 2: a class's threshold is its mean probability among the crops that bear it.
    thresholds = np.array([probabilities[labels == k, k].mean() for k in (0, 1)])
    counts = np.zeros((2, 2))
    for given_label, row in zip(labels, probabilities, strict=True):
        above = [k for k in (0, 1) if row[k] >= thresholds[k]]
        if above:  # Eq. 1: of several, the most probable.
            counts[given_label, max(above, key=lambda k: row[k])] += 1
    # Eq. 3: rows are scaled to the numbers of labels, the whole to 1.
    sizes = np.bincount(labels, minlength=2)
    joint = counts / counts.sum(axis=1, keepdims=True) * sizes[:, None]
    return joint / joint.sum()


def noisy(n: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, of which a share is flipped; opinions that know the truth; which are flipped."""
    generator = np.random.default_rng(seed)
    truth = (generator.random(n) < 0.3).astype(np.int8)
    flipped = generator.random(n) < noise
    p = np.where(truth == 1, 0.85, 0.15) + generator.normal(0, 0.08, n)
    return truth ^ flipped, np.clip(p, 0.001, 0.999), flipped


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), noise=st.floats(0, 0.3))
def test_the_joint_is_northcutts(seed: int, noise: float) -> None:
    labels, p, _ = noisy(200, noise, seed)
    # cleanlab rounds the counts to whole crops.
    assert confident_joint(labels, p) == pytest.approx(by_hand(labels, p), abs=1.01 / 200)


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.2])
def test_known_noise_is_found(noise: float) -> None:
    labels, p, flipped = noisy(2000, noise, 1)
    ids = [f"c/{i}" for i in range(2000)]
    found = label_noise(ids, labels, p, resamples=100)
    assert found.share == pytest.approx(flipped.mean(), abs=0.01)
    assert found.low <= found.share <= found.high
    assert found.share == pytest.approx(found.labelled_abnormal + found.labelled_normal)
    named = {int(s.id.removeprefix("c/")) for s in found.suspects}
    if noise:
        right = len(named & set(np.flatnonzero(flipped).tolist()))
        assert right > 0.95 * len(named)
        assert right > 0.8 * flipped.sum()
    else:
        assert not named


def test_a_label_that_is_a_toss_up_is_not_taken_for_wrong_alone() -> None:
    # The opinions know no more than how often each is right; labels are drawn by them.
    generator = np.random.default_rng(0)
    p = generator.uniform(0.1, 0.9, 3000)
    labels = (generator.random(3000) < p).astype(np.int8)
    found = label_noise([str(i) for i in range(3000)], labels, p, resamples=100)
    # What the estimate calls wrong here is doubt, and the control says so.
    assert found.share > 0.2
    assert found.if_opinions_were_right == pytest.approx(found.share, abs=0.03)


def test_crops_without_label_or_opinion_are_left_out() -> None:
    labels, p, _ = noisy(300, 0.1, 2)
    ids = [str(i) for i in range(300)]
    few = label_noise(ids[20:], labels[20:], p[20:], resamples=100)
    labels[:10], p[10:20] = -1, np.nan
    assert label_noise(ids, labels, p, resamples=100) == few
    assert few.crops == 280


def test_patients_are_drawn_whole() -> None:
    labels, p, _ = noisy(300, 0.1, 3)
    ids = [str(i) for i in range(300)]
    patients = [str(i // 50) for i in range(300)]
    apart = label_noise(ids, labels, p, resamples=200)
    whole = label_noise(ids, labels, p, patients=patients, resamples=200)
    assert whole.share == apart.share
    assert (whole.low, whole.high) != (apart.low, apart.high)
    assert label_noise(ids, labels, p, patients=patients, resamples=200) == whole


def test_the_most_contradicted_comes_first() -> None:
    labels, p, flipped = noisy(500, 0.1, 4)
    found = suspects([str(i) for i in range(500)], labels, p)
    contradiction = [abs(s.probability - s.label) for s in found]
    assert contradiction == sorted(contradiction, reverse=True)
    assert all(flipped[int(s.id)] for s in found[:10])


def test_one_class_alone_tells_nothing() -> None:
    with pytest.raises(TrainingError, match="cannot be estimated where all labels are the same"):
        label_noise(["a", "b"], [0, 0], [0.1, 0.9])

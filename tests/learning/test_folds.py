from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st

from androscope.errors import TrainingError
from androscope.learning.folds import make_folds, strata

from .synthetic import LABELS, crops

pytestmark = pytest.mark.train


@settings(deadline=None, max_examples=25)
@given(
    st.integers(60, 150),
    st.integers(2, 6),
    st.integers(0, 2**32 - 1),
    st.one_of(st.none(), st.integers(35, 50)),
    st.sampled_from([0.0, 0.3]),
)
def test_every_crop_is_held_out_once_and_no_patient_is_split(
    n: int, folds: int, seed: int, patients: int | None, gaps: float
) -> None:
    data = crops(n, patients=patients, gaps=gaps)
    found = make_folds(data, folds, seed)
    assert len(found) == folds
    held = np.concatenate([fold.held_out for fold in found])
    assert sorted(held.tolist()) == list(range(n))
    for fold in found:
        parts = [fold.train, fold.valid, fold.held_out]
        assert sorted(np.concatenate(parts).tolist()) == list(range(n))
        assert all(len(part) for part in parts)
        if data.patients is not None:
            names = [{data.patients[i] for i in part} for part in parts]
            assert not names[0] & names[1]
            assert not names[0] & names[2]
            assert not names[1] & names[2]


@pytest.mark.parametrize("patients", [None, 200], ids=["crops", "patients"])
def test_folds_are_alike(patients: int | None) -> None:
    data = crops(1000, patients=patients)
    whole = (data.labels == 1).mean(axis=0)
    for fold in make_folds(data, 5, 0):
        assert len(fold.held_out) == pytest.approx(200, abs=15)
        assert len(fold.valid) == pytest.approx(160, abs=15)
        for part in (fold.held_out, fold.valid):
            assert (data.labels[part] == 1).mean(axis=0) == pytest.approx(whole, abs=0.03)


def test_the_rarest_label_is_in_every_fold() -> None:
    data = crops(400)
    labels = data.labels.copy()
    labels[:, 2] = 0
    labels[:5, 2] = 1  # five bent tails for five folds
    object.__setattr__(data, "labels", labels)
    for fold in make_folds(data, 5, 3):
        assert labels[fold.held_out, LABELS.index("tail")].sum() == 1


def test_the_seed_decides() -> None:
    data = crops(100)
    one, again, other = (make_folds(data, 4, seed)[0].held_out for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_rare_combinations_forget_the_commonest_label_first() -> None:
    # 20 x (0,0), 20 x (1,0), and two bent tails, one on each kind of head.
    labels = np.array([[0, 0]] * 20 + [[1, 0]] * 20 + [[0, 1], [1, 1]], np.int8)
    classes = strata(labels, 2)
    assert len(set(classes.tolist())) == 3
    assert classes[40] == classes[41]
    assert classes[0] != classes[20]


def test_when_nothing_is_common_enough_all_are_one() -> None:
    assert len(set(strata(np.eye(4, dtype=np.int8), 5).tolist())) == 1


TOO_FEW = {
    "folds": (crops(20), 1, "cross-validation takes at least 2 folds, got 1"),
    "crops": (crops(4), 5, "5 parts need at least 5 crops, got 4. Use fewer folds, or more data"),
    "patients": (
        crops(100, patients=3),
        4,
        "4 parts need at least 4 patients, got 3. Use fewer folds, or more data",
    ),
    "patients for validation": (
        crops(100, patients=5),
        5,
        "5 parts need at least 5 patients, got 4. Use fewer folds, or more data",
    ),
}


@pytest.mark.parametrize(("data", "folds", "said"), TOO_FEW.values(), ids=TOO_FEW)
def test_too_few(data: object, folds: int, said: str) -> None:
    with pytest.raises(TrainingError) as caught:
        make_folds(data, folds, 0)  # type: ignore[arg-type]
    assert str(caught.value) == said

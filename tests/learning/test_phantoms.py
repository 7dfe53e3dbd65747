"""Phantoms among the training crops: exact labels, behind the real ones, in their form."""

from __future__ import annotations

import numpy as np
import pytest

from androscope.datasets import LabelledCrops
from androscope.learning.phantoms import PHANTOM_RATES, with_phantoms


def real(labels: tuple[str, ...], *, patients: bool, size: int = 64) -> LabelledCrops:
    return LabelledCrops(
        crops=np.full((3, size, size), 7, np.uint8),
        labels=np.zeros((3, len(labels)), np.int8),
        label_names=labels,
        ids=("a", "b", "c"),
        patients=("p", "p", "q") if patients else None,
    )


def test_none_leaves_the_split_alone() -> None:
    split = real(("head",), patients=False)
    assert with_phantoms(split, 0, 0) is split


@pytest.mark.parametrize("patients", [True, False])
def test_they_stand_behind_the_real_crops(patients: bool) -> None:
    split = with_phantoms(real(("head", "vacuole"), patients=patients), 5, 0)
    assert len(split) == 8
    assert (split.crops[:3] == 7).all()
    assert split.ids[3:] == tuple(f"phantom/{i}" for i in range(5))
    assert split.patients == (("p", "p", "q", "", "", "", "", "") if patients else None)
    assert set(np.unique(split.labels)) <= {0, 1}


def test_a_label_that_no_phantom_knows_is_unlabelled() -> None:
    split = with_phantoms(real(("head", "cytoplasm"), patients=False), 4, 0)
    assert (split.labels[3:, 1] == -1).all()
    assert (split.labels[3:, 0] >= 0).all()


def test_labels_not_taught_are_unlabelled() -> None:
    labels = ("head", "acrosome", "vacuole")
    untaught = with_phantoms(real(labels, patients=False), 6, 0)
    taught = with_phantoms(real(labels, patients=False), 6, 0, ("vacuole", "head"))
    assert (taught.labels[3:, 1] == -1).all()
    assert (taught.labels[:, [0, 2]] == untaught.labels[:, [0, 2]]).all()
    assert (taught.labels[:3] == 0).all()


def test_they_come_in_the_crops_size() -> None:
    assert with_phantoms(real(("head",), patients=False, size=48), 2, 0).crops.shape == (5, 48, 48)


def test_seeds_decide() -> None:
    one, same, other = (
        with_phantoms(real(("head",), patients=False), 3, seed).crops[3:] for seed in (1, 1, 2)
    )
    assert (one == same).all()
    assert (one != other).any()


def test_defects_are_as_frequent_as_said() -> None:
    split = with_phantoms(real(("head", "acrosome", "vacuole"), patients=False), 300, 0)
    rates = split.labels[3:].mean(0)
    # Binomial: 5 standard deviations of 300 draws at 0.35.
    assert np.abs(rates - PHANTOM_RATES["head"]).max() < 5 * np.sqrt(0.35 * 0.65 / 300)

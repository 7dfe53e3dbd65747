from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from androscope.datasets import Dataset, LabelledCrops, load
from androscope.datasets.describe import (
    Description,
    describe,
    differences_from_published,
    pair_sheet,
    sample_sheet,
)
from androscope.settings import Settings

from .conftest import picture


def toy() -> Dataset:
    def split(numbers: list[int], labels: list[list[int]]) -> LabelledCrops:
        return LabelledCrops(
            crops=np.stack([picture(n) for n in numbers]),
            labels=np.array(labels, np.int8),
            label_names=("head", "tail"),
            ids=tuple(map(str, numbers)),
        )

    return Dataset(
        "toy",
        {
            "train": split([1, 2, 3], [[0, 1], [1, -1], [0, 0]]),
            "valid": split([4, 2], [[0, 0], [1, 1]]),
            "test": split([3, 1, 2], [[1, 0], [0, 1], [1, 0]]),
        },
    )


def test_pairs_are_counted_with_their_labels() -> None:
    found = describe(toy())
    # 1, 2 and 3 are in train and test, 2 in valid too.
    assert {(p.split_a, p.index_a, p.split_b, p.index_b) for p in found.pairs} == {
        ("train", 0, "test", 1),
        ("train", 1, "test", 2),
        ("train", 2, "test", 0),
        ("train", 1, "valid", 1),
        ("valid", 1, "test", 2),
    }
    top = found.bands[-1]
    assert (top.pairs, top.turned) == (5, 0)
    # Blank labels are not compared; head of 3 and tail of 2 (valid, test) differ.
    assert (top.labels_compared, top.labels_differing) == (8, 2)
    assert [found.crops_seen(s) for s in ("valid", "test")] == [1, 3]
    assert [found.crops_shared(s) for s in ("train", "valid", "test")] == [3, 1, 3]
    assert found.differences is None


def test_counts_are_those_of_each_split() -> None:
    dataset = toy()
    assert describe(dataset).counts == {s: c.counts() for s, c in dataset.splits.items()}


def test_sheets_hold_the_crops() -> None:
    dataset = toy()
    sheet = sample_sheet(dataset, per_class=2)
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] == 2 * 128 + 2
    first = picture(1).repeat(2, axis=0).repeat(2, axis=1)
    assert np.array_equal(sheet[:128, :128], first)
    pairs = pair_sheet(dataset, describe(dataset).pairs)
    assert pairs is not None
    assert np.array_equal(pairs[:128, :128], pairs[:128, 130:258])
    assert pair_sheet(dataset, ()) is None


@pytest.fixture(scope="module")
def real(mhsma_dir: Path) -> Description:
    settings = Settings(data=mhsma_dir.parent)
    return describe(load("mhsma", settings=settings))


@pytest.mark.mhsma
def test_mhsma_has_the_published_counts_and_changed_ones_are_told(real: Description) -> None:
    assert real.differences == ()
    labels = real.dataset.splits["test"].labels.copy()
    labels[np.flatnonzero(labels[:, 3] == 0)[0], 3] = 1
    splits = {
        **real.dataset.splits,
        "test": replace(real.dataset.splits["test"], labels=labels),
    }
    assert differences_from_published(replace(real.dataset, splits=splits)) == (
        "test tail: published 284 normal, 16 abnormal; counted 283, 17",
    )


@pytest.mark.mhsma
def test_mhsma_shows_the_same_sperm_in_several_splits(real: Description) -> None:
    # docs/data.md gives these figures.
    assert len(real.pairs) == 94
    assert [real.crops_seen(s) for s in ("valid", "test")] == [32, 45]
    assert sum(pair.exact for pair in real.pairs) == 0
    # None needs turning: were they chance, seven in eight would.
    assert sum(pair.turned for pair in real.pairs) == 0
    assert real.bands[-1].labels_differing == 1
    assert real.bands[0].turned > real.bands[0].pairs / 3

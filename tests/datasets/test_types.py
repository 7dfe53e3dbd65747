from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.datasets import Counts, Dataset, LabelledCrops
from androscope.datasets.types import canonical_order
from androscope.errors import LabelsError


def crops(n: int = 5, size: int = 8, names: tuple[str, ...] = ("head", "tail")) -> LabelledCrops:
    rng = np.random.default_rng(n)
    return LabelledCrops(
        crops=rng.integers(0, 256, (n, size, size), dtype=np.uint8),
        labels=rng.integers(-1, 2, (n, len(names))).astype(np.int8),
        label_names=names,
        ids=tuple(f"train/{i}" for i in range(n)),
        patients=tuple("ab"[i % 2] for i in range(n)),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"crops": np.zeros((5, 8, 9), np.uint8)}, r"crops must be \(N, S, S\)", id="oblong"
        ),
        pytest.param(
            {"crops": np.zeros((5, 8, 8))}, "crops must be uint8, got float64", id="float"
        ),
        pytest.param(
            {"labels": np.zeros((5, 3), np.int8)},
            r"labels must be \(5, 2\), got \(5, 3\)",
            id="columns",
        ),
        pytest.param({"labels": np.zeros((5, 2))}, "labels must be int8", id="label-type"),
        pytest.param(
            {"labels": np.full((5, 2), 2, np.int8)},
            r"labels must be -1, 0 or 1, got \[2\]",
            id="label-2",
        ),
        pytest.param({"label_names": ("head", "head")}, "label_names must differ", id="same-name"),
        pytest.param({"ids": ("a",)}, "5 crops need 5 ids, got 1", id="ids"),
        pytest.param({"patients": ("a",)}, "5 crops need 5 patients, got 1", id="patients"),
    ],
)
def test_fields_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(crops(), **change)


@given(st.lists(st.integers(0, 4), max_size=8))
def test_selecting_keeps_rows_together(rows: list[int]) -> None:
    whole = crops()
    part = whole.select(rows)
    assert len(part) == len(rows)
    for at, row in enumerate(rows):
        assert np.array_equal(part.crops[at], whole.crops[row])
        assert np.array_equal(part.labels[at], whole.labels[row])
        assert part.ids[at] == whole.ids[row]
        assert part.patients is not None
        assert whole.patients is not None
        assert part.patients[at] == whole.patients[row]


def test_a_mask_selects_where_it_is_true() -> None:
    assert crops().select(np.array([True, False, False, True, False])).ids == ("train/0", "train/3")


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a mask must be \(5,\), got \(2,\)"):
        crops().select(np.array([True, False]))


def test_labels_are_reordered_with_their_columns() -> None:
    whole = crops(names=("head", "acrosome", "tail"))
    part = whole.with_labels(["tail", "head"])
    assert part.label_names == ("tail", "head")
    assert np.array_equal(part.labels, whole.labels[:, [2, 0]])


def test_labels_that_are_not_there_are_named() -> None:
    with pytest.raises(LabelsError) as caught:
        crops().with_labels(["head", "vacuole", "neck"])
    assert str(caught.value) == (
        "no labels for vacuole, neck; there are head, tail. Choose among these, or add the column "
        "to your table"
    )


def test_counts() -> None:
    some = replace(crops(), labels=np.array([[0, 1], [0, -1], [1, -1], [0, 0], [-1, 1]], np.int8))
    assert some.counts() == {"head": Counts(3, 1, 1), "tail": Counts(1, 2, 2)}


def test_the_hash_follows_pixels_labels_and_names_and_nothing_else() -> None:
    whole = crops()
    pixels, labels = whole.crops.copy(), whole.labels.copy()
    pixels[2, 3, 4] ^= 1
    labels[1, 0] = 1 if labels[1, 0] != 1 else 0
    others = [
        replace(whole, crops=pixels),
        replace(whole, labels=labels),
        replace(whole, label_names=("head", "neck")),
        whole.select([1, 0, 2, 3, 4]),
    ]
    hashes = {whole.sha256, *(other.sha256 for other in others)}
    assert len(hashes) == 5
    assert replace(whole, ids=tuple("vwxyz"), patients=None).sha256 == whole.sha256
    # Memory layout is not content.
    assert replace(whole, crops=np.asfortranarray(whole.crops)).sha256 == whole.sha256


@pytest.mark.parametrize(
    ("given_names", "expected"),
    [
        (["tail", "acrosome", "head", "vacuole"], ("head", "acrosome", "vacuole", "tail")),
        (["neck", "tail", "angle", "head"], ("head", "tail", "neck", "angle")),
        ([], ()),
    ],
    ids=["parts", "own-last-as-they-came", "none"],
)
def test_canonical_order(given_names: list[str], expected: tuple[str, ...]) -> None:
    assert canonical_order(given_names) == expected


def test_a_data_set_passes_the_choice_of_labels_on() -> None:
    whole = Dataset("toy", {"train": crops(5), "test": crops(3)}, licence="CC0", notes=("n",))
    part = whole.with_labels(["tail"])
    assert part.label_names == ("tail",)
    assert [len(split) for split in part.splits.values()] == [5, 3]
    assert (part.licence, part.notes, part.crop_size) == ("CC0", ("n",), 8)

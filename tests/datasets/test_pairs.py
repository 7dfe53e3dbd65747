from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from androscope.datasets.pairs import has_pairs, read_pairs


def write(folder: Path, **arrays: Any) -> None:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", np.asarray(array))


STACK = np.zeros((3, 64, 64), np.uint8)


def test_labels_go_with_their_rows(tmp_path: Path) -> None:
    write(tmp_path, x_64_train=STACK, y_head_train=[0, 1, -1], y_tail_train=[1.0, 0.0, 0.0])
    listing = read_pairs(tmp_path)
    assert listing.problems == ()
    assert listing.label_names == ("head", "tail")
    assert [(e.name, e.index, tuple(e.labels.values()), e.split) for e in listing.entries] == [
        ("train/0", 0, (0, 1), "train"),
        ("train/1", 1, (1, 0), "train"),
        ("train/2", 2, (-1, 0), "train"),
    ]
    assert {path.name for path in listing.files} == {
        "x_64_train.npy",
        "y_head_train.npy",
        "y_tail_train.npy",
    }


def test_neither_size_nor_split_is_needed(tmp_path: Path) -> None:
    write(tmp_path, x=STACK, y_neck_angle=[True, False, True])
    listing = read_pairs(tmp_path)
    assert listing.problems == ()
    assert listing.label_names == ("neck_angle",)
    assert [(e.name, e.labels["neck_angle"], e.split) for e in listing.entries] == [
        ("0", 1, ""),
        ("1", 0, ""),
        ("2", 1, ""),
    ]


@pytest.mark.parametrize(
    ("size", "expected"), [(48, "x_64_val.npy"), (64, "x_64_val.npy"), (96, "x_128_val.npy"),
                           (200, "x_128_val.npy")]
)  # fmt: skip
def test_the_stack_nearest_to_the_crop_size_is_taken(
    tmp_path: Path, size: int, expected: str
) -> None:
    large = np.zeros((3, 128, 128), np.uint8)
    write(tmp_path, x_64_val=STACK, x_128_val=large, y_head_val=[0, 1, 0])
    assert {e.path.name for e in read_pairs(tmp_path, crop_size=size).entries} == {expected}


@pytest.mark.parametrize(
    "ids", [["a", "b", "a"], [7, 8, 7], np.array([b"a", b"b", b"a"])], ids=["text", "int", "bytes"]
)
def test_patients_may_stand_beside(tmp_path: Path, ids: Any) -> None:
    write(tmp_path, x_train=STACK, y_head_train=[0, 1, 0], patient_train=ids)
    patients = [e.patient for e in read_pairs(tmp_path).entries]
    assert patients in (["a", "b", "a"], ["7", "8", "7"])


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        pytest.param(
            {"x_train": STACK},
            "no labels beside the stacks: expected y_<label>_<split>.npy",
            id="no-labels",
        ),
        pytest.param(
            {"x_train": STACK, "x_test": STACK, "y_head_train": [0, 1, 0]},
            "y_head_test.npy: missing beside x_test.npy",
            id="label-missing",
        ),
        pytest.param(
            {"x_train": STACK, "x": STACK, "y_head_train": [0, 1, 0]},
            "stacks with and without a split: x.npy, x_train.npy",
            id="mixed",
        ),
        pytest.param(
            {"x_train": STACK, "y_head_train": [0, 1]},
            "y_head_train.npy: expected (3,) as x_train.npy has 3 rows, got (2,)",
            id="length",
        ),
        pytest.param(
            {"x_train": STACK, "y_head_train": [0, 2, 1]},
            "y_head_train.npy[1]: expected 0, 1 or -1, got 2",
            id="value",
        ),
        pytest.param(
            {"x_train": STACK, "y_head_train": [0, np.nan, 1]},
            "y_head_train.npy[1]: expected 0, 1 or -1, got nan",
            id="nan",
        ),
        pytest.param(
            {"x_train": STACK, "y_head_train": ["a", "b", "c"]},
            "y_head_train.npy: expected numbers, got <U1",
            id="text",
        ),
        pytest.param(
            {"x_train": STACK, "y_head_train": [0, -1, 1]}, "train/1: no label at all", id="blank"
        ),
        pytest.param(
            {"x_train": np.zeros((3, 64)), "y_head_train": [0, 1, 0]},
            "x_train.npy: expected a stack (N, H, W) with N above 0, got (3, 64)",
            id="flat",
        ),
        pytest.param(
            {"x_train": STACK, "y_head_train": [0, 1, 0], "patient_train": ["a"]},
            "patient_train.npy: expected (3,) of numbers or text, got (1,) <U1",
            id="patients",
        ),
    ],
)
def test_each_bad_folder(tmp_path: Path, arrays: dict[str, Any], expected: str) -> None:
    write(tmp_path, **arrays)
    (problem,) = read_pairs(tmp_path).problems
    assert str(problem).removeprefix(f"{tmp_path}: ").startswith(expected + ". ")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    touched = tmp_path / "touched"

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return touched.write_text, ("boom",)

    write(tmp_path, x_train=STACK)
    np.save(tmp_path / "y_head_train.npy", np.array([Bomb(), 0, 1], object), allow_pickle=True)
    (tmp_path / "y_tail_train.npy").write_bytes(pickle.dumps(Bomb()))
    problems = read_pairs(tmp_path).problems
    assert [p.path for p in problems] == ["y_head_train.npy", "y_tail_train.npy"]
    assert all(p.what.startswith("cannot be read: ") for p in problems)
    assert not touched.exists()


def test_only_such_names_make_a_folder_of_pairs(tmp_path: Path) -> None:
    write(tmp_path, xx=STACK, x_64_trial=STACK)
    assert not has_pairs(tmp_path)
    write(tmp_path, x_64_training=STACK)
    assert has_pairs(tmp_path)

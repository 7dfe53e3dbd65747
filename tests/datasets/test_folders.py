from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from androscope.datasets.folders import read_folders

Save = Callable[..., Path]


def entries(folder: Path) -> dict[str, tuple[dict[str, int], str, str]]:
    listing = read_folders(folder)
    assert listing.problems == ()
    return {e.name: (dict(e.labels), e.patient, e.split) for e in listing.entries}


def test_one_name_under_several_labels_is_one_sperm(save: Save, tmp_path: Path) -> None:
    save("head/normal/1.png", 1)
    save("head/abnormal/2.png", 2)
    save("tail/Abnormal/1.png", 1)
    assert entries(tmp_path) == {
        "head/normal/1.png": ({"head": 0, "tail": 1}, "", ""),
        "head/abnormal/2.png": ({"head": 1, "tail": -1}, "", ""),
    }


def test_splits_above_and_patients_below(save: Save, tmp_path: Path) -> None:
    save("train/head/normal/p1/1.png", 1)
    save("val/head/0/p2/1.png", 2)
    save("Testing/head/1/p3/1.png", 3)
    assert entries(tmp_path) == {
        "Testing/head/1/p3/1.png": ({"head": 1}, "p3", "test"),
        "train/head/normal/p1/1.png": ({"head": 0}, "p1", "train"),
        "val/head/0/p2/1.png": ({"head": 0}, "p2", "valid"),
    }


def test_the_folder_of_one_label_names_it(save: Save, tmp_path: Path) -> None:
    save("vacuole/normal/1.png", 1)
    save("vacuole/abnormal/1.png", 2)
    assert entries(tmp_path / "vacuole") == {
        "normal/1.png": ({"vacuole": 0}, "", ""),
        "abnormal/1.png": ({"vacuole": 1}, "", ""),
    }


def test_what_is_passed_over_is_said(save: Save, tmp_path: Path) -> None:
    save("head/normal/1.png", 1)
    (tmp_path / "head" / "normal" / "Thumbs.db").write_bytes(b"")
    (tmp_path / "head" / "abnormal").mkdir()
    assert read_folders(tmp_path).notes == (
        "no picture in head/abnormal",
        "1 files in head/normal are no pictures: ignored",
    )


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        pytest.param(
            ["head/normal/1.png", "head/odd/2.png"],
            "head/odd: expected a folder normal or abnormal, got 'odd'",
            id="class",
        ),
        pytest.param(
            ["head/normal/1.png", "head/2.png"],
            "head: 1 files are in neither normal nor abnormal (2.png, ...)",
            id="loose",
        ),
        pytest.param(
            ["head/normal/1.png", "my tail/normal/1.png"],
            "my tail: expected a label's name (a-z, 0-9, _), got 'my tail'",
            id="label",
        ),
        pytest.param(
            ["head/abnormal/1.png", "head/normal/1.png", "tail/normal/1.png"],
            "head/normal/1.png: a picture of that name is under the label head already",
            id="both-classes",
        ),
    ],
)
def test_each_stray_folder(save: Save, tmp_path: Path, paths: list[str], expected: str) -> None:
    for number, path in enumerate(paths):
        save(path, number)
    (problem,) = read_folders(tmp_path).problems
    assert str(problem).startswith(expected + ". ")


@pytest.mark.parametrize("made", [[], ["stray.png"]], ids=["empty", "pictures-only"])
def test_a_folder_without_labels_shows_the_layout(
    save: Save, tmp_path: Path, made: list[str]
) -> None:
    for name in made:
        save(name, 1)
    (problem,) = read_folders(tmp_path).problems
    assert problem.what == "no labelled picture found"
    assert "DIR/head/normal/*.png" in problem.advice

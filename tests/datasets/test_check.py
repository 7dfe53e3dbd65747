from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from androscope.datasets.check import check, examine
from androscope.datasets.types import Counts

Lab = Callable[..., Path]
Save = Callable[..., Path]


def found(path: Path) -> list[tuple[int | None, str, str]]:
    return [(p.line, p.path, p.what) for p in check(path)]


def test_a_clean_table(lab: Lab) -> None:
    table = lab("path,head,patient,split\na.png,0,p1,train\nb.png,1,p2,valid\nc.png,1,p3,test\n")
    assert check(table) == []


def test_pictures_that_cannot_be_used_are_named_with_the_reason(lab: Lab, tmp_path: Path) -> None:
    table = lab(
        "path,head\na.png,0\nnone.png,0\nempty.png,0\ntext.png,0\ncut.png,1\nwide.png,1\n"
        "tiny.png,1\nstack.tif,1\n"
    )
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("not a picture at all")
    (tmp_path / "cut.png").write_bytes((tmp_path / "b.png").read_bytes()[:90])
    Image.fromarray(np.zeros((64, 600), np.uint8)).save(tmp_path / "wide.png")
    Image.fromarray(np.zeros((1, 1), np.uint8)).save(tmp_path / "tiny.png")
    page = Image.fromarray(np.zeros((64, 64), np.uint8))
    page.save(tmp_path / "stack.tif", save_all=True, append_images=[page])
    lines = found(table)
    assert [(line, path) for line, path, _ in lines] == [
        (3, "none.png"),
        (4, "empty.png"),
        (5, "text.png"),
        (6, "cut.png"),
        (7, "wide.png"),
        (8, "tiny.png"),
        (9, "stack.tif"),
    ]
    for (_, _, what), start in zip(
        lines,
        [
            "no such file",
            "the file is empty (0 bytes)",
            "expected an image",
            "truncated or damaged",
            "expected a nearly square crop",
            "expected at least 32 px on a side, got 1 x 1 px",
            "expected one picture, the file holds 2",
        ],
        strict=True,
    ):
        assert what.startswith(start)


@pytest.mark.parametrize(
    "shape", [pytest.param((700, 700), id="large"), pytest.param((64, 128), id="long")]
)
def test_labelled_crops_that_are_too_large_are_to_be_cut(
    lab: Lab, tmp_path: Path, shape: tuple[int, int]
) -> None:
    table = lab("path,head\na.png,0\nbig.png,1\n")
    Image.fromarray(np.zeros(shape, np.uint8)).save(tmp_path / "big.png")
    (problem,) = check(table)
    assert problem.advice == (
        "Cut it to a square around the head of the labelled sperm, or shrink it, to at most 512 px "
        "a side and 1 : 1.5"
    )


def test_bad_rows_of_every_kind_come_in_one_look_in_order(lab: Lab) -> None:
    table = lab(
        "path,head,tail,patient,split\n"
        "a.png,0,1,p1,train\n"
        "none.png,0,1,p1,train\n"
        "b.png,5,1,p2,train\n"
        "b.png,0,,p2,valid\n"
        "c.png,,,p3,test\n"
        "d.png,0\n"
        "e.png,1,1,p1,test\n"
    )
    assert found(table) == [
        (3, "none.png", "no such file"),
        (4, "b.png", "head: expected 0, 1, normal, abnormal or blank, got '5'"),
        (5, "b.png", "the same file as in line 4"),
        (5, "b.png", "patient p2 is in train (line 4 (b.png)) and in valid (line 5)"),
        (6, "c.png", "no label at all"),
        (7, "d.png", "expected 5 columns, got 2"),
        (8, "e.png", "patient p1 is in train (line 2 (a.png)) and in test (line 8)"),
    ]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param("0,1", "the same picture as line 2 (a.png)", id="same-labels"),
        pytest.param(
            "1,1",
            "the same picture as line 2 (a.png), with another label for head",
            id="contradicting",
        ),
        pytest.param("0,", "the same picture as line 2 (a.png)", id="blank-contradicts-nothing"),
    ],
)
def test_the_same_pixels_in_two_files(lab: Lab, save: Save, labels: str, expected: str) -> None:
    table = lab(f"path,head,tail\na.png,0,1\nb.png,0,1\ncopy.bmp,{labels}\n")
    save("copy.bmp", 0)
    assert found(table) == [(4, "copy.bmp", expected)]


def test_the_same_pixels_in_two_splits(lab: Lab, save: Save) -> None:
    table = lab("path,head,split\na.png,0,train\ncopy.bmp,0,test\n")
    save("copy.bmp", 0)
    assert found(table) == [
        (
            3,
            "copy.bmp",
            "the same picture as line 2 (a.png); that one is in train, this one in test",
        )
    ]


def test_every_row_of_a_patient_elsewhere_is_named(lab: Lab) -> None:
    table = lab(
        "path,head,patient,split\na.png,0,p,train\nb.png,0,p,test\nc.png,0,p,test\nd.png,0,p,valid\n"
    )
    assert found(table) == [
        (3, "b.png", "patient p is in train (line 2 (a.png)) and in test (lines 3, 4)"),
        (5, "d.png", "patient p is in train (line 2 (a.png)) and in valid (line 5)"),
    ]


def test_files_of_one_name_must_be_one_picture(save: Save, tmp_path: Path) -> None:
    save("head/normal/1.png", 1)
    save("tail/normal/1.png", 2)
    assert found(tmp_path) == [
        (
            None,
            "tail/normal/1.png",
            "of the same name as head/normal/1.png, but another picture",
        )
    ]


def test_rows_of_stacks(tmp_path: Path) -> None:
    stack = np.stack([np.full((64, 64), grey, np.float32) for grey in (0.1, np.nan, 0.3)])
    np.save(tmp_path / "x_train.npy", stack)
    np.save(tmp_path / "y_head_train.npy", [0, 1, 1])
    ((line, path, what),) = found(tmp_path)
    assert (line, path) == (None, "train/1")
    assert "NaN" in what


def test_a_stack_that_is_one_colour_picture(tmp_path: Path) -> None:
    np.save(tmp_path / "x_train.npy", np.zeros((64, 64, 3), np.uint8))
    np.save(tmp_path / "y_head_train.npy", np.zeros(64, np.uint8))
    problems = found(tmp_path)
    # Whichever way the array is taken, not one of its 64 rows goes unmentioned.
    assert len(problems) == 64


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nowhere", "no such file or folder"),
        ("a.png", "not a table"),
    ],
)
def test_what_is_no_data_at_all(lab: Lab, tmp_path: Path, name: str, expected: str) -> None:
    lab("")
    assert found(tmp_path / name) == [(None, str(tmp_path / name), expected)]


def test_counts_and_thin_classes(lab: Lab) -> None:
    table = lab(
        "path,head,tail,neck\n" + "".join(f"{n}.png,{i % 2},,0\n" for i, n in enumerate("abcd"))
    )
    examined = examine(table)
    assert examined.problems == ()
    assert examined.counts() == {
        "all": {"head": Counts(2, 2, 0), "tail": Counts(0, 0, 4), "neck": Counts(4, 0, 0)}
    }
    assert examined.warnings() == (
        "only 2 normal crops for head: a figure measured on so few means little",
        "only 2 abnormal crops for head: a figure measured on so few means little",
        "no crop is labelled for tail",
        "only 4 normal crops for neck: a figure measured on so few means little",
        "no abnormal crop for neck: a figure measured on so few means little",
    )

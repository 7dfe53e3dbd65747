from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from androscope.datasets import load
from androscope.datasets.check import check
from androscope.errors import DataError, DatasetMissingError, LabelsError
from androscope.files import sha256_of
from androscope.imaging.phantom_set import phantom_set, write_phantoms
from androscope.types import PARTS

from .conftest import picture

Lab = Callable[..., Path]
Save = Callable[..., Path]


def test_a_table_of_phantoms_comes_back_pixel_for_pixel(tmp_path: Path) -> None:
    table = write_phantoms(tmp_path / "phantoms", 24, 5)
    made = phantom_set(24, 5)
    dataset = load(table)
    assert dataset.name == "labels"
    assert dataset.label_names == PARTS
    assert dataset.file_hashes == {"labels.csv": sha256_of(table)}
    assert dataset.notes == (
        "train, valid, test drawn with seed 0, stratified by label, over single crops, no patient "
        "known",
    )
    seen = 0
    for crops in dataset.splits.values():
        assert crops.patients is None
        for row, name in enumerate(crops.ids):
            phantom = made[int(Path(name).stem[-4:])]
            assert np.array_equal(crops.crops[row], phantom.pixels)
            assert crops.labels[row].tolist() == [phantom.labels[part] for part in PARTS]
            seen += 1
    assert seen == 24
    assert load(tmp_path / "phantoms").splits["train"].ids == dataset.splits["train"].ids


def test_the_seed_decides_the_split(tmp_path: Path) -> None:
    table = write_phantoms(tmp_path, 24, 5)
    assert load(table, seed=1).splits["test"].ids == load(table, seed=1).splits["test"].ids
    assert load(table, seed=1).splits["test"].ids != load(table, seed=2).splits["test"].ids


def test_any_bit_depth_size_and_format(tmp_path: Path, save: Save) -> None:
    grey = picture(1)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.tif")
    colour = np.stack([picture(2), picture(3), picture(4)], axis=-1)
    Image.fromarray(colour).save(tmp_path / "colour.bmp")
    Image.fromarray(picture(5, 128)).save(tmp_path / "large.jpg", quality=95)
    save("other.png", 6)
    table = tmp_path / "lab.csv"
    table.write_text(
        "path,head,split\ngrey.png,0,train\ncolour.bmp,1,train\nlarge.jpg,0,valid\nother.png,1,test\n"
    )
    dataset = load(table)
    assert all(crops.crops.shape[1:] == (64, 64) for crops in dataset.splits.values())
    assert np.array_equal(dataset.splits["train"].crops[0], grey)
    # 16 bits of the same picture are the same picture.
    table.write_text("path,head,split\ndeep.tif,0,train\nlarge.jpg,0,valid\nother.png,1,test\n")
    assert np.array_equal(load(table).splits["train"].crops[0], grey)
    assert load(table, crop_size=96).crop_size == 96


def test_splits_that_are_given_are_kept(lab: Lab) -> None:
    table = lab(
        "path,head,split,patient\na.png,0,Train,x\nb.png,1,val,y\nc.png,,test,\nd.png,1,test,z\n"
    )
    with pytest.raises(LabelsError, match="no label at all"):
        load(table)
    table = lab("path,head,split,patient\na.png,0,Train,x\nb.png,1,val,y\nd.png,1,test,\n")
    dataset = load(table)
    assert {s: (c.ids, c.patients) for s, c in dataset.splits.items()} == {
        "train": (("a.png",), ("x",)),
        "valid": (("b.png",), ("y",)),
        "test": (("d.png",), ("",)),
    }
    assert dataset.notes == ()


def test_a_split_nobody_named_is_drawn_from_train(lab: Lab) -> None:
    table = lab(
        "path,head,split,patient\na.png,0,train,p\nb.png,1,train,p\nc.png,0,train,q\nd.png,1,test,r\n"
    )
    dataset = load(table)
    assert dataset.splits["test"].ids == ("d.png",)
    assert {dataset.splits["train"].ids, dataset.splits["valid"].ids} == {
        ("a.png", "b.png"),
        ("c.png",),
    }
    assert dataset.notes == ("valid drawn with seed 0, stratified by label, over patients",)


def test_without_train_there_is_nothing_to_learn_from(lab: Lab) -> None:
    with pytest.raises(LabelsError, match="no crop to train on: the only splits are test"):
        load(lab("path,head,split\na.png,0,test\nb.png,1,test\n"))


def test_too_few_crops_name_the_file(lab: Lab) -> None:
    table = lab("path,head\na.png,0\nb.png,1\n")
    with pytest.raises(DataError, match="there are only 2 patients, or single crops") as caught:
        load(table)
    assert caught.value.path == str(table)


def test_the_error_lists_every_bad_row_as_check_does(lab: Lab) -> None:
    table = lab("path,head\na.png,0\nnone.png,1\nb.png,maybe\nb.png,1\nc.png,\n")
    with pytest.raises(LabelsError) as caught:
        load(table)
    text = str(caught.value)
    assert text.startswith(f"{table}: 4 problems in the labelled data:\n  line 3: none.png: ")
    assert text.count("\n  line ") == 4
    assert all(str(problem) in text for problem in check(table))
    assert text.endswith(f"look again with: androscope data check {table}")


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError) as caught:
        load(tmp_path / "nothing")
    assert str(caught.value) == (
        f"{tmp_path / 'nothing'}: no such file or folder, and no data set of that name. Give "
        "mhsma, or the path of a CSV or of a folder of labelled crops"
    )


def test_labels_that_were_asked_for_must_be_there(lab: Lab) -> None:
    table = lab("path,head\na.png,0\nb.png,1\nc.png,1\n")
    with pytest.raises(LabelsError, match="no labels for tail; there are head"):
        load(table, labels=["tail"])


def test_folders_per_class(save: Save, tmp_path: Path) -> None:
    for number in range(12):
        value = "abnormal" if number % 3 == 0 else "normal"
        save(f"own/head/{value}/p{number // 2}/{number}.png", number)
    dataset = load(tmp_path / "own")
    assert dataset.name == "own"
    assert sum(c.counts()["head"].abnormal for c in dataset.splits.values()) == 4
    patients = [set(c.patients or ()) for c in dataset.splits.values()]
    assert set.union(*patients) == {f"p{k}" for k in range(6)}
    assert sum(len(p) for p in patients) == 6


def test_npy_pairs(tmp_path: Path) -> None:
    for split, first in (("train", 0), ("valid", 4), ("test", 8)):
        np.save(tmp_path / f"x_{split}.npy", np.stack([picture(first + k) for k in range(4)]))
        np.save(tmp_path / f"y_head_{split}.npy", [0, 1, 0, 1])
    dataset = load(tmp_path)
    assert np.array_equal(dataset.splits["valid"].crops[2], picture(6))
    assert dataset.splits["test"].ids == ("test/0", "test/1", "test/2", "test/3")
    assert set(dataset.file_hashes) == {
        f"{kind}_{split}.npy" for kind in ("x", "y_head") for split in ("train", "valid", "test")
    }

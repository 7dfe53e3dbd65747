from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from androscope.datasets import load
from androscope.datasets.mhsma import MHSMA, PUBLISHED_COUNTS, folders, load_mhsma
from androscope.errors import DataError, DatasetCorruptError, DatasetMissingError, LabelsError
from androscope.settings import Settings
from androscope.types import PARTS

pytestmark = pytest.mark.mhsma


@pytest.fixture
def settings(mhsma_dir: Path, tmp_path: Path) -> Settings:
    return Settings(data=mhsma_dir.parent, cache=tmp_path / "cache")


def linked(folder: Path, mhsma_dir: Path, names: list[str]) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).symlink_to(mhsma_dir / name)
    return folder


def test_counts_are_the_published_ones(settings: Settings) -> None:
    dataset = load("mhsma", settings=settings)
    assert {s: crops.counts() for s, crops in dataset.splits.items()} == PUBLISHED_COUNTS
    assert [len(dataset.splits[s]) for s in ("train", "valid", "test")] == [1000, 240, 300]
    assert dataset.label_names == PARTS
    assert dataset.splits["valid"].ids[17] == "valid/17"
    assert dataset.splits["train"].patients is None


def test_licence_citation_and_the_weakness_of_its_split_come_along(settings: Settings) -> None:
    dataset = load("mhsma", settings=settings)
    assert dataset.licence == "CC BY-NC-SA 4.0"
    assert "10.1016/j.compbiomed.2019.04.030" in str(dataset.citation)
    assert "over images, not over the 235 patients" in dataset.notes[0]


def test_the_hashes_are_those_beside_the_data(settings: Settings, mhsma_dir: Path) -> None:
    listed = mhsma_dir / "SHA256SUMS"
    if not listed.is_file():
        pytest.skip(f"{listed} is not there")
    sums = {n: h for h, n in (line.split() for line in listed.read_text().splitlines())}
    hashes = load("mhsma", settings=settings).file_hashes
    assert len(hashes) == 15
    assert all(sums[name] == value for name, value in hashes.items())


def test_labels_are_chosen_and_ordered(settings: Settings, mhsma_dir: Path) -> None:
    test = load("mhsma", labels=["tail", "head"], settings=settings).splits["test"]
    assert test.label_names == ("tail", "head")
    assert np.array_equal(test.labels[:, 1], np.load(mhsma_dir / "y_head_test.npy"))
    with pytest.raises(LabelsError, match="no labels for neck; there are head, acrosome"):
        load("mhsma", labels=["neck"], settings=settings)


def test_smaller_crops_are_the_centres(settings: Settings) -> None:
    whole = load("mhsma", settings=settings).splits["valid"].crops
    small = load("mhsma", crop_size=48, settings=settings).splits["valid"].crops
    assert np.array_equal(small, whole[:, 8:56, 8:56])
    assert small.flags.c_contiguous


def test_the_64_pixel_crops_are_the_centres_of_the_128_pixel_ones(mhsma_dir: Path) -> None:
    # What load_mhsma relies on for other sizes.
    large = np.load(mhsma_dir / "x_128_valid.npy")
    assert np.array_equal(large[:, 32:96, 32:96], np.load(mhsma_dir / "x_64_valid.npy"))


@pytest.mark.parametrize("size", [0, 129])
def test_no_crop_is_larger_than_what_was_published(settings: Settings, size: int) -> None:
    with pytest.raises(DataError, match=f"expected a crop_size from 1 to 128, got {size}"):
        load("mhsma", crop_size=size, settings=settings)


def test_missing_large_files_are_named_with_ids_places_and_the_way(
    mhsma_dir: Path, tmp_path: Path
) -> None:
    small = [name for name in MHSMA.names(large=False) if (mhsma_dir / name).is_file()]
    own = linked(tmp_path / "data" / "mhsma", mhsma_dir, small)
    settings = Settings(data=tmp_path / "data", cache=tmp_path / "cache")
    with pytest.raises(DatasetMissingError) as caught:
        load("mhsma", crop_size=128, settings=settings)
    assert str(caught.value) == (
        "MHSMA is here in part; missing: "
        "x_128_train.npy (git blob 7a6732aa43e2f86fa95c75d3b2b022118aa45268); "
        "x_128_test.npy (git blob cd32f5a09528ab6ff278d049ee764cece1d9e808) "
        f"(looked in {own}, {tmp_path / 'cache' / 'mhsma'}). "
        "Run: androscope data download mhsma, which fetches only what is missing; or put the file "
        "from https://raw.githubusercontent.com/soroushj/mhsma-dataset/"
        "7b1a965aa438fd166197cacc591c45513842b044/mhsma/ there yourself and run: androscope data "
        "download mhsma --from DIR. Or work with crop_size 64"
    )
    # 64-pixel work goes on.
    assert len(load("mhsma", settings=settings).splits["train"]) == 1000


def test_nothing_at_all_names_the_command(tmp_path: Path) -> None:
    settings = Settings(cache=tmp_path)
    with pytest.raises(DatasetMissingError) as caught:
        load("mhsma", settings=settings)
    assert caught.value.reason == f"MHSMA is not on this machine (looked in {tmp_path / 'mhsma'})"
    assert "Run: androscope data download mhsma" in str(caught.value)
    assert "ANDROSCOPE_DATA" in str(caught.value)


def test_files_may_lie_in_either_folder(mhsma_dir: Path, tmp_path: Path) -> None:
    names = list(MHSMA.names(large=False))
    linked(tmp_path / "data" / "mhsma", mhsma_dir, names[::2])
    linked(tmp_path / "cache" / "mhsma", mhsma_dir, names[1::2])
    settings = Settings(data=tmp_path / "data", cache=tmp_path / "cache")
    assert len(folders(settings)) == 2
    assert len(load("mhsma", settings=settings).splits["test"]) == 300


def test_a_changed_byte_is_found(mhsma_dir: Path, tmp_path: Path) -> None:
    names = [n for n in MHSMA.names(large=False) if n != "y_tail_test.npy"]
    folder = linked(tmp_path / "mhsma", mhsma_dir, names)
    shutil.copyfile(mhsma_dir / "y_tail_test.npy", folder / "y_tail_test.npy")
    content = bytearray((folder / "y_tail_test.npy").read_bytes())
    content[-1] ^= 1
    (folder / "y_tail_test.npy").write_bytes(content)
    with pytest.raises(DatasetCorruptError) as caught:
        load_mhsma([folder])
    assert str(caught.value).startswith(
        f"{folder / 'y_tail_test.npy'}: differs from the published file: expected git blob "
        "52aaa788fe1af54f6758246c3482a2391da90e9e, got "
    )


def test_the_folder_by_its_path_keeps_its_licence(mhsma_dir: Path) -> None:
    by_path = load(mhsma_dir)
    assert by_path.name == "mhsma"
    assert by_path.licence == "CC BY-NC-SA 4.0"

from __future__ import annotations

import os
from pathlib import Path

import pytest

from androscope.batch.listing import list_folder
from androscope.errors import SourceError
from androscope.imaging.find import find_images
from androscope.imaging.formats import EXTENSIONS

NAMES = (
    "img2.png", "img10.png", "Img3.PNG", "a/b/x.tif", "a/c.png", "a10/x.png", "a9/x.png",
    "notes.txt", ".hidden.png", ".cache/x.png", "line\nbreak.png", "img01.png", "img1.png",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * number)
    return tmp_path


@pytest.mark.parametrize("run", [1, 2, 3, 1000])
def test_the_order_and_the_images_are_those_of_assess(folder: Path, run: int) -> None:
    listing = list_folder(folder, EXTENSIONS, run=run)
    expected = find_images([folder])
    assert [Path(path) for path, _ in listing] == list(expected)
    assert [size for _, size in listing] == [path.stat().st_size for path in expected]
    assert listing.count == len(expected) == 10
    assert listing.ignored == expected.ignored == 1
    assert listing.total == sum(size for _, size in listing)
    listing.close()


def test_a_link_to_a_folder_above_is_not_walked_for_ever(folder: Path) -> None:
    (folder / "a" / "up").symlink_to(folder)
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    names = [path for path, _ in list_folder(folder, EXTENSIONS)]
    assert len(names) == 11
    assert str(folder / "gone.png") in names


def test_a_name_that_is_no_text(folder: Path) -> None:
    name = os.fsdecode(b"\xff\xfe.png")
    (folder / name).write_bytes(b"x")
    assert str(folder / name) in [path for path, _ in list_folder(folder, EXTENSIONS)]


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        list_folder(tmp_path / "gone", EXTENSIONS)
    assert str(caught.value) == (
        f"{tmp_path / 'gone'}: cannot be listed: No such file or directory. "
        "See that it is there and may be read"
    )

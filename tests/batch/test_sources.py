from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from androscope.batch.sources import Content, Source, contents, open_sources, parts_of
from androscope.errors import EmptyInputError, SourceError
from androscope.imaging.formats import EXTENSIONS


def names(source: Source) -> list[str]:
    return [item.name for part in parts_of(source, 0, 10) for item in part.items]


def test_what_is_named_is_known_by_what_it_is(crops: Path) -> None:
    for name in ("a.zip", "b.TAR.GZ", "c.tgz", "d.parquet"):
        Path(name).write_bytes(b"")
    found = open_sources(
        ["crops", "a.zip", "b.TAR.GZ", "c.tgz", "d.parquet", "memory://x", "memory://x/y.zip",
         "zip://*.png::memory://z.zip", "crops/../crops"]
    )  # fmt: skip
    kinds = ["folder", "zip", "tar", "tar", "parquet", "url", "zip", "url"]
    assert [source.kind for source in found] == kinds


def test_images_named_one_by_one_are_one_source(crops: Path) -> None:
    found = open_sources(["crops/img1*.png", "crops/img2.png", "crops", "crops/img4.png"])
    assert [source.kind for source in found] == ["image", "folder", "image"]
    assert found[0].where == "crops"
    assert names(found[0]) == [
        "crops/img1.png", *(f"crops/img1{n}.png" for n in range(10)), "crops/img2.png",
    ]  # fmt: skip
    assert contents(found)[0].images == 12


@pytest.mark.parametrize(
    ("named", "kind", "message"),
    [
        pytest.param([], EmptyInputError, "nothing was named to grade", id="nothing"),
        pytest.param(["gone"], SourceError, "gone: no such file or folder", id="gone"),
        pytest.param(["gone/*.png"], SourceError, "gone/*.png: no such file", id="no match"),
        pytest.param(
            ["empty"],
            EmptyInputError,
            f"empty: no image in it: looked for {', '.join(EXTENSIONS)}; 1 other files were "
            "ignored. Give a folder or an archive with such files; name archives themselves, or "
            "by a pattern such as 'shards/*.parquet'",
            id="no image",
        ),
        pytest.param(["nothere://x"], SourceError, "nothere://x: cannot be reached", id="protocol"),
        pytest.param(["memory://gone"], EmptyInputError, "no image in it", id="URL of nothing"),
    ],
)
def test_what_cannot_be_graded(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    named: list[str],
    kind: type[Exception],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("empty/a.parquet").write_bytes(b"")
    with pytest.raises(kind) as caught:
        contents(open_sources(named))
    assert message in str(caught.value)


@pytest.fixture
def memory() -> fsspec.AbstractFileSystem:
    """fsspec's file system in memory, empty."""
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]
    return filesystem


Make = Callable[[], str]


def test_a_url_is_listed_in_natural_order(memory: fsspec.AbstractFileSystem) -> None:
    for name in ("img10.png", "img2.png", "sub/x.tif", "notes.txt", ".cache/x.png"):
        memory.pipe(f"/bank/{name}", b"12345")
    (source,) = open_sources(["memory://bank"])
    assert names(source) == [
        "memory:///bank/img2.png", "memory:///bank/img10.png", "memory:///bank/sub/x.tif",
    ]  # fmt: skip
    assert contents([source]) == [Content(3, 15, 2)]


def test_an_archive_behind_a_url(crops: Path, memory: fsspec.AbstractFileSystem) -> None:
    with zipfile.ZipFile("a.zip", "w") as archive:
        archive.write("crops/img0.png")
    memory.pipe("/a.zip", Path("a.zip").read_bytes())
    (source,) = open_sources(["memory://a.zip"])
    assert names(source) == ["memory://a.zip/crops/img0.png"]
    (chained,) = open_sources(["zip://crops/*.png::memory://a.zip"])
    assert names(chained) == ["zip://crops/img0.png::memory://a.zip"]
    memory.pipe("/b.zip", Path("a.zip").read_bytes())
    several = open_sources(["memory://*.zip"])
    assert several == (Source("memory:///a.zip", "zip"), Source("memory:///b.zip", "zip"))
    with pytest.raises(SourceError, match=r"memory://x\*.zip: nothing matches this pattern"):
        open_sources(["memory://x*.zip"])


def test_a_folder_that_goes_away_before_it_is_listed(crops: Path) -> None:
    (source,) = open_sources(["crops"])
    shutil.rmtree(crops)
    with pytest.raises(SourceError, match=r"crops: cannot be listed: No such file"):
        names(source)

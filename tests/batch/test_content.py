from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import fsspec
import pytest

from androscope.batch import content
from androscope.batch.content import key_of, load
from androscope.batch.parts import Item, Part
from androscope.errors import SourceError


def part(*names: str, root: str | None = "crops") -> Part:
    return Part((0, 0), tuple(Item(name, 1, where=name) for name in names), root)


def test_bytes_and_hashes(crops: Path) -> None:
    (found,) = load(part("crops/img0.png"))
    data = Path("crops/img0.png").read_bytes()
    assert found.source == data
    assert found.sha256 == hashlib.sha256(data).hexdigest()


def test_a_large_file_stays_on_the_disk(crops: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_WHOLE", 10)
    (found,) = load(part("crops/img0.png"))
    assert found.source == Path("crops/img0.png")
    assert found.sha256 == hashlib.sha256(Path("crops/img0.png").read_bytes()).hexdigest()


def test_one_file_missing_is_a_row(crops: Path) -> None:
    Path("crops/img0.png").unlink()
    gone, there = load(part("crops/img0.png", "crops/img1.png"))
    assert (gone.sha256, gone.source) == (None, None)
    assert str(gone.error) == "no such file. Check the spelling and the folder you are in"
    assert there.sha256


@pytest.mark.parametrize("left", ["nothing", "an empty folder"])
def test_all_of_them_missing_is_no_row(crops: Path, left: str) -> None:
    shutil.rmtree(crops)
    if left == "an empty folder":  # a mount point without its disk
        crops.mkdir()
    with pytest.raises(SourceError) as caught:
        load(part("crops/img0.png", "crops/img1.png"))
    assert str(caught.value) == (
        "crops: is gone: images that were listed in it cannot be read any more. Bring it back "
        "(a disk, a network drive) and run the same command: what was graded is kept"
    )


def test_of_a_url_likewise() -> None:
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pipe("/bank/a.png", b"abc")
    names = ["memory://bank/a.png", "memory://bank/b.png"]
    there, gone = load(part(*names, root="memory://bank"))
    assert there.source == b"abc"
    assert str(gone.error).startswith("no such file. See that it is there")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]
    with pytest.raises(SourceError, match=r"memory://bank: is gone"):
        load(part(*names, root="memory://bank"))


def test_what_an_archive_could_not_give_is_said(crops: Path) -> None:
    (found,) = load(Part((0, 0), (Item("a.zip/x.png", 1, reason="damaged in its archive: CRC"),)))
    assert str(found.error) == "damaged in its archive: CRC. Copy the archive again"


def test_the_key_is_of_names_contents_and_the_run(crops: Path) -> None:
    def key(*names: str, run: str = "run") -> str:
        return key_of(run, load(part(*names)))

    first = key("crops/img0.png", "crops/img1.png")
    assert first == key("crops/img0.png", "crops/img1.png")
    assert first != key("crops/img1.png", "crops/img0.png")
    assert first != key("crops/img0.png", "crops/img1.png", run="another model")
    shutil.copy("crops/img1.png", "crops/img2.png")
    assert first != key("crops/img0.png", "crops/img2.png")
    Path("crops/img1.png").write_bytes(b"other")
    assert first != key("crops/img0.png", "crops/img1.png")
    Path("crops/img1.png").unlink()
    assert first != key("crops/img0.png", "crops/img1.png")

# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from androscope.batch import containers
from androscope.batch.containers import count_rows, count_zip, read_parquet, read_tar, read_zip
from androscope.batch.parts import Item
from androscope.errors import SourceError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

MEMBERS = {
    "b/img10.png": b"ten", "b/img2.png": b"two", "a.PNG": b"a", "readme.txt": b"text",
    ".hidden/x.png": b"no", "__MACOSX/a.png": b"no", "b/._img2.png": b"no",
}  # fmt: skip
IMAGES = {name: MEMBERS[name] for name in ("a.PNG", "b/img2.png", "b/img10.png")}


def zipped(members: dict[str, bytes], kind: int = zipfile.ZIP_STORED) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as archive:
        archive.mkdir("b")
        for name, data in members.items():
            archive.writestr(name, data)
    stream.seek(0)
    return stream


def tarred(members: dict[str, bytes], mode: str = "w") -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    stream.seek(0)
    return stream


def table(**columns: Any) -> io.BytesIO:
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream, row_group_size=2)
    stream.seek(0)
    return stream


def read(reader: Callable[..., Any], stream: io.BytesIO) -> dict[str, Any]:
    return {item.name: item.data or item.reason for item in reader(stream, "x")}


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zips_images_in_natural_order(kind: int) -> None:
    found = read(read_zip, zipped(MEMBERS, kind))
    assert list(found.items()) == [(f"x/{name}", data) for name, data in IMAGES.items()]
    assert count_zip(zipped(MEMBERS, kind), "x") == (3, 7, 4)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tars_images_in_its_own_order(mode: str) -> None:
    found = read(read_tar, tarred(MEMBERS, mode))
    assert list(found) == ["x/b/img10.png", "x/b/img2.png", "x/a.PNG"]
    assert found == {f"x/{name}": data for name, data in IMAGES.items()}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        pytest.param({"path": ["b", "a", "c"], "bytes": [b"1", b"2", b"3"]}, {"x/b": b"1", "x/a": b"2", "x/c": b"3"}, id="path and bytes"),
        pytest.param({"bytes": [b"1", b"2"]}, {"x/0": b"1", "x/1": b"2"}, id="no names"),
        pytest.param({"path": ["a", None], "bytes": [None, b"2"]}, {"x/a": "no bytes in this row of the table", "x/1": b"2"}, id="a row without"),
        pytest.param({"image": [{"bytes": b"1", "path": "a"}, {"bytes": b"2", "path": None}, None]}, {"x/a": b"1", "x/1": b"2", "x/2": "no bytes in this row of the table"}, id="Hugging Face's"),
    ],
)  # fmt: skip
def test_a_tables_images_in_its_order(columns: dict[str, Any], expected: dict[str, Any]) -> None:
    found = read(read_parquet, table(**columns))
    assert list(found.items()) == list(expected.items())
    assert count_rows(table(**columns), "x") == len(expected)


def test_a_damaged_member_is_an_item_with_the_reason() -> None:
    content = zipped({"a.png": b"aaaa", "b.png": b"bbbb"}).getvalue().replace(b"aaaa", b"axaa", 1)
    found = read(read_zip, io.BytesIO(content))
    assert found == {
        "x/a.png": "damaged in its archive: Bad CRC-32 for file 'a.png'", "x/b.png": b"bbbb",
    }  # fmt: skip


def test_a_member_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "LARGEST", 2_000_000)
    large = {"a.png": bytes(3_000_000), "b.png": b"b"}
    reason = "too large inside an archive: expected at most 2 MB, got 3 MB; unpack it first"
    for reader, stream in ((read_zip, zipped(large)), (read_tar, tarred(large))):
        assert read(reader, stream) == {"x/a.png": reason, "x/b.png": b"b"}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_cut_short_gives_what_is_whole_and_then_an_error(mode: str) -> None:
    many = {f"{number}.png": np.random.default_rng(number).bytes(50_000) for number in range(20)}
    content = tarred(many, mode).getvalue()
    found: list[Item] = []
    with pytest.raises(SourceError, match=r"^x: truncated or damaged archive: the rest") as caught:
        found.extend(read_tar(io.BytesIO(content[: len(content) // 2]), "x"))
    assert 0 < len(found) < 20
    assert "Copy it again and run the same command: what was graded is kept" in str(caught.value)


class Lost(io.BytesIO):
    """A file whose medium goes away behind its table of contents."""

    lost = False

    def read(self, size: int | None = -1) -> bytes:
        if self.lost:
            raise OSError(5, "Input/output error")
        return super().read(size)


def test_an_archive_that_goes_away_is_no_row_of_errors() -> None:
    stream = Lost(zipped({"a.png": b"a" * 20_000, "b.png": b"b"}).getvalue())
    items = read_zip(stream, "x")
    assert next(items).name == "x/a.png"
    stream.lost = True
    with pytest.raises(SourceError, match=r"cannot be read any more .*Input/output error"):
        next(items)


@pytest.mark.parametrize(
    ("reader", "stream", "message"),
    [
        pytest.param(read_zip, io.BytesIO(b"PK no zip"), "x: truncated or damaged archive: has no table of contents (File is not a zip file)", id="zip"),
        pytest.param(read_tar, io.BytesIO(tarred(MEMBERS).getvalue()[:4096]), "(it ends without a tar archive's end mark)", id="tar cut between members"),
        pytest.param(read_tar, io.BytesIO(b"no tar" * 200), "x: truncated or damaged archive: the rest of it cannot be read", id="tar"),
        pytest.param(read_parquet, io.BytesIO(b"PAR1 no"), "x: expected a Parquet file, and it cannot be read as one", id="parquet"),
        pytest.param(read_parquet, table(path=["a"], bytes=["text"]), "expected a table with a column 'bytes' (binary) and 'path', or 'image' with both; got path: string, bytes: string", id="columns"),
    ],
)  # fmt: skip
def test_what_is_no_archive(reader: Callable[..., Any], stream: io.BytesIO, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        list(reader(stream, "x"))
    assert message in str(caught.value)

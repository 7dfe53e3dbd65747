"""Archives and tables of images: their members one after the other, in memory a few at a time."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from androscope.batch.parts import Item
from androscope.errors import SourceError
from androscope.extras import require
from androscope.imaging.find import natural_key
from androscope.imaging.formats import EXTENSIONS

__all__ = [
    "LARGEST",
    "TAR_ENDINGS",
    "count_rows",
    "count_zip",
    "read_parquet",
    "read_tar",
    "read_zip",
]

#: A member with more bytes than this is not read: archives hold crops, not stacks.
LARGEST = 64_000_000

TAR_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

_TOO_LARGE = (
    "too large inside an archive: expected at most {limit} MB, got {size} MB; unpack it first"
)

#: What a damaged archive raises, by whatever layer notices it.
_DAMAGED = (
    tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, OSError,
    ValueError, NotImplementedError,
)  # fmt: skip

#: Bytes of a block of a tar archive.
_BLOCK = 512

#: Rows of a table decoded at a time.
_ROWS = 64


def _wanted(name: str) -> bool:
    """Whether a member is an image: its ending, and no hidden name on the way to it."""
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    return not hidden and name.lower().endswith(EXTENSIONS)


def _opened_zip(stream: BinaryIO, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except _DAMAGED as error:
        raise _damaged(name, error, "has no table of contents") from error


def _damaged(name: str, error: BaseException, what: str) -> SourceError:
    detail = " ".join(str(error).split())[:120] or type(error).__name__
    return SourceError(
        f"truncated or damaged archive: {what} ({detail})",
        path=name,
        advice="Copy it again and run the same command: what was graded is kept",
    )


def count_zip(stream: BinaryIO, name: str) -> tuple[int, int, int]:
    """Images of a ZIP archive, their bytes, and files that are none. Raises as the reader."""
    with _opened_zip(stream, name) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        images = [info for info in files if _wanted(info.filename)]
        return len(images), sum(info.file_size for info in images), len(files) - len(images)


def read_zip(stream: BinaryIO, name: str) -> Iterator[Item]:
    """Images of a ZIP archive in natural order. Its table of contents is held in memory.

    A member that cannot be read (checksum, password, compression) is an item with the reason.

    Raises
    ------
    SourceError
        If the table of contents, or the file itself any more, cannot be read.
    """
    with _opened_zip(stream, name) as archive:
        members = [m for m in archive.infolist() if not m.is_dir() and _wanted(m.filename)]
        members.sort(key=lambda member: natural_key(Path(member.filename)))
        for member in members:
            inside = f"{name}/{member.filename}"
            if member.file_size > LARGEST:
                yield _too_large(inside, member.file_size)
                continue
            try:
                data = archive.read(member)
            except (*_DAMAGED, RuntimeError) as error:  # RuntimeError: a password is needed
                # bz2 calls damaged data an OSError too, but without a number.
                if isinstance(error, OSError) and error.errno is not None:
                    raise _damaged(name, error, "cannot be read any more") from error
                detail = " ".join(str(error).split())[:160] or type(error).__name__
                yield Item(inside, member.file_size, reason=f"damaged in its archive: {detail}")
                continue
            yield Item(inside, len(data), data=data)


def read_tar(stream: BinaryIO, name: str) -> Iterator[Item]:
    """Images of a tar archive, compressed or not, in the archive's order, read front to back.

    Raises
    ------
    SourceError
        Where the archive is damaged: what comes behind cannot be found.
    """
    try:
        whole: Any = _Tail(_unpacked(stream))
        archive: Any
        with tarfile.open(fileobj=whole, mode="r|") as archive:
            for member in archive:
                # It keeps every member it saw, for a second reading that a stream does not have.
                archive.members.clear()
                if not member.isfile() or not _wanted(member.name):
                    continue
                inside = f"{name}/{member.name}"
                if member.size > LARGEST:
                    yield _too_large(inside, member.size)
                    continue
                opened = archive.extractfile(member)
                data = b"" if opened is None else opened.read()
                if len(data) != member.size:
                    raise EOFError(f"{member.name} ends after {len(data)} of {member.size} bytes")
                yield Item(inside, len(data), data=data)
        whole.check()
    except _DAMAGED as error:
        raise _damaged(name, error, "the rest of it cannot be read") from error


def _unpacked(stream: BinaryIO) -> Any:
    # Not tarfile's own "r|*": it takes a compressed stream that was cut off for one that ends.
    head = stream.read(6)
    stream.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=stream)
    if head.startswith(b"BZh"):
        return bz2.BZ2File(stream)
    return lzma.LZMAFile(stream) if head == b"\xfd7zXZ\0" else stream


class _Tail:
    """A stream that knows how it ended; tarfile takes the end between two members for a tar's."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._last = b""

    def read(self, size: int) -> bytes:
        data: bytes = self._stream.read(size)
        if data:
            self._last = data[-_BLOCK:] if len(data) >= _BLOCK else (self._last + data)[-_BLOCK:]
        return data

    def check(self) -> None:
        """Read to the end (and have checksums checked); it must be a block of zeros."""
        while self.read(1 << 16):
            pass
        if self._last.strip(b"\0") or len(self._last) < _BLOCK:
            raise EOFError("it ends without a tar archive's end mark")


def _too_large(inside: str, size: int) -> Item:
    reason = _TOO_LARGE.format(limit=LARGEST // 1_000_000, size=size // 1_000_000)
    return Item(inside, 0, reason=reason)


def count_rows(stream: BinaryIO, name: str) -> int:
    """Rows of a Parquet file. Raises as :func:`read_parquet`."""
    return int(_opened_table(stream, name).metadata.num_rows)


def read_parquet(stream: BinaryIO, name: str) -> Iterator[Item]:
    """Images of a Parquet file in its order, a few rows in memory at a time.

    Expected are a column ``bytes`` (binary: a whole image file) and, for names, ``path``; or one
    column ``image`` that holds these two as a struct, as Hugging Face's data sets have it. A row
    without a name is called by its number.

    Raises
    ------
    SourceError
        If it is no Parquet file, has no such columns, or is damaged.
    """
    table = _opened_table(stream, name)
    columns = _columns(table.schema_arrow, name)
    row = 0
    try:
        for batch in table.iter_batches(batch_size=_ROWS, columns=columns, use_threads=False):
            for values in batch.to_pylist():
                found = values["image"] or {} if columns == ["image"] else values
                data, path = found.get("bytes"), found.get("path")
                inside = f"{name}/{row if path is None else path}"
                row += 1
                if data is None:
                    yield Item(inside, 0, reason="no bytes in this row of the table")
                else:
                    yield Item(inside, len(data), data=data)
    except OSError as error:
        raise _damaged(name, error, "the rest of it cannot be read") from error


def _opened_table(stream: BinaryIO, name: str) -> Any:
    parquet = require("pyarrow.parquet", extra="batch", why="read Parquet files")
    invalid = require("pyarrow", extra="batch", why="read Parquet files").ArrowInvalid
    try:
        # A row group may be larger than memory: its pages are read as they are needed.
        return parquet.ParquetFile(stream, buffer_size=1 << 20, pre_buffer=False)
    except (invalid, OSError) as error:
        raise SourceError(
            f"expected a Parquet file, and it cannot be read as one ({str(error)[:120]})",
            path=name,
            advice="Copy it again, or give a folder or an archive of images",
        ) from error


def _columns(schema: Any, name: str) -> list[str]:
    pa = require("pyarrow", extra="batch", why="read Parquet files")
    kinds = {field.name: field.type for field in schema}

    def holds_bytes(kind: Any) -> bool:
        return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))

    if "bytes" in kinds and holds_bytes(kinds["bytes"]):
        return ["bytes", "path"] if "path" in kinds else ["bytes"]
    image = kinds.get("image")
    if image is not None and pa.types.is_struct(image):
        inner = {image.field(i).name: image.field(i).type for i in range(image.num_fields)}
        if "bytes" in inner and holds_bytes(inner["bytes"]):
            return ["image"]
    raise SourceError(
        "expected a table with a column 'bytes' (binary) and 'path', or 'image' with both; "
        f"got {', '.join(f'{key}: {kind}' for key, kind in kinds.items()) or 'no column'}",
        path=name,
        advice="Name the column with the image files 'bytes', and that with their names 'path'",
    )

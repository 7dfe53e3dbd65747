"""A folder's images in natural order, however many: names are sorted on disk, not in memory."""

from __future__ import annotations

import heapq
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from androscope.errors import OutputError, SourceError
from androscope.imaging.find import natural_key, visible_files

__all__ = ["RUN", "Listing", "list_folder"]

#: Names sorted in memory at a time; their keys take a kilobyte each.
RUN = 25_000


class Listing:
    """Names and sizes of a folder's images, sorted, in a temporary file.

    Attributes
    ----------
    count, total
        How many there are, and the sum of their bytes.
    ignored
        Files without an image's ending.
    """

    def __init__(self, stream: BinaryIO, count: int, total: int, ignored: int) -> None:
        self._stream = stream
        self.count, self.total, self.ignored = count, total, ignored

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Path and bytes of each image, in the order of :func:`natural_key`."""
        with os.fdopen(os.dup(self._stream.fileno()), "rb") as stream:
            stream.seek(0)
            yield from _records(stream)

    def close(self) -> None:
        """Remove the temporary file."""
        self._stream.close()


def list_folder(folder: str | Path, endings: tuple[str, ...], *, run: int = RUN) -> Listing:
    """List the images below ``folder``: to any depth, hidden ones skipped, links followed.

    Parameters
    ----------
    folder
        A folder; names begin with it as it was written.
    endings
        What names must end with, in small letters.
    run
        Names held in memory at a time.

    Raises
    ------
    SourceError
        If a folder cannot be read: a part of the images must not be missed in silence.
    OutputError
        If there is no room for the temporary files.
    """
    with ExitStack() as stack:
        runs: list[BinaryIO] = []
        waiting: list[tuple[str, int]] = []
        count = total = ignored = 0
        for path, size in _walk(str(folder)):
            if not path.lower().endswith(endings):
                ignored += 1
                continue
            count, total = count + 1, total + size
            waiting.append((path, size))
            if len(waiting) == run:
                runs.append(stack.enter_context(_spool(waiting)))
                waiting = []
        if not runs:
            return Listing(_spool(waiting), count, total, ignored)
        runs.append(stack.enter_context(_spool(waiting)))
        waiting = []
        merged = heapq.merge(*map(_records, runs), key=_key)
        return Listing(_write(merged), count, total, ignored)


def _key(entry: tuple[str, int]) -> Any:
    return natural_key(Path(entry[0]))


def _walk(folder: str) -> Iterator[tuple[str, int]]:
    def refuse(error: OSError) -> None:
        raise SourceError(
            f"cannot be listed: {error.strerror or error}",
            path=error.filename or folder,
            advice="See that it is there and may be read",
        )

    for path in visible_files(folder, refuse):
        yield str(path), _size(str(path))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116  (a Path each would double the time)
    except OSError:
        return 0  # A dangling link: reading it will say so.


def _spool(entries: list[tuple[str, int]]) -> BinaryIO:
    entries.sort(key=_key)
    return _write(iter(entries))


def _write(entries: Iterator[tuple[str, int]]) -> BinaryIO:
    try:
        stream = tempfile.TemporaryFile(prefix="androscope-")  # noqa: SIM115  (its holder closes it)
        for path, size in entries:
            stream.write(b"%d:%s\0" % (size, os.fsencode(path)))
        stream.flush()
        stream.seek(0)
    except OSError as error:
        raise OutputError(
            f"a temporary file cannot be written: {error.strerror or error}",
            path=tempfile.gettempdir(),
            advice="Make room there, or set TMPDIR to a folder that has some",
        ) from error
    return stream


def _records(stream: BinaryIO) -> Iterator[tuple[str, int]]:
    rest = b""
    while block := stream.read(1 << 16):
        *whole, rest = (rest + block).split(b"\0")
        for record in whole:
            size, _, path = record.partition(b":")
            yield os.fsdecode(path), int(size)

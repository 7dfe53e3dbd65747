"""What is done of a batch, beside its output: parts under their hashes, and a journal of them.

``OUT.parts/`` holds a Parquet file per part, named by the part's key, and ``journal.jsonl``. A part
counts once its line is in the journal; the line has the file's own hash. Whatever a killed run left
beyond that (a half-written file, half a line) is removed by the next.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from androscope.batch.key import Facts, differences
from androscope.batch.work import Done, Tally
from androscope.errors import BatchError, OutputError
from androscope.extras import require
from androscope.files import sha256_of, write_bytes

__all__ = ["JOURNAL", "Entry", "State", "folder_of", "locked"]

JOURNAL, _PARTS, _LOCK = "journal.jsonl", "parts", "lock"

#: What a full disk, a folder that went away, and the like leave to be done.
KEPT = "What was graded is kept: make room, and run the same command again"


@dataclass(frozen=True, slots=True)
class Entry:
    """One part that is done."""

    key: str
    sha256: str
    tally: Tally


def folder_of(out: Path) -> Path:
    """Where the state of the batch that writes ``out`` is."""
    return out.with_name(out.name + ".parts")


@contextmanager
def locked(out: Path) -> Iterator[Path]:
    """Hold the state's folder for this process alone; it is removed at the end if it is empty.

    Raises
    ------
    BatchError
        If another process holds it.
    OutputError
        If it cannot be made.
    """
    filelock = require("filelock", extra="batch", why="keep two batches from one output")
    folder = folder_of(out)
    lock = filelock.FileLock(folder / _LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise BatchError(
            "another `androscope batch` writes it",
            path=out,
            advice="Wait for it, or choose another file with --out",
        ) from error
    except OSError as error:
        raise OutputError(f"cannot be made: {error.strerror or error}", path=folder) from error
    try:
        yield folder
    finally:
        if {path.name for path in folder.iterdir()} <= {_LOCK}:
            (folder / _LOCK).unlink(missing_ok=True)
            lock.release()
            _remove_empty(folder)
        else:
            lock.release()


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):  # somebody has just begun another batch there
        folder.rmdir()


class State:
    """The parts that are done.

    Parameters
    ----------
    folder
        From :func:`locked`.
    facts
        Of this run.
    restart
        Throw away what is there.

    Attributes
    ----------
    entries
        What is done, by key.
    batch_size
        That the run was begun with; ``None`` for a new one, until :meth:`begin`.
    lost
        Parts of the journal whose files are gone or damaged; they are graded again.

    Raises
    ------
    BatchError
        If what is there was begun with other facts.
    OutputError
        If it cannot be read.
    """

    def __init__(self, folder: Path, facts: Facts, *, restart: bool = False) -> None:
        self.folder, self.facts = folder, facts
        self.entries: dict[str, Entry] = {}
        self.batch_size: int | None = None
        self.lost = 0
        if restart:
            self.clear()
        try:
            (folder / _PARTS).mkdir(exist_ok=True)
            self._read()
            self._sweep()
        except OSError as error:
            raise OutputError(
                f"cannot be used: {error.strerror or error}", path=folder, advice=KEPT
            ) from error

    @property
    def rows(self) -> int:
        """Rows that are done."""
        return sum(entry.tally.rows for entry in self.entries.values())

    def begin(self, batch_size: int) -> None:
        """Write the journal's first line, unless it is there."""
        if self.batch_size is None:
            self.batch_size = batch_size
            self._append({"batch": dict(self.facts), "batch_size": batch_size})

    def commit(self, done: Done) -> None:
        """Keep a part's rows: the file, whole, then its line in the journal.

        Raises
        ------
        OutputError
            If it cannot be written; what was committed before stays.
        """
        assert done.data is not None
        assert done.tally is not None
        path = self.path(done.key)
        try:
            write_bytes(path, done.data)
        except OutputError as error:
            raise OutputError(error.reason, path=error.path, advice=KEPT) from error
        entry = Entry(done.key, sha256_of(path), done.tally)
        self._append(
            {
                "key": entry.key,
                "sha256": entry.sha256,
                "rows": entry.tally.rows,
                "failed": dict(entry.tally.failed),
                "guessed": dict(entry.tally.guessed),
            }
        )
        self.entries[entry.key] = entry

    def path(self, key: str) -> Path:
        """File of a part's rows."""
        return self.folder / _PARTS / f"{key}.parquet"

    def clear(self) -> None:
        """Remove all but the lock."""
        # The journal first: parts without it are nothing, a journal without parts would be read.
        (self.folder / JOURNAL).unlink(missing_ok=True)
        shutil.rmtree(self.folder / _PARTS, ignore_errors=True)
        self.entries, self.batch_size = {}, None

    def _append(self, line: dict[str, Any]) -> None:
        path = self.folder / JOURNAL
        try:
            with path.open("ab") as stream:
                stream.write(json.dumps(line).encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror or error}", path=path, advice=KEPT
            ) from error

    def _read(self) -> None:
        path = self.folder / JOURNAL
        if not path.exists():
            return
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):  # killed, or out of room, in the middle of a line
            with path.open("rb+") as stream:
                stream.truncate(len(whole))
        for line in whole.splitlines():
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BatchError(
                    f"is damaged: {line[:60]!r} is no line of a batch's journal",
                    path=path,
                    advice="Begin anew with --restart",
                ) from error

    def _take(self, line: dict[str, Any]) -> None:
        if "batch" in line:
            if line["batch"] != dict(self.facts):
                raise BatchError(
                    "an unfinished batch is kept there that was begun with "
                    + differences(line["batch"], self.facts),
                    path=self.folder,
                    advice="Go on with those, throw it away with --restart, or choose "
                    "another --out",
                )
            self.batch_size = int(line["batch_size"])
            return
        tally = Tally(int(line["rows"]), dict(line["failed"]), dict(line["guessed"]))
        entry = Entry(str(line["key"]), str(line["sha256"]), tally)
        self.entries[entry.key] = entry

    def _sweep(self) -> None:
        """Drop entries whose file is not what was written, and files that are no entry's."""
        for entry in list(self.entries.values()):
            path = self.path(entry.key)
            if not path.is_file() or sha256_of(path) != entry.sha256:
                self.lost += 1
                del self.entries[entry.key]
        for path in (self.folder / _PARTS).iterdir():
            if path.stem not in self.entries:
                path.unlink()

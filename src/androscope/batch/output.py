"""The output: parts joined in the order of their source, checked, then put in place at once.

The file is also a store of parts: its metadata say which rows are whose, so that a later run over
more images, or the same, takes from it what it has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from androscope import __version__
from androscope.batch.key import Facts, key_of_run
from androscope.batch.state import KEPT
from androscope.batch.work import Tally
from androscope.errors import BatchError, OutputError
from androscope.extras import require
from androscope.files import atomic_path
from androscope.report.names import NOTICE

__all__ = ["GROUP_ROWS", "Finished", "write_output"]

#: Rows of a row group, at least: with small ones the file's footer would not fit into memory.
GROUP_ROWS = 8_192

_META = b"androscope.batch"


class Finished:
    """An earlier output of a run with the same facts; of any other, or of none, nothing is known.

    Attributes
    ----------
    keys
        Its parts, in order.
    tallies
        By key.
    """

    def __init__(self, path: Path, facts: Facts) -> None:
        self.keys: list[str] = []
        self.tallies: dict[str, Tally] = {}
        self._places: dict[str, tuple[int, int]] = {}
        self._file: Any = None
        if not path.is_file():
            return
        parquet = require("pyarrow.parquet", extra="batch", why="read Parquet files")
        try:
            found = parquet.ParquetFile(path, page_checksum_verification=True)
            document = json.loads((found.schema_arrow.metadata or {}).get(_META, b"{}"))
        except (OSError, ValueError):  # pyarrow's ArrowInvalid is a ValueError
            return
        if document.get("run") != key_of_run(facts):
            found.close()
            return
        self._file = found
        ends = [0]
        for group in range(found.num_row_groups):
            ends.append(ends[-1] + found.metadata.row_group(group).num_rows)
        group = row = 0
        for key, rows, failed, guessed in document["parts"]:
            while group + 1 < found.num_row_groups and row >= ends[group + 1]:
                group += 1
            self.keys.append(key)
            self.tallies[key] = Tally(rows, failed, guessed)
            self._places[key] = (group, row - ends[group])
            row += rows
        self._group: tuple[int, Any] = (-1, None)

    def table(self, key: str) -> Any:
        """Rows of a part as a table."""
        group, start = self._places[key]
        if self._group[0] != group:  # asked in order: each group is read once
            self._group = (group, self._file.read_row_group(group))
        return self._group[1].slice(start, self.tallies[key].rows)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()


def write_output(
    path: Path,
    schema: Any,
    facts: Facts,
    parts: Sequence[tuple[str, Tally]],
    table_of: Callable[[str], Any],
    *,
    release: Callable[[], None] = lambda: None,
) -> None:
    """Join parts into one Parquet file, read it back, and put it in place.

    Parameters
    ----------
    path
        Where to; what stands there stays until the new file is known to be whole.
    schema
        Of the rows.
    facts
        Of the run.
    parts
        Key and tally of each part, in order.
    table_of
        Gives a part's rows.
    release
        Called when no more rows are asked for, before the file is put in place: Windows does not
        replace one that is open.

    Raises
    ------
    OutputError
        If it cannot be written.
    BatchError
        If what was written is not what was read; nothing is put in place.
    """
    parquet = require("pyarrow.parquet", extra="batch", why="write Parquet files")
    named = schema.with_metadata(_metadata(facts, parts))
    try:
        with atomic_path(path) as temporary:
            with parquet.ParquetWriter(
                temporary, named, compression="zstd", write_page_checksum=True
            ) as writer:
                for table in _groups(parts, table_of):
                    writer.write_table(table.cast(named), row_group_size=max(1, len(table)))
            _verify(temporary, parts, table_of, path)
            release()
    except OutputError as error:
        raise OutputError(error.reason, path=error.path, advice=KEPT) from error


def _metadata(facts: Facts, parts: Sequence[tuple[str, Tally]]) -> dict[str, str]:
    document = {
        "run": key_of_run(facts),
        "facts": dict(facts),
        "parts": [[key, t.rows, dict(t.failed), dict(t.guessed)] for key, t in parts],
    }
    name, _, version = str(facts["model"]).rpartition(" ")
    return {
        "androscope.version": __version__,
        "androscope.model": name,
        "androscope.model_version": version,
        "androscope.model_sha256": str(facts["model_sha256"]),
        "androscope.notice": NOTICE,
        _META.decode(): json.dumps(document, separators=(",", ":")),
    }


def _groups(parts: Sequence[tuple[str, Tally]], table_of: Callable[[str], Any]) -> Iterator[Any]:
    """Tables of whole parts with at least :data:`GROUP_ROWS` rows; the last may have fewer."""
    pa = require("pyarrow", extra="batch", why="write Parquet files")
    waiting: list[Any] = []
    rows = 0
    for key, tally in parts:
        waiting.append(table_of(key))
        rows += tally.rows
        if rows >= GROUP_ROWS:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def _verify(
    written: Path,
    parts: Sequence[tuple[str, Tally]],
    table_of: Callable[[str], Any],
    path: Path,
) -> None:
    parquet = require("pyarrow.parquet", extra="batch", why="read Parquet files")
    with parquet.ParquetFile(written, page_checksum_verification=True) as found:
        rows = sum(tally.rows for _, tally in parts)
        same = found.metadata.num_rows == rows
        groups = iter(range(found.num_row_groups))
        for expected in _groups(parts, table_of):
            group = next(groups, None)
            same = same and group is not None and found.read_row_group(group).equals(expected)
        if not same:
            raise BatchError(
                f"what was written is not what was graded ({rows} rows)",
                path=path,
                advice="Check the disk, then run the same command: what was graded is kept",
            )

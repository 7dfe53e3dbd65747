"""A file of predictions as columns of text with line numbers; nothing is said of the values."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from androscope.benchmark.reasons import Reasons, refused
from androscope.errors import SubmissionError
from androscope.spelling import closest

__all__ = ["COLUMNS", "Row", "Table", "read_table"]

#: What a label's columns may be called besides the label alone: as `androscope evaluate` does.
COLUMNS = ("probability", "threshold", "truth", "verdict")

#: A row per crop: no benchmark of ours comes near.
_MOST_BYTES = 20 * 2**20


@dataclass(frozen=True, slots=True)
class Row:
    """One crop's cells, and the line they stand in, from 1."""

    line: int
    id: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A file of predictions.

    Attributes
    ----------
    sha256
        Hex SHA-256 of the file's bytes.
    columns
        Position of a column in a row's cells, by label and one of :data:`COLUMNS`.
    rows
        In the order of the file.
    """

    sha256: str
    columns: Mapping[tuple[str, str], int]
    rows: tuple[Row, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that have probabilities, in the order of the file."""
        return tuple(label for label, what in self.columns if what == "probability")

    def column(self, label: str, what: str) -> tuple[str, ...] | None:
        """The cells of a column, a row each; ``None`` if the file does not have it."""
        at = self.columns.get((label, what))
        return None if at is None else tuple(row.cells[at] for row in self.rows)


def read_table(path: Path, labels: Sequence[str], reasons: Reasons) -> Table:
    """Read the file at ``path``.

    Parameters
    ----------
    path
        UTF-8 text, commas, a header.
    labels
        Those of the data set; other columns are faults.
    reasons
        Faults of header and rows are added; a row of a wrong length is left out.

    Raises
    ------
    SubmissionError
        If there is no table to look any further into.
    """

    def stop(what: str) -> SubmissionError:
        return refused([*reasons.texts(), what], path)

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise stop(f"expected at most {_MOST_BYTES >> 20} MB: a row per crop")
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise stop(f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise stop(f"expected UTF-8 text, got other bytes ({error.reason})") from error
    try:
        records = list(_records(text))
    except _NotCsvError as error:
        raise stop(str(error)) from error
    if not records:
        raise stop("it is empty: expected a header, then a row per crop")
    (line, header), rest = records[0], records[1:]
    names = [name.strip().lower() for name in header]
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        raise stop(f"line {line}: expected columns separated by commas")
    columns = _columns(names, line, labels, reasons)
    if "id" not in names:
        raise stop(f"line {line}: there is no column named id")
    at = names.index("id")
    rows = []
    for number, record in rest:
        if len(record) != len(names):
            reasons.add(f"expected {len(names)} columns", number, got=str(len(record)))
            # An id that is there is not reported as missing on top.
            record = (record + [""] * len(names))[: len(names)] if len(record) > at else []
        if record:
            rows.append(Row(number, record[at].strip(), tuple(cell.strip() for cell in record)))
    return Table(hashlib.sha256(content).hexdigest(), columns, tuple(rows))


class _NotCsvError(ValueError):
    pass


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Every record that is not blank, with the number of its last line."""
    # Strict, or an unclosed quote would silently swallow the rest of the table.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                yield reader.line_num, record
    except csv.Error as error:
        raise _NotCsvError(f"line {reader.line_num}: this is not CSV: {error}") from error


def _columns(
    names: Sequence[str], line: int, labels: Sequence[str], reasons: Reasons
) -> dict[tuple[str, str], int]:
    meant = {label: (label, "probability") for label in labels}
    meant |= {f"{label}_{what}": (label, what) for label in labels for what in COLUMNS}
    found: dict[tuple[str, str], int] = {}
    for at, name in enumerate(names):
        if name == "id" and names.index("id") != at:
            reasons.add("a column is there twice", line, got="id")
        if name == "id":
            continue
        if name not in meant:
            near = closest(name, [*meant, "id"])
            nearest = "" if near is None else f"; the nearest is {near}"
            reasons.add(f"there is no column {name!r} in a file of predictions{nearest}", line)
        elif meant[name] in found:
            reasons.add("a column is there twice", line, got=name)
        else:
            found[meant[name]] = at
    given = [label for label, what in found if what == "probability"]
    if not given:
        reasons.add(f"there is no column of probabilities: expected {', '.join(labels)}", line)
    for label in dict.fromkeys(label for label, _ in found if label not in given):
        reasons.add(f"{label} has no column of probabilities", line)
    return found

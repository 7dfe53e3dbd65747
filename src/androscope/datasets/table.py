"""A CSV of labelled pictures: ``path,acrosome,head,vacuole,tail,patient`` and optionally ``split``.

Written by hand, by spreadsheets of several countries and by scripts, so: comma, semicolon or tab;
any line ends; UTF-8 with or without a byte-order mark, UTF-16 with one; quoted fields; columns in
any order.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from androscope.datasets.columns import label_columns
from androscope.datasets.listing import (
    BLANKS,
    LABEL_VALUES,
    SPLIT_NAMES,
    Entry,
    Listing,
    Problem,
    parse_label,
)
from androscope.datasets.types import UNLABELLED

__all__ = ["TABLE_SUFFIXES", "read_table"]

TABLE_SUFFIXES = (".csv", ".tsv", ".txt")

_BLANK = frozenset(text for text, value in LABEL_VALUES.items() if value == UNLABELLED)
#: How other files begin that are taken for tables, and what they are.
_NO_TABLE = {"{": "JSON", "[": "JSON", "<": "HTML or XML"}
_SAVE_AS = "Save it as CSV UTF-8"


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    values: Mapping[str, str]


def read_table(path: Path) -> Listing:
    """Read the table at ``path``; every bad row becomes a problem, none raises.

    Pictures' paths are relative to the table's folder. Nothing is said of the pictures themselves.
    """
    problems: list[Problem] = []
    try:
        text = _decode(path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else f"not UTF-8 text ({error.reason})"
        return Listing((), (), (Problem(None, str(path), f"cannot be read: {what}", _SAVE_AS),))
    begins = text.lstrip()[:1]
    if begins in _NO_TABLE:
        what = f"no table: it begins with {begins!r}, as {_NO_TABLE[begins]} does"
        return Listing((), (), (Problem(None, str(path), what, "Give a CSV with a header line"),))
    records = list(_records(text, path, problems))
    if not records:
        problems.append(
            Problem(1, str(path), "the table is empty", "Give a header line and a row per crop")
        )
        return Listing((), (), tuple(problems))
    (header_line, first), rest = records[0], records[1:]
    header = [name.strip().lower() for name in first]
    if not _header_is_sound(header, header_line, path, problems):
        # Rows below a header that is none say nothing further.
        first_ones = [p for p in problems if p.line is None or p.line <= header_line]
        return Listing((), (), tuple(first_ones))
    rows = list(_rows(header, rest, problems))
    labels, notes = label_columns(header, [row.values for row in rows])
    if not labels:
        problems.append(
            Problem(
                header_line,
                str(path),
                f"no column of labels: expected head, acrosome, vacuole or tail, or a name of "
                f"your own over 0, 1 and blanks; got {', '.join(header)}",
                "Add a column per label",
            )
        )
    if not rows and not problems:
        problems.append(
            Problem(header_line, str(path), "no row below the header", "Add a row per crop")
        )
    entries = [e for row in rows if (e := _entry(row, labels, path.parent, problems)) is not None]
    _report_repeated_paths(entries, problems)
    _report_blank_splits(entries, problems)
    problems.sort(key=lambda problem: problem.line or 0)
    return Listing(labels, tuple(entries), tuple(problems), notes, (path,))


def _decode(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    return content.decode("utf-8-sig")


def _records(text: str, path: Path, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """Every record that is not blank, with the number of its first line."""
    lines = text.splitlines(keepends=False)
    start = 0
    delimiter = None
    # Excel's way of telling itself the delimiter.
    if lines and lines[0].strip().lower().startswith("sep=") and len(lines[0].strip()) == 5:
        delimiter = lines[0].strip()[-1]
        start = 1
    if delimiter is None:
        head = next((line for line in lines if line.strip()), "")
        delimiter = max(",;\t", key=head.count)
    # newline="" leaves the line ends to csv, as its documentation asks.
    stream = io.StringIO(text, newline="")
    for _ in range(start):
        stream.readline()
    # Strict, or an unclosed quote would silently swallow the rest of the table.
    reader = csv.reader(stream, delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        line = start + reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append(
                Problem(line, path.name, f"not CSV: {error}", "Close or double the quotes")
            )
            continue
        if any(field.strip() for field in record):
            yield line, record


def _header_is_sound(header: list[str], line: int, path: Path, problems: list[Problem]) -> bool:
    got = ", ".join(header)
    if "path" not in header:
        problems.append(
            Problem(
                line,
                str(path),
                f"no column named path; got {got}",
                "Name the column with the pictures' paths: path",
            )
        )
        return False
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        problems.append(
            Problem(line, str(path), f"columns named twice: {', '.join(twice)}", "Rename one")
        )
        return False
    return True


def _rows(
    header: list[str], records: list[tuple[int, list[str]]], problems: list[Problem]
) -> Iterator[_Row]:
    for line, record in records:
        # Spreadsheets pad short rows and add empty cells behind the last column.
        while len(record) > len(header) and not record[-1].strip():
            record.pop()
        if len(record) != len(header):
            name = record[header.index("path")] if len(record) > header.index("path") else ""
            problems.append(
                Problem(
                    line,
                    name.strip(),
                    f"expected {len(header)} columns, got {len(record)}",
                    "Give every column a value or leave it blank; quote values with commas",
                )
            )
            continue
        yield _Row(line, {n: v.strip() for n, v in zip(header, record, strict=True) if n})


def _entry(
    row: _Row, labels: tuple[str, ...], folder: Path, problems: list[Problem]
) -> Entry | None:
    name = row.values["path"]
    if not name:
        problems.append(Problem(row.line, "", "no path", "Name the picture, or remove the row"))
        return None
    values: dict[str, int] = {}
    for label in labels:
        value = parse_label(row.values[label])
        if value is None:
            problems.append(
                Problem(
                    row.line,
                    name,
                    f"{label}: expected 0, 1, normal, abnormal or blank, got {row.values[label]!r}",
                    "0 is normal, 1 abnormal, blank not labelled",
                )
            )
        # A bad row stays in the list, so that its other faults are found in the same look.
        values[label] = UNLABELLED if value is None else value
    if labels and not any(row.values[label].lower() not in _BLANK for label in labels):
        problems.append(
            Problem(row.line, name, "no label at all", "Label at least one part, or remove the row")
        )
    split = _filled(row, "split").lower()
    if split and split not in SPLIT_NAMES:
        problems.append(
            Problem(
                row.line,
                name,
                f"split: expected train, valid or test, got {split!r}",
                "Use one of the three",
            )
        )
    return Entry(
        name=name,
        path=_resolve(folder, name),
        labels=values,
        line=row.line,
        patient=_filled(row, "patient"),
        split=SPLIT_NAMES.get(split, split),
    )


def _filled(row: _Row, column: str) -> str:
    value = row.values.get(column, "")
    return "" if value in BLANKS else value


def _resolve(folder: Path, name: str) -> Path:
    path = folder / name
    if "\\" in name and os.sep == "/" and not path.exists():
        # A table made on Windows.
        path = folder / name.replace("\\", "/")
    return path


def _report_repeated_paths(entries: list[Entry], problems: list[Problem]) -> None:
    first: dict[str, Entry] = {}
    for entry in entries:
        earlier = first.setdefault(os.path.normcase(os.path.realpath(entry.path)), entry)
        if earlier is not entry:
            problems.append(
                Problem(
                    entry.line,
                    entry.name,
                    f"the same file as in line {earlier.line}",
                    "Keep one row per picture",
                )
            )


def _report_blank_splits(entries: list[Entry], problems: list[Problem]) -> None:
    if not any(entry.split for entry in entries):
        return
    problems += [
        Problem(e.line, e.name, "no split, while other rows have one", "Say train, valid or test")
        for e in entries
        if not e.split
    ]

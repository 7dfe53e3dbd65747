"""One observer's verdicts from a CSV: what ``androscope assess --csv`` wrote, or a label table.

They are told apart by the header: ``image`` is assess's, ``path`` a label table's, which is read as
``androscope data check`` reads it. The pictures themselves are not looked at.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from androscope.assessment.matching import Observer, Sperm
from androscope.assessment.observers import UNDECIDED
from androscope.datasets.listing import labels_error, lines_of
from androscope.datasets.table import read_table
from androscope.errors import VerdictsError
from androscope.types import ABNORMAL, NORMAL, Verdict

__all__ = ["read_observer", "read_observers"]

_VERDICT = "_verdict"
#: What may stand in a column of verdicts; undecided is a verdict, blank is a picture that failed.
_VALUES = {
    Verdict.NORMAL.value: NORMAL,
    Verdict.ABNORMAL.value: ABNORMAL,
    "undecided": UNDECIDED,
    "": UNDECIDED,
}
_ADVICE = "Give a CSV from androscope assess --csv, or a table path,head,acrosome,vacuole,tail"


def read_observers(paths: list[Path]) -> list[Observer]:
    """Read several files; each is named after its file, or its path where two are named alike.

    Raises
    ------
    VerdictsError, LabelsError
        As :func:`read_observer`; or if one file is named twice.
    """
    if len({path.resolve() for path in paths}) < len(paths):
        raise VerdictsError(
            f"a file is named twice among {', '.join(map(str, paths))}",
            advice="Compare different observers",
        )
    stems = [path.stem for path in paths]
    unique = len(set(stems)) == len(stems)
    return [read_observer(path, path.stem if unique else str(path)) for path in paths]


def read_observer(path: Path, name: str | None = None) -> Observer:
    """Read the verdicts of one observer.

    Raises
    ------
    VerdictsError
        If the file cannot be read, is of neither kind, or holds another word for a verdict; the
        first bad rows are listed.
    LabelsError
        If it is a label table with bad rows; the first ones are listed.
    """
    name = path.stem if name is None else name
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise VerdictsError(
            f"cannot be read: {error.strerror}", path=path, advice=_ADVICE
        ) from error
    except UnicodeDecodeError:
        text = ""  # UTF-16 perhaps; read_table knows, and says what it is if it is not.
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = reader.fieldnames or []
    if "image" in columns and any(column.endswith(_VERDICT) for column in columns):
        return _assessed(path, name, reader)
    listing = read_table(path)
    if listing.problems:
        raise labels_error(listing.problems, path)
    rows = tuple(
        Sperm(_tidy(entry.name), entry.labels, patient=entry.patient) for entry in listing.entries
    )
    return Observer(name, listing.label_names, rows, listing.notes)


def _assessed(path: Path, name: str, reader: csv.DictReader[str]) -> Observer:
    columns = [c for c in reader.fieldnames or [] if c.endswith(_VERDICT)]
    rows: list[Sperm] = []
    wrong: list[str] = []
    failed = 0
    for row in reader:
        verdicts = {}
        for column in columns:
            said = (row[column] or "").strip().lower()
            if said not in _VALUES:
                wrong.append(
                    f"line {reader.line_num}: {column}: expected normal, abnormal, undecided or "
                    f"blank, got {said!r}"
                )
            verdicts[column.removesuffix(_VERDICT)] = _VALUES.get(said, UNDECIDED)
        failed += row.get("status") == "failed"
        rows.append(
            Sperm(
                _tidy(row["image"] or ""),
                verdicts,
                index=(row.get("index") or "").strip(),
                patient=(row.get("patient") or "").strip(),
            )
        )
    if wrong:
        raise VerdictsError(
            f"{len(wrong)} bad verdicts:{lines_of(wrong)}\n", path=path, advice=_ADVICE
        )
    notes = (f"{failed} images could not be assessed and count as undecided",) if failed else ()
    return Observer(name, tuple(c.removesuffix(_VERDICT) for c in columns), tuple(rows), notes)


def _tidy(image: str) -> str:
    # Written on Windows, or by our own CSV, which puts ./ before a name like a formula.
    parts = image.strip().replace("\\", "/").split("/")
    return "/".join(part for part in parts if part != ".")

"""What every form of own data comes to before a pixel is read: entries, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from androscope.datasets.types import UNLABELLED
from androscope.errors import LabelsError
from androscope.types import ABNORMAL, NORMAL, PARTS

__all__ = [
    "BLANKS",
    "LABEL_NAME",
    "LABEL_VALUES",
    "LISTED",
    "SPLIT_NAMES",
    "Entry",
    "Listing",
    "Problem",
    "labels_error",
    "lines_of",
    "parse_label",
]

#: Problems that one error lists: those of a file that is quite another thing would fill screens.
LISTED = 20

#: What a label may be called; the same rule as in a training configuration.
LABEL_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

#: What may stand for a label, lower case. ``1.0`` because spreadsheets and pandas write it once a
#: column holds a blank; ``-1`` because our own arrays do; ``na`` and ``nan`` because R and
#: pandas write a blank so.
LABEL_VALUES: Mapping[str, int] = {
    "0": NORMAL,
    "0.0": NORMAL,
    "normal": NORMAL,
    "1": ABNORMAL,
    "1.0": ABNORMAL,
    "abnormal": ABNORMAL,
    "": UNLABELLED,
    "-1": UNLABELLED,
    "-1.0": UNLABELLED,
    "na": UNLABELLED,
    "nan": UNLABELLED,
}

#: What R and pandas write where a cell is empty, whatever the column.
BLANKS = frozenset({"", "NA", "NaN", "nan"})

#: What may stand for a split, lower case.
SPLIT_NAMES: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with own data.

    Attributes
    ----------
    line
        Line of the table, from 1 (the header's); ``None`` where there is no table.
    path
        The picture's path as the table has it, or the file or folder concerned.
    what
        What is wrong, expected against got.
    advice
        What to do about it.
    """

    line: int | None
    path: str
    what: str
    advice: str

    def __str__(self) -> str:
        place = "" if self.line is None else f"line {self.line}: "
        name = f"{self.path}: " if self.path else ""
        return f"{place}{name}{self.what}. {self.advice}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One crop as own data names it.

    Attributes
    ----------
    name
        Its id: the path as written, or a row of a stack.
    path
        The file to read.
    labels
        Label name to 0, 1 or -1.
    index
        Row of a stack; ``None`` for a file of one picture.
    line
        Line of the table, from 1.
    patient, split
        ``""`` where not given.
    also
        Other files that must hold the same picture.
    """

    name: str
    path: Path
    labels: Mapping[str, int]
    index: int | None = None
    line: int | None = None
    patient: str = ""
    split: str = ""
    also: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """All entries of a data set, and every problem found without reading a picture.

    Attributes
    ----------
    label_names
        Columns, head, acrosome, vacuole and tail first.
    entries
        The usable ones, in the order they were found.
    problems
        Every bad row.
    notes
        What was passed over on purpose.
    files
        The table or arrays read, for the record of hashes.
    """

    label_names: tuple[str, ...]
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = field(default=())


def parse_label(text: str) -> int | None:
    """0 for normal, 1 for abnormal, -1 for blank, whatever the case; ``None`` for all else."""
    return LABEL_VALUES.get(text.strip().lower())


def labels_error(problems: Sequence[Problem], path: Path) -> LabelsError:
    """One error that lists the problems, the first ones if there are many."""
    count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
    listed = lines_of(problems)
    return LabelsError(
        f"{count} in the labelled data:{listed}\n",
        path=path,
        advice=f"Mend these, and look again with: androscope data check {path}",
    )


def lines_of(problems: Sequence[object]) -> str:
    """A line for each problem, indented; of more than :data:`LISTED`, how many more there are."""
    lines = [str(problem) for problem in problems[:LISTED]]
    if len(problems) > LISTED:
        lines.append(f"and {len(problems) - LISTED} more")
    return "".join(f"\n  {line}" for line in lines)


def is_extra_label(values: Sequence[str]) -> bool:
    """Whether a column of unknown name holds labels: at least half of what is not blank does.

    Half, not all, so that one slip of the pen is reported rather than the column passed over.
    """
    filled = [value for value in values if value.strip() not in BLANKS]
    known = sum(parse_label(value) is not None for value in filled)
    return bool(filled) and 2 * known >= len(filled)


def is_part(name: str) -> bool:
    """Whether ``name`` is one of MHSMA's parts."""
    return name in PARTS

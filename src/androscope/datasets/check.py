"""Own data looked over once: every problem, the counts, and what is thin.

:func:`androscope.datasets.load` goes through :func:`examine` too, so what checks clean loads, and
what does not load says the same as the check.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from androscope.datasets.listing import Entry, Listing, Problem
from androscope.datasets.own import list_entries, read_crops
from androscope.datasets.types import SPLITS, Counts, Int8Array
from androscope.settings import Settings
from androscope.types import UInt8Array

__all__ = ["FEW", "Examined", "check", "examine"]

#: A class with fewer crops than this in a split is warned of: one crop more or less moves a recall
#: on it by over a tenth.
FEW = 10


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """Own data with all that was found in it.

    Attributes
    ----------
    crops
        ``(N, S, S)`` uint8, of the rows that could be read.
    entries
        The ``N`` rows.
    listing
        Label names, notes, and the files they came from.
    problems
        Every bad row, in the order of lines.
    """

    crops: UInt8Array
    entries: tuple[Entry, ...]
    listing: Listing
    problems: tuple[Problem, ...]

    @property
    def labels(self) -> Int8Array:
        """``(N, L)`` int8: 0 normal, 1 abnormal, -1 not labelled."""
        rows = [[entry.labels[name] for name in self.listing.label_names] for entry in self.entries]
        shape = (len(self.entries), len(self.listing.label_names))
        return np.asarray(rows, dtype=np.int8).reshape(shape)

    def counts(self) -> dict[str, dict[str, Counts]]:
        """Counts per split and label; ``"all"`` is the only split where none is given."""
        result: dict[str, dict[str, Counts]] = {}
        splits = np.array([entry.split or "all" for entry in self.entries], dtype=np.str_)
        for split in (*SPLITS, "all"):
            rows = self.labels[splits == split]
            if len(rows):
                result[split] = {
                    name: Counts(*(int(np.sum(column == value)) for value in (0, 1, -1)))
                    for name, column in zip(self.listing.label_names, rows.T, strict=True)
                }
        return result

    def warnings(self) -> tuple[str, ...]:
        """What does not stop training, yet makes its results worth little."""
        return (*self.listing.notes, *_thin(self.counts()))


def check(path: str | Path, *, settings: Settings | None = None) -> list[Problem]:
    """Every problem in the labelled data at ``path``; an empty list if it is clean.

    Found are: missing, unreadable and unusable pictures, unknown label values, rows without a
    label or with a wrong number of columns, a file named twice, the same pixels twice (with other
    labels too), a patient in two splits, an empty table and one without the column ``path``.
    """
    return list(examine(Path(path), settings=settings).problems)


def examine(
    path: Path,
    *,
    crop_size: int = 64,
    settings: Settings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Examined:
    """Read all of the data at ``path`` and look for problems; nothing raises for a bad row."""
    listing = list_entries(path, crop_size=crop_size)
    crops, entries, unreadable = read_crops(
        listing.entries, crop_size=crop_size, settings=settings, progress=progress
    )
    problems = [
        *listing.problems,
        *unreadable,
        *_same_pixels(crops, entries),
        *_patients_in_two_splits(listing.entries),
    ]
    problems.sort(key=lambda problem: problem.line or 0)
    return Examined(crops, tuple(entries), listing, tuple(problems))


def _place(entry: Entry) -> str:
    return entry.name if entry.line is None else f"line {entry.line} ({entry.name})"


def _same_pixels(crops: UInt8Array, entries: Sequence[Entry]) -> list[Problem]:
    problems = []
    first: dict[bytes, Entry] = {}
    for crop, entry in zip(crops, entries, strict=True):
        digest = hashlib.sha256(np.ascontiguousarray(crop).data).digest()
        earlier = first.setdefault(digest, entry)
        if earlier is entry or _same_file(earlier, entry):
            continue
        contradicted = [
            label
            for label, value in entry.labels.items()
            if {value, earlier.labels[label]} == {0, 1}
        ]
        what = f"the same picture as {_place(earlier)}"
        advice = "Keep one of the two"
        if contradicted:
            what += f", with another label for {', '.join(contradicted)}"
            advice = "Decide which label is right and keep one of the two"
        if entry.split != earlier.split:
            what += f"; that one is in {earlier.split}, this one in {entry.split}"
        problems.append(Problem(entry.line, entry.name, what, advice))
    return problems


def _same_file(one: Entry, other: Entry) -> bool:
    # Reported already, as a path named twice.
    return one.index == other.index and os.path.realpath(one.path) == os.path.realpath(other.path)


def _patients_in_two_splits(entries: Sequence[Entry]) -> list[Problem]:
    by_patient: dict[str, dict[str, list[Entry]]] = defaultdict(dict)
    for entry in entries:
        if entry.patient and entry.split:
            by_patient[entry.patient].setdefault(entry.split, []).append(entry)
    problems = []
    for patient, by_split in by_patient.items():
        (home, there), *others = by_split.items()
        for split, rows in others:
            # Long lists help nobody without lines to look up.
            where = ", ".join(str(e.line) if e.line is not None else e.name for e in rows)
            word = "row" if rows[0].line is None else "line"
            word += "s" if len(rows) > 1 else ""
            problems.append(
                Problem(
                    rows[0].line,
                    rows[0].name,
                    f"patient {patient} is in {home} ({_place(there[0])}) and in {split} "
                    f"({word} {where})",
                    "Put all crops of a patient into one split, or results flatter the model",
                )
            )
    return problems


def _thin(counts: Mapping[str, Mapping[str, Counts]]) -> list[str]:
    warnings = []
    for split, by_label in counts.items():
        place = "" if split == "all" else f" in {split}"
        for label, count in by_label.items():
            if count.normal == count.abnormal == 0:
                warnings.append(f"no crop is labelled for {label}{place}")
                continue
            for what, number in (("normal", count.normal), ("abnormal", count.abnormal)):
                if number < FEW:
                    crops = {0: f"no {what} crop", 1: f"only 1 {what} crop"}.get(
                        number, f"only {number} {what} crops"
                    )
                    warnings.append(
                        f"{crops} for {label}{place}: a figure measured on so few means little"
                    )
    return warnings

"""Which row of one observer's file is the same sperm as which row of another's: by file names.

Files are listed from different folders (``crops/p1/7.png`` here, ``p1/7.png`` there), so paths are
compared from their end: by as many parts as it takes to tell the rows of each file apart. Where
that leaves a doubt nothing is matched.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from androscope.assessment.observers import UNDECIDED, Verdicts
from androscope.errors import VerdictsError

__all__ = ["Matched", "Observer", "Sperm", "match"]


@dataclass(frozen=True, slots=True)
class Sperm:
    """One row of an observer's file.

    Attributes
    ----------
    image
        Path as written, with ``/`` between folders.
    index
        Page or row of a stack; ``""`` for a file of one picture.
    verdicts
        Label to 0 normal, 1 abnormal, -1 undecided or blank.
    patient
        ``""`` where not given.
    """

    image: str
    verdicts: Mapping[str, int]
    index: str = ""
    patient: str = ""

    @property
    def name(self) -> str:
        """The path, with the index behind it."""
        return f"{self.image}[{self.index}]" if self.index else self.image

    @property
    def folder(self) -> str:
        """The folder it lies in, ``.`` for none."""
        return self.image.rpartition("/")[0] or "."


@dataclass(frozen=True, slots=True)
class Observer:
    """One file of verdicts: its name, its labels, a row per sperm."""

    name: str
    labels: tuple[str, ...]
    rows: tuple[Sperm, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Sperm that all observers looked at.

    Attributes
    ----------
    observers
        Names of the ``R`` observers.
    labels
        The ``L`` labels that all of them have.
    verdicts
        ``(R, N, L)`` int8.
    rows
        The ``N`` sperm, as the first observer's file has them.
    patients
        ``(N,)`` from the first file that says, ``""`` where none does.
    missing
        For each observer by name: sperm in that file and not in all others.
    left_out
        For each observer by name: labels that not all have.
    """

    observers: tuple[str, ...]
    labels: tuple[str, ...]
    verdicts: Verdicts
    rows: tuple[Sperm, ...]
    patients: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def match(observers: Sequence[Observer]) -> Matched:
    """Find the sperm and the labels that all observers have.

    Raises
    ------
    VerdictsError
        If there are fewer than two observers, names are ambiguous (all are listed), or there is no
        sperm or no label in common.
    """
    if len(observers) < 2:
        raise VerdictsError(
            f"expected two observers at least, got {len(observers)}",
            advice="Name two files of verdicts or more",
        )
    found = _keys(observers)
    common = [key for key in found[0] if all(key in other for other in found[1:])]
    labels = tuple(n for n in observers[0].labels if all(n in o.labels for o in observers[1:]))
    _something_in_common(observers, common, labels)
    verdicts = np.array(
        [
            [[rows[key].verdicts.get(label, UNDECIDED) for label in labels] for key in common]
            for rows in found
        ],
        dtype=np.int8,
    )
    patients = tuple(
        next((rows[key].patient for rows in found if rows[key].patient), "") for key in common
    )
    shared = set(common)
    pairs = list(zip(observers, found, strict=True))
    return Matched(
        observers=tuple(observer.name for observer in observers),
        labels=labels,
        verdicts=verdicts,
        rows=tuple(found[0][key] for key in common),
        patients=patients,
        missing={o.name: tuple(r.name for k, r in f.items() if k not in shared) for o, f in pairs},
        left_out={o.name: tuple(n for n in o.labels if n not in labels) for o, _ in pairs},
    )


def _keys(observers: Sequence[Observer]) -> list[dict[str, Sperm]]:
    """Every observer's rows by a key that is the same for the same sperm."""
    groups: dict[str, list[list[Sperm]]] = defaultdict(lambda: [[] for _ in observers])
    for number, observer in enumerate(observers):
        for row in observer.rows:
            groups[f"{row.image.rpartition('/')[2]}[{row.index}]"][number].append(row)
    found: list[dict[str, Sperm]] = [{} for _ in observers]
    doubts: list[str] = []
    for by_observer in groups.values():
        depth = _depth(by_observer)
        keyed = [[(_end(row, depth), row) for row in rows] for rows in by_observer]
        if depth > 1:
            doubts += _doubts(observers, keyed, depth)
        for rows, into in zip(keyed, found, strict=True):
            into.update(rows)
    if doubts:
        listed = "".join(f"\n  {doubt}" for doubt in doubts)
        raise VerdictsError(
            f"it cannot be told which rows are the same sperm:{listed}\n",
            advice="Write the folders too, alike in all files, and each sperm once",
        )
    # By name they came in groups; they go in the order of their files.
    places = [{id(row): place for place, row in enumerate(o.rows)} for o in observers]
    return [
        dict(sorted(rows.items(), key=lambda item, at=at: at[id(item[1])]))  # type: ignore[misc]
        for rows, at in zip(found, places, strict=True)
    ]


def _depth(by_observer: Sequence[Sequence[Sperm]]) -> int:
    """How many parts of the paths, from the end, tell the rows of each file apart."""
    most = max(row.image.count("/") for rows in by_observer for row in rows) + 1
    for depth in range(1, most + 1):
        if all(len({_end(row, depth) for row in rows}) == len(rows) for rows in by_observer):
            return depth
    return most + 1


def _end(row: Sperm, depth: int) -> str:
    return "/".join(row.image.split("/")[-depth:]) + f"[{row.index}]"


def _doubts(
    observers: Sequence[Observer], keyed: Sequence[Sequence[tuple[str, Sperm]]], depth: int
) -> list[str]:
    doubts = []
    for number, (observer, rows) in enumerate(zip(observers, keyed, strict=True)):
        times = Counter(key for key, _ in rows)
        doubts += [
            f"{observer.name}: {rows[[k for k, _ in rows].index(key)][1].name} is there {count} "
            "times"
            for key, count in times.items()
            if count > 1
        ]
        others = [
            (other, key)
            for other, theirs in enumerate(keyed)
            if other != number
            for key, _ in theirs
        ]
        for key, row in rows:
            # A path too short to be told apart by could be any of the other's longer ones.
            if row.image.count("/") + 1 >= depth:
                continue
            like = [k for other, k in others if k.endswith(f"/{key}")]
            if like:
                doubts.append(
                    f"{observer.name}: {row.name} may be any of {len(like)} in the others, such as "
                    f"{like[0].removesuffix('[]')}"
                )
    return doubts


def _something_in_common(
    observers: Sequence[Observer], common: Sequence[str], labels: Sequence[str]
) -> None:
    if not labels:
        theirs = "; ".join(f"{o.name} has {', '.join(o.labels) or 'none'}" for o in observers)
        raise VerdictsError(
            f"the files have no label in common: {theirs}",
            advice="Name labels alike in all files",
        )
    if not common:
        theirs = "; ".join(
            f"{o.name} has {o.rows[0].name}" if o.rows else f"{o.name} has none" for o in observers
        )
        raise VerdictsError(
            f"no sperm is in all of the files: {theirs}",
            advice="Give files of verdicts on the same images, under the same file names",
        )

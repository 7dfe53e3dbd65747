"""The chain recomputed from its first entry, and what the entries say of everything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from androscope.records.chain import GENESIS, chained, parsed
from androscope.records.database import AnyRow
from androscope.records.entries import Anchor, EventKind, Fault
from androscope.records.log import piece_after
from androscope.records.standing import CHANGES, Change
from androscope.records.tables import HeadRow

__all__ = ["Said", "read_log"]

_ROWS = {
    EventKind.SAMPLE, EventKind.IMAGE, EventKind.UNREADABLE, EventKind.GRADED, EventKind.SIGN,
    EventKind.USER,
}  # fmt: skip
_REPLAYED = {*CHANGES, EventKind.UNDO}


@dataclass(slots=True)
class Said:
    """What the log says, as far as other tables must agree with it.

    Attributes
    ----------
    anchor
        Its length and last hash, as it is.
    hashes
        Hash of each entry that an anchor speaks of, by number.
    rows
        ``(number, kind, sample id, data)`` of each entry that made rows.
    changes
        What people said of each crop, by its id.
    faults
        What is wrong with the log itself.
    """

    anchor: Anchor = field(default_factory=lambda: Anchor(0, GENESIS))
    hashes: dict[int, str] = field(default_factory=lambda: {0: GENESIS})
    rows: list[tuple[int, EventKind, int | None, Any]] = field(default_factory=list)
    changes: dict[int, list[Change]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read_log(connection: Connection, anchored: set[int]) -> Said:
    """Read the log from its first entry on, and recompute every hash.

    A fault does not hide the entries behind it: each is held against the hash kept before it.

    Parameters
    ----------
    anchored
        Numbers of entries whose hashes are wanted.
    """
    said = Said()
    expected, previous = 1, GENESIS
    for row in _entries(connection):
        if row.number > expected:
            missing = _span(expected, row.number - 1)
            said.faults.append(Fault(missing, f"missing: entry {row.number} comes next"))
        elif row.previous != previous:
            # Only where none is missing: behind a gap it cannot fit.
            said.faults.append(
                Fault(f"entry {row.number} of the log", "does not continue the entry before it")
            )
        _read(row, said)
        expected, previous = row.number + 1, row.sha256
        if row.number in anchored:
            said.hashes[row.number] = row.sha256
    said.anchor = Anchor(expected - 1, previous)
    _check_head(connection, said)
    return said


def _read(row: AnyRow, said: Said) -> None:
    record = f"entry {row.number} of the log"
    try:
        data = parsed(row.data)
        kind = EventKind(row.kind)
        sha256 = chained(
            row.previous, number=row.number, at=row.at, actor=row.actor, kind=row.kind,
            sample_id=row.sample_id, crop_id=row.crop_id, data=data,
        )  # fmt: skip
    except ValueError as error:
        said.faults.append(Fault(record, f"altered: it cannot be read ({error})"))
        return
    if sha256 != row.sha256:
        what = f"by {row.actor}, {row.kind}, {row.at}"
        said.faults.append(Fault(record, f"altered ({what}): its content has another hash"))
    if kind in _REPLAYED and row.crop_id is not None:
        said.changes.setdefault(row.crop_id, []).append(Change(row.number, kind, data))
    if kind in _ROWS:
        said.rows.append((row.number, kind, row.sample_id, data))


def _check_head(connection: Connection, said: Said) -> None:
    head = connection.execute(
        select(HeadRow.count.label("entries"), HeadRow.sha256).where(HeadRow.id == 1)
    ).one_or_none()
    if head is None:
        said.faults.append(Fault("the log's end", "missing: how long the log is was deleted"))
        return
    entries, sha256 = head
    if entries > said.anchor.count:
        missing = _span(said.anchor.count + 1, entries)
        said.faults.append(Fault(missing, f"missing at the end: {entries} were written"))
    elif (entries, sha256) != (said.anchor.count, said.anchor.head):
        said.faults.append(
            Fault(
                "the log's end",
                f"altered: it says {entries} entries, the last {sha256[:16]}..., and there are "
                f"{said.anchor.count}, the last {said.anchor.head[:16]}...",
            )
        )


def _entries(connection: Connection) -> Iterator[AnyRow]:
    last = -(2**31)  # a number below 1 is a fault to be seen, not to be passed over
    while True:
        rows = piece_after(connection, last)
        if not rows:
            return
        yield from rows
        last = rows[-1].number


def _span(first: int, last: int) -> str:
    if first == last:
        return f"entry {first} of the log"
    return f"entries {first} to {last} of the log"

"""The log: read by anyone, appended to by the other areas, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from androscope.errors import RecordsError
from androscope.records.chain import canonical, chained, from_text, now, parsed
from androscope.records.database import AnyRow, Database
from androscope.records.entries import Anchor, Event, EventKind
from androscope.records.tables import EventRow, HeadRow
from androscope.records.types import Page

__all__ = ["Appender", "Log", "appending", "event_of", "head_of", "paged", "piece_after"]

_COLUMNS = EventRow.__table__.c
_PIECE = 1000


class Log:
    """The area ``records.log``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def anchor(self) -> Anchor:
        """Give how long the log is, and the hash of its last entry."""
        with self._database.read() as connection:
            return head_of(connection)

    def events(
        self, *, sample_id: int | None = None, page: int = 1, per_page: int = 100
    ) -> Page[Event]:
        """List entries, the newest first."""
        about = [] if sample_id is None else [EventRow.sample_id == sample_id]
        page, per_page, start = paged(page, per_page)
        with self._database.read() as connection:
            total = connection.scalar(select(func.count()).select_from(EventRow).where(*about))
            rows = connection.execute(
                select(*_COLUMNS)
                .where(*about)
                .order_by(EventRow.number.desc())
                .limit(per_page)
                .offset(start)
            ).all()
        return Page(tuple(event_of(row) for row in rows), page, per_page, total or 0)

    def __iter__(self) -> Iterator[Event]:
        """Every entry in order, read in pieces."""
        last = 0
        while True:
            with self._database.read() as connection:
                rows = piece_after(connection, last)
            if not rows:
                return
            yield from map(event_of, rows)
            last = rows[-1].number


def piece_after(connection: Connection, last: int) -> Sequence[AnyRow]:
    """Rows of the next entries behind number ``last``, in order; none at the log's end."""
    return connection.execute(
        select(*_COLUMNS).where(EventRow.number > last).order_by(EventRow.number).limit(_PIECE)
    ).all()


@dataclass(slots=True)
class Appender:
    """Writes entries inside one transaction; others wait for its end, so that none is between."""

    connection: Connection
    head: Anchor

    def add(
        self,
        kind: EventKind,
        actor: str,
        *,
        sample_id: int | None = None,
        crop_id: int | None = None,
        data: Mapping[str, object],
    ) -> Event:
        """Append an entry.

        Raises
        ------
        ValueError
            If ``actor`` is blank: an entry says who.
        """
        if not actor.strip():
            raise ValueError("an entry of the log needs to say who made it")
        number, at, text = self.head.count + 1, now(), canonical(data)
        # Hashed as it will be read back: a tuple is a list then.
        sha256 = chained(
            self.head.head, number=number, at=at, actor=actor, kind=kind.value,
            sample_id=sample_id, crop_id=crop_id, data=parsed(text),
        )  # fmt: skip
        self.connection.execute(
            insert(EventRow).values(
                number=number, at=at, actor=actor, kind=kind.value, sample_id=sample_id,
                crop_id=crop_id, data=text, previous=self.head.head, sha256=sha256,
            )
        )  # fmt: skip
        self.connection.execute(
            update(HeadRow).where(HeadRow.id == 1).values(count=number, sha256=sha256)
        )
        previous, self.head = self.head.head, Anchor(number, sha256)
        return Event(
            number, from_text(at), actor, kind, sample_id, crop_id, parsed(text), previous, sha256
        )


@contextmanager
def appending(database: Database) -> Iterator[Appender]:
    """Begin a transaction that may append to the log; it is the only one until its end."""
    with database.write() as connection:
        yield appender(connection)


def appender(connection: Connection) -> Appender:
    """Append inside a transaction that was begun for writing."""
    return Appender(connection, head_of(connection, lock=True))


def head_of(connection: Connection, *, lock: bool = False) -> Anchor:
    """Give the log's head; ``lock``: nobody else appends until the transaction ends."""
    query = select(HeadRow.count, HeadRow.sha256).where(HeadRow.id == 1)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise RecordsError(
            "the row that says how long the log is, is missing",
            advice="Restore a backup, or see androscope records verify",
        )
    return Anchor(*row)


def event_of(row: AnyRow) -> Event:
    """Give an entry of its row."""
    return Event(
        row.number, from_text(row.at), row.actor, EventKind(row.kind), row.sample_id, row.crop_id,
        parsed(row.data), row.previous, row.sha256,
    )  # fmt: skip


def paged(page: int, per_page: int) -> tuple[int, int, int]:
    """Check a page's number (from 1) and its size (1 to 10 000); gives its first item too."""
    if not 1 <= page <= 1_000_000 or not 1 <= per_page <= 10_000:
        raise ValueError(f"page is 1 to 1000000 and per_page 1 to 10000, got {page} and {per_page}")
    return page, per_page, (page - 1) * per_page

"""What is kept against brute force and against requests sent twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from androscope.records.chain import now
from androscope.records.database import Database
from androscope.records.people import Reply
from androscope.records.tables_door import AttemptRow, ReplyRow
from androscope.records.users import name_key

__all__ = ["Attempts", "Replies"]

_DAY_S = 24 * 3600


class Attempts:
    """The area ``records.attempts``: failed attempts to log in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, address: str) -> None:
        """Remember a failed attempt."""
        with self._database.write() as connection:
            connection.execute(
                insert(AttemptRow).values(name_key=name_key(name), address=address, at=now())
            )

    def count(self, *, name: str, address: str, within_s: float) -> tuple[int, int]:
        """How many failed of late for that name, and from that address."""
        since = AttemptRow.at > _ago(within_s)
        with self._database.read() as connection:
            for_name, from_address = (
                connection.scalar(select(func.count()).select_from(AttemptRow).where(since, of))
                or 0
                for of in (AttemptRow.name_key == name_key(name), AttemptRow.address == address)
            )
        return for_name, from_address

    def clear(self, *, name: str) -> None:
        """Forget a name's attempts, when it has come in; those older than a day go too."""
        with self._database.write() as connection:
            connection.execute(
                delete(AttemptRow).where(
                    or_(AttemptRow.name_key == name_key(name), AttemptRow.at < _ago(_DAY_S))
                )
            )


class Replies:
    """The area ``records.replies``: answers by idempotency key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str, *, user: str) -> Reply | None:
        """Give the answer kept for that key of that user."""
        query = select(ReplyRow.request_sha256, ReplyRow.status, ReplyRow.body).where(
            ReplyRow.user == user, ReplyRow.key == key
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Reply(*row)

    def put(self, key: str, reply: Reply, *, user: str) -> Reply:
        """Keep an answer; gives the one that was kept first, if another request was quicker."""
        try:
            with self._database.write() as connection:
                connection.execute(
                    insert(ReplyRow).values(
                        user=user, key=key, request_sha256=reply.request_sha256,
                        status=reply.status, body=reply.body, created=now(),
                    )
                )  # fmt: skip
        except IntegrityError:
            return self.get(key, user=user) or reply
        return reply

    def clear(self, *, older_than_s: float = _DAY_S) -> int:
        """Forget answers older than that; gives how many."""
        with self._database.write() as connection:
            return connection.execute(
                delete(ReplyRow).where(ReplyRow.created < _ago(older_than_s))
            ).rowcount


def _ago(seconds: float) -> str:
    then = datetime.now(UTC) - timedelta(seconds=seconds)
    return then.isoformat(timespec="microseconds").replace("+00:00", "Z")

"""Sessions of the page: the cookie's secret is kept hashed."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, select

from androscope.records.chain import digest, from_text, now
from androscope.records.database import Database
from androscope.records.people import Session
from androscope.records.tables_door import SessionRow, UserRow
from androscope.records.users import user_of

__all__ = ["Sessions"]

#: Random bytes of a secret: 256 bits, of which a plain SHA-256 gives nothing away.
_BYTES = 32


class Sessions:
    """The area ``records.sessions``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, user_id: int, *, lasts_s: float = 12 * 3600) -> tuple[str, Session]:
        """Begin a session; gives the cookie's secret, which is not kept, and the session.

        Raises
        ------
        ValueError
            If there is no such user, or they are shut out.
        """
        secret, csrf = secrets.token_urlsafe(_BYTES), secrets.token_urlsafe(_BYTES)
        created = now()
        expires = (datetime.now(UTC) + timedelta(seconds=lasts_s)).isoformat(
            timespec="microseconds"
        )
        with self._database.write() as connection:
            row = connection.execute(
                select(*UserRow.__table__.c).where(
                    UserRow.id == user_id, UserRow.disabled.is_(False)
                )
            ).one_or_none()
            if row is None:
                raise ValueError(f"there is no user {user_id} who may come in")
            connection.execute(
                insert(SessionRow).values(
                    secret_sha256=digest(secret), user_id=user_id, csrf=csrf, created=created,
                    expires=expires.replace("+00:00", "Z"),
                )
            )  # fmt: skip
        return secret, Session(user_of(row), csrf, from_text(created), from_text(expires))

    def get(self, secret: str) -> Session | None:
        """Give the session of a cookie; ``None`` if it is unknown, over or its user shut out."""
        query = (
            select(
                *UserRow.__table__.c, SessionRow.csrf, SessionRow.expires,
                SessionRow.created.label("begun"),
            )
            .join_from(SessionRow, UserRow, UserRow.id == SessionRow.user_id)
            .where(
                SessionRow.secret_sha256 == digest(secret),
                SessionRow.expires > now(),
                UserRow.disabled.is_(False),
            )
        )  # fmt: skip
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Session(user_of(row), row.csrf, from_text(row.begun), from_text(row.expires))

    def end(self, secret: str) -> None:
        """End a session; nothing happens if it is over."""
        with self._database.write() as connection:
            connection.execute(delete(SessionRow).where(SessionRow.secret_sha256 == digest(secret)))

    def clear(self) -> int:
        """Forget the sessions that are over; gives how many."""
        with self._database.write() as connection:
            return connection.execute(
                delete(SessionRow).where(SessionRow.expires <= now())
            ).rowcount

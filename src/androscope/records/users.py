"""Users: kept and logged; passwords are hashed by the page, and never come here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from androscope.errors import RecordExistsError, RecordMissingError
from androscope.records.chain import digest, from_text, now
from androscope.records.database import AnyRow, Database
from androscope.records.entries import EventKind
from androscope.records.log import appending
from androscope.records.people import Role, User
from androscope.records.tables_door import SessionRow, UserRow

__all__ = ["Users", "name_key", "user_of"]

_QUERY = select(*UserRow.__table__.c)
_LONGEST = 100


class Users:
    """The area ``records.users``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, role: Role, password_hash: str, *, actor: str) -> User:
        """Make a user.

        Raises
        ------
        RecordExistsError
            If there is one of that name, whatever its case.
        ValueError
            If the name is blank, longer than 100 characters or holds control characters.
        """
        name = name.strip()
        if not name or len(name) > _LONGEST or not name.isprintable():
            raise ValueError(f"a user's name is 1 to {_LONGEST} printable characters")
        with appending(self._database) as log:
            if _row(log.connection, name) is not None:
                raise RecordExistsError(f"there is a user {name!r} already")
            log.connection.execute(
                insert(UserRow).values(
                    name=name, name_key=name_key(name), role=role.value, created=now(),
                    password_hash=password_hash, disabled=False,
                )
            )  # fmt: skip
            log.add(
                EventKind.USER,
                actor,
                data={
                    "user": name,
                    "made": True,
                    "role": role.value,
                    "password": digest(password_hash),
                },
            )
            return _known(log.connection, name)

    def get(self, name: str) -> User | None:
        """Give the user of that name, whatever its case."""
        with self._database.read() as connection:
            row = _row(connection, name)
        return None if row is None else user_of(row)

    def list(self) -> tuple[User, ...]:
        """List users by name."""
        with self._database.read() as connection:
            return tuple(map(user_of, connection.execute(_QUERY.order_by(UserRow.name_key))))

    def change(
        self,
        name: str,
        *,
        actor: str,
        role: Role | None = None,
        password_hash: str | None = None,
        disabled: bool | None = None,
    ) -> User:
        """Change what is given. Shutting out, and another password, end the user's sessions.

        Raises
        ------
        RecordMissingError
            If there is no such user.
        """
        values: dict[str, Any] = {}
        data: dict[str, object] = {}
        if role is not None:
            values["role"] = data["role"] = role.value
        if disabled is not None:
            values["disabled"] = data["disabled"] = disabled
        if password_hash is not None:
            values["password_hash"], data["password"] = password_hash, digest(password_hash)
        with appending(self._database) as log:
            user = _known(log.connection, name)
            if not values:
                return user
            log.connection.execute(update(UserRow).where(UserRow.id == user.id).values(**values))
            if password_hash is not None or disabled:
                log.connection.execute(delete(SessionRow).where(SessionRow.user_id == user.id))
            log.add(EventKind.USER, actor, data={"user": user.name, **data})
            return _known(log.connection, name)


def name_key(name: str) -> str:
    """Give a name without regard to case."""
    return name.strip().casefold()


def user_of(row: AnyRow) -> User:
    """Give a user of their row."""
    return User(
        row.id, row.name, Role(row.role), row.password_hash, from_text(row.created), row.disabled
    )


def _row(connection: Connection, name: str) -> AnyRow | None:
    return connection.execute(_QUERY.where(UserRow.name_key == name_key(name))).one_or_none()


def _known(connection: Connection, name: str) -> User:
    row = _row(connection, name)
    if row is None:
        raise RecordMissingError(f"there is no user {name!r}")
    return user_of(row)

"""API tokens: shown once, kept hashed."""

from __future__ import annotations

import secrets

from sqlalchemy import insert, select, update

from androscope.errors import RecordMissingError
from androscope.records.chain import digest, from_text, now
from androscope.records.database import AnyRow, Database
from androscope.records.entries import EventKind
from androscope.records.log import appending
from androscope.records.people import ApiToken, Role, User
from androscope.records.tables_door import TokenRow, UserRow
from androscope.records.users import user_of

__all__ = ["PREFIX", "Tokens"]

#: What a token begins with, so that scanners for secrets in code know it.
PREFIX = "androscope_"

_ROLES = tuple(Role)
_TOKEN = (
    TokenRow.id, TokenRow.user_id, TokenRow.name, TokenRow.role, TokenRow.created,
    TokenRow.last_used, TokenRow.revoked,
)  # fmt: skip


class Tokens:
    """The area ``records.tokens``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, user_id: int, name: str, role: Role, *, actor: str) -> tuple[str, ApiToken]:
        """Make a token; gives the token itself, which is not kept, and what is listed of it.

        Raises
        ------
        RecordMissingError
            If there is no such user.
        ValueError
            If its role is above its user's, or its name is blank.
        """
        if not name.strip():
            raise ValueError("a token has a name, so that its owner knows it again")
        token = PREFIX + secrets.token_urlsafe(32)
        with appending(self._database) as log:
            user = log.connection.execute(
                select(UserRow.name, UserRow.role).where(UserRow.id == user_id)
            ).one_or_none()
            if user is None:
                raise RecordMissingError(f"there is no user {user_id}")
            if _ROLES.index(role) > _ROLES.index(Role(user.role)):
                raise ValueError(f"{user.name} is {user.role}, and a token can be no more: {role}")
            made = log.connection.execute(
                insert(TokenRow).values(
                    user_id=user_id, name=name, role=role.value, token_sha256=digest(token),
                    created=now(), last_used=None, revoked=False,
                )
            ).inserted_primary_key  # fmt: skip
            assert made is not None
            data = {
                "user": user.name, "token": made[0], "made": True, "role": role.value,
                "sha256": digest(token),
            }  # fmt: skip
            log.add(EventKind.USER, actor, data=data)
            row = log.connection.execute(select(*_TOKEN).where(TokenRow.id == made[0])).one()
        return token, _token(row)

    def user(self, token: str) -> tuple[User, ApiToken] | None:
        """Give whose token it is; ``None`` if unknown, revoked or its user shut out."""
        with self._database.read() as connection:
            row = connection.execute(
                select(*_TOKEN).where(
                    TokenRow.token_sha256 == digest(token), TokenRow.revoked.is_(False)
                )
            ).one_or_none()
            if row is None:
                return None
            user = connection.execute(
                select(*UserRow.__table__.c).where(
                    UserRow.id == row.user_id, UserRow.disabled.is_(False)
                )
            ).one_or_none()
        if user is None:
            return None
        at = now()
        # To the hour: a busy client must not write with each request.
        if row.last_used is None or row.last_used[:13] != at[:13]:
            with self._database.write() as connection:
                connection.execute(
                    update(TokenRow).where(TokenRow.id == row.id).values(last_used=at)
                )
        return user_of(user), _token(row)

    def list(self, user_id: int) -> tuple[ApiToken, ...]:
        """List a user's tokens, the newest first."""
        query = select(*_TOKEN).where(TokenRow.user_id == user_id).order_by(TokenRow.id.desc())
        with self._database.read() as connection:
            return tuple(map(_token, connection.execute(query)))

    def revoke(self, token_id: int, *, actor: str) -> None:
        """Revoke a token for good. Raises :class:`RecordMissingError`."""
        with appending(self._database) as log:
            changed = log.connection.execute(
                update(TokenRow).where(TokenRow.id == token_id).values(revoked=True)
            ).rowcount
            if not changed:
                raise RecordMissingError(f"there is no token {token_id}")
            log.add(EventKind.USER, actor, data={"token": token_id, "revoked": True})


def _token(row: AnyRow) -> ApiToken:
    used = None if row.last_used is None else from_text(row.last_used)
    return ApiToken(
        row.id, row.user_id, row.name, Role(row.role), from_text(row.created), used, row.revoked
    )

"""Users, sessions, API tokens, attempts to log in: kept here; what they may do is the page's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["ApiToken", "Reply", "Role", "Session", "User"]


class Role(StrEnum):
    """What a user may do, the lesser first."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class User:
    """Who may come in. ``password_hash`` is what the page's hasher made; never the password."""

    id: int
    name: str
    role: Role
    password_hash: str
    created: datetime
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A user who is in, until ``expires``; ``csrf`` belongs to it."""

    user: User
    csrf: str
    created: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as listed: never the token, which is kept hashed and shown once."""

    id: int
    user_id: int
    name: str
    role: Role
    created: datetime
    last_used: datetime | None
    revoked: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer kept for a request that may be sent again with the same idempotency key."""

    request_sha256: str
    status: int
    body: str

"""The tables of the closed door: users, sessions, tokens, attempts, answers kept."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from androscope.records.tables import Base

__all__ = ["AttemptRow", "ReplyRow", "SessionRow", "TokenRow", "UserRow"]


class UserRow(Base):
    """A user; ``name_key`` is the name without regard to case."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    created: Mapped[str]
    disabled: Mapped[bool]


class SessionRow(Base):
    """A session, by the hash of its cookie's secret."""

    __tablename__ = "sessions"
    secret_sha256: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    csrf: Mapped[str]
    created: Mapped[str]
    expires: Mapped[str]


class TokenRow(Base):
    """An API token, by its hash."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    role: Mapped[str]
    token_sha256: Mapped[str] = mapped_column(unique=True)
    created: Mapped[str]
    last_used: Mapped[str | None]
    revoked: Mapped[bool]


class AttemptRow(Base):
    """A failed attempt to log in."""

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "name_key", "at"), Index(None, "address", "at"))
    id: Mapped[int] = mapped_column(primary_key=True)
    name_key: Mapped[str]
    address: Mapped[str]
    at: Mapped[str]


class ReplyRow(Base):
    """An answer, by whose and which idempotency key."""

    __tablename__ = "replies"
    user: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[str]
    status: Mapped[int]
    body: Mapped[str]
    created: Mapped[str] = mapped_column(index=True)

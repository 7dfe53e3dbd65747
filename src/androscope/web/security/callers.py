"""Who sent a request: by session, by API token, or anyone on this machine if there are no users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fastapi import Request

from androscope.records.people import Role
from androscope.records.store import Records
from androscope.web.security import csrf

__all__ = ["COOKIE", "LOCAL", "Caller", "identify", "may", "visitor_of"]

#: One cookie: a session's secret, or of one who is not in, that of the form token.
COOKIE = "androscope"

#: Who acts on this machine while there are no users.
LOCAL = "local"

_RANK = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request.

    Attributes
    ----------
    name
        As the log names them.
    role
        What they may do; a token may do less than its user.
    csrf
        The form token that pages of theirs hold.
    via
        ``token``: an API token, which no browser sends by itself and which needs no form token;
        ``open``: there are no users, and only this machine is served.
    """

    name: str
    role: Role
    csrf: str
    via: Literal["session", "token", "open"]


def may(role: Role, needed: Role) -> bool:
    """Whether a role is allowed what another is."""
    return _RANK[role] >= _RANK[needed]


def visitor_of(request: Request) -> str:
    """The cookie's secret, or a new one, which the answer will set."""
    secret = request.cookies.get(COOKIE, "")
    if not 20 <= len(secret) <= 200:
        secret = getattr(request.state, "visitor", None) or csrf.new_visitor()
        request.state.visitor = secret
    return secret


def identify(request: Request, records: Records) -> Caller | None:
    """Who sent it; ``None`` if nobody who may come in."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind:
        if kind.lower() != "bearer" or (known := records.tokens.user(token.strip())) is None:
            return None
        user, listed = known
        role = user.role if may(listed.role, user.role) else listed.role
        return Caller(user.name, role, "", "token")
    secret = visitor_of(request)
    session = records.sessions.get(secret)
    if session is not None:
        return Caller(session.user.name, session.user.role, session.csrf, "session")
    if not records.users.list():
        return Caller(LOCAL, Role.ADMIN, csrf.visitor_token(secret), "open")
    return None

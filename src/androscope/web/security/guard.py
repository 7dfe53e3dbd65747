"""The one dependency that every route has: who may, and that they meant it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from androscope.records.people import Role
from androscope.web.security import csrf
from androscope.web.security.callers import Caller, identify, may
from androscope.web.state import state_of
from androscope.web.texts import text

__all__ = [
    "ADMIN", "REVIEWER", "VIEWER", "Admin", "Allow", "Reviewer", "Viewer", "check_token", "meant",
]  # fmt: skip


class Allow:
    """Lets those of a role through, and of what changes something, only what our pages sent.

    Parameters
    ----------
    role
        The least role.
    streams
        Whether the route reads its form itself, piece by piece: it then calls :func:`check_token`.
    """

    def __init__(self, role: Role, *, streams: bool = False) -> None:
        self.role = role
        self.streams = streams

    async def __call__(self, request: Request) -> Caller:
        """Give who sent the request, or refuse it: 401 nobody, 403 not they."""
        state = state_of(request)
        caller = await run_in_threadpool(identify, request, state.records)
        if caller is None:
            raise HTTPException(401, headers={"www-authenticate": "Bearer"})
        request.state.caller = caller
        if not may(caller.role, self.role):
            raise HTTPException(403, text("errors.role", role=caller.role, needed=self.role))
        if request.method not in csrf.SAFE and caller.via != "token":
            await meant(request, caller.csrf, streams=self.streams)
        return caller


async def meant(request: Request, expected: str, *, streams: bool = False) -> None:
    """Refuse a request that another site's page may have made a browser send."""
    if csrf.from_elsewhere(request.headers):
        raise HTTPException(403, text("errors.elsewhere"))
    if csrf.by_program(request.url.path, request.headers):
        return
    given = request.headers.get(csrf.HEADER)
    if given is None and streams:
        return
    if given is None and "form" in request.headers.get("content-type", ""):
        form = await request.form(max_files=0, max_fields=200, max_part_size=50_000)
        field = form.get(csrf.FIELD)
        given = field if isinstance(field, str) else None
    if not csrf.same(given, expected):
        raise HTTPException(403, text("errors.stale"))


def check_token(request: Request, caller: Caller, fields: dict[str, str]) -> None:
    """For a route that streams: refuse a form whose first fields do not hold the token."""
    if caller.via == "token" or request.headers.get(csrf.HEADER) is not None:
        return
    if csrf.by_program(request.url.path, request.headers):
        return
    if not csrf.same(fields.get(csrf.FIELD), caller.csrf):
        raise HTTPException(403, text("errors.stale"))


#: For routes that do not ask who: ``dependencies=[VIEWER]``.
VIEWER, REVIEWER, ADMIN = (Depends(Allow(role)) for role in Role)

#: For routes that do.
Viewer = Annotated[Caller, Depends(Allow(Role.VIEWER))]
Reviewer = Annotated[Caller, Depends(Allow(Role.REVIEWER))]
Admin = Annotated[Caller, Depends(Allow(Role.ADMIN))]

"""In and out: the login page, and the switch between light and dark."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from androscope.client.shapes import InvalidField
from androscope.web.render import THEMES, page, set_cookie
from androscope.web.security import csrf, passwords
from androscope.web.security.callers import COOKIE, visitor_of
from androscope.web.security.guard import VIEWER, Viewer, meant
from androscope.web.security.throttle import check_rate
from androscope.web.state import State, state_of
from androscope.web.texts import text

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_SESSION_S = 12 * 3600
_YEAR_S = 365 * 24 * 3600


async def _visitor(request: Request) -> None:
    """Of a form that those may send who are not in."""
    await meant(request, csrf.visitor_token(visitor_of(request)))


@router.get("/")
def start() -> Response:
    """The first page is the list."""
    return RedirectResponse("/samples", 303)


@router.get("/login")
def login_page(request: Request, next: str = "/samples") -> Response:
    """Show the form."""
    return page(request, "login.html", next=_inside(next), name="", problem=None)


@router.post("/login", dependencies=[Depends(_visitor)])
def login(
    request: Request,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1000)],
    state: Annotated[State, Depends(state_of)],
    next: Annotated[str, Form(max_length=2000)] = "/samples",
) -> Response:
    """Let in who knows their password, and say no more than that to others."""
    records = state.records
    address = request.client.host if request.client else ""
    check_rate(records, name, address)
    user = records.users.get(name)
    shut_out = user is None or user.disabled
    if not passwords.check(password, None if shut_out or user is None else user.password_hash):
        records.attempts.add(name, address)
        return page(
            request,
            "login.html",
            status_code=401,
            next=_inside(next),
            name=name,
            problem=InvalidField(where="password", reason=text("login.wrong")),
        )
    assert user is not None
    records.attempts.clear(name=name)
    if passwords.needs_rehash(user.password_hash):
        records.users.change(
            user.name, actor=user.name, password_hash=passwords.hash_password(password)
        )
    # Always a new secret: what the browser held before login opens nothing.
    secret, _ = records.sessions.create(user.id, lasts_s=_SESSION_S)
    response = RedirectResponse(_inside(next), 303)
    set_cookie(response, COOKIE, secret, seconds=_SESSION_S)
    return response


@router.post("/logout")
def logout(
    request: Request, caller: Viewer, state: Annotated[State, Depends(state_of)]
) -> Response:
    """End the session here and in the records."""
    if caller.via == "session":
        state.records.sessions.end(request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


@router.post("/theme", dependencies=[VIEWER])
def theme(
    request: Request,
    theme: Annotated[str, Form()],
    next: Annotated[str, Form(max_length=2000)] = "/samples",
) -> Response:
    """Remember light or dark; an empty word means as the system has it."""
    if theme and theme not in THEMES:
        raise HTTPException(400, text("errors.theme"))
    response = RedirectResponse(_inside(next), 303)
    if theme:
        https = request.url.scheme == "https"
        set_cookie(response, "theme", theme, seconds=_YEAR_S, secure=https)
    else:
        response.delete_cookie("theme", path="/")
    return response


def _inside(path: str) -> str:
    """A path of ours, whatever a link said: no other site is gone to after login."""
    parts = urlsplit(path)
    ours = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if ours and not parts.netloc and "\\" not in path else "/samples"

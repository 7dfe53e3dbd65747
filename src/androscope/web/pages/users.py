"""Users and their API tokens, for those who may change them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from androscope.records.people import Role
from androscope.web.render import page
from androscope.web.security import passwords
from androscope.web.security.callers import Caller, may
from androscope.web.security.guard import ADMIN, Admin, Viewer
from androscope.web.state import State, state_of
from androscope.web.texts import text

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_State = Annotated[State, Depends(state_of)]


@router.get("/users", dependencies=[ADMIN])
def users_page(request: Request, state: _State) -> Response:
    """List users."""
    return _users(request, state)


@router.post("/users")
def add_user(
    caller: Admin,
    state: _State,
    name: Annotated[str, Form(min_length=1, max_length=100)],
    password: Annotated[str, Form(max_length=1000)],
    role: Annotated[Role, Form()],
) -> Response:
    """Make a user."""
    try:
        hashed = passwords.hash_password(password)
    except ValueError as error:
        raise HTTPException(400, f"{error}") from error
    first = not state.records.users.list()
    if first and role is not Role.ADMIN:
        # From here on a login is needed, and nobody could make a second user.
        raise HTTPException(400, text("users.first"))
    state.records.users.create(name.strip(), role, hashed, actor=caller.name)
    return RedirectResponse("/login" if first else "/users", 303)


@router.post("/users/{name}")
def change_user(
    caller: Admin,
    state: _State,
    name: str,
    role: Annotated[Role | None, Form()] = None,
    disabled: Annotated[bool | None, Form()] = None,
) -> Response:
    """Change a role, shut a user out or let them in again."""
    if name.casefold() == caller.name.casefold():
        raise HTTPException(400, text("users.oneself"))
    state.records.users.change(name, actor=caller.name, role=role, disabled=disabled)
    return RedirectResponse("/users", 303)


@router.get("/me")
def me(request: Request, caller: Viewer, state: _State) -> Response:
    """Show one's own role, password form and tokens."""
    return _me(request, caller, state)


@router.post("/me/password")
def change_password(
    caller: Viewer,
    state: _State,
    old: Annotated[str, Form(max_length=1000)],
    new: Annotated[str, Form(max_length=1000)],
) -> Response:
    """Change one's own password; every session ends."""
    user = state.records.users.get(caller.name)
    if caller.via != "session" or user is None:
        raise HTTPException(400, text("me.nobody"))
    if not passwords.check(old, user.password_hash):
        raise HTTPException(400, text("me.wrong"))
    try:
        hashed = passwords.hash_password(new)
    except ValueError as error:
        raise HTTPException(400, f"{error}") from error
    state.records.users.change(user.name, actor=user.name, password_hash=hashed)
    return RedirectResponse("/login", 303)


@router.post("/me/tokens")
def add_token(
    request: Request,
    caller: Viewer,
    state: _State,
    name: Annotated[str, Form(min_length=1, max_length=100)],
    role: Annotated[Role, Form()],
) -> Response:
    """Make an API token and show it, this once."""
    user = state.records.users.get(caller.name)
    if caller.via != "session" or user is None:
        raise HTTPException(400, text("me.nobody"))
    try:
        token, _ = state.records.tokens.create(user.id, name, role, actor=user.name)
    except ValueError as error:
        raise HTTPException(400, f"{error}") from error
    return _me(request, caller, state, token=token)


@router.post("/me/tokens/{token_id}/revoke")
def revoke_token(caller: Viewer, state: _State, token_id: int) -> Response:
    """Revoke one of one's own tokens."""
    user = state.records.users.get(caller.name)
    own = () if user is None else state.records.tokens.list(user.id)
    if not any(token.id == token_id for token in own):
        raise HTTPException(404)
    state.records.tokens.revoke(token_id, actor=caller.name)
    return RedirectResponse("/me", 303)


def _users(request: Request, state: State) -> Response:
    return page(request, "users.html", users=state.records.users.list(), roles=tuple(Role))


def _me(request: Request, caller: Caller, state: State, token: str | None = None) -> Response:
    user = state.records.users.get(caller.name)
    tokens = () if user is None else state.records.tokens.list(user.id)
    roles = tuple(role for role in Role if user is not None and may(user.role, role))
    return page(request, "me.html", user=user, tokens=tokens, token=token, roles=roles)

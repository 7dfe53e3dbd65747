"""Templates filled in: what every page knows, and how numbers and times are written."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import jinja2
from fastapi import Request
from starlette.responses import HTMLResponse, Response

from androscope import __version__
from androscope.assessment.sample import Proportion
from androscope.model.card_interval import Interval
from androscope.model.measured_text import measured_text
from androscope.records.people import Role
from androscope.report.names import NOTICE, printable
from androscope.web.security.callers import COOKIE, Caller, may, visitor_of
from androscope.web.security.csrf import visitor_token
from androscope.web.texts import text

__all__ = ["THEMES", "fragment", "is_program", "page", "percent", "set_cookie"]

#: The pages that every page leads to: where, its text, the least role.
NAV = (
    ("/samples", "nav.samples", "viewer"),
    ("/models", "nav.models", "viewer"),
    ("/learn", "nav.learn", "viewer"),
    ("/users", "nav.users", "admin"),
)

#: Of the switch; the cookie holds one, and none means as the system has it.
THEMES = ("light", "dark")


def is_program(request: Request) -> bool:
    """Whether a program asks: the API, or a script of ours that wants data."""
    return request.url.path.startswith("/api/") or "json" in request.headers.get("accept", "")


def page(
    request: Request,
    template: str,
    *,
    status_code: int = 200,
    headers: dict[str, str] | None = None,
    **facts: object,
) -> HTMLResponse:
    """Fill in a template; ``facts`` are what it shows."""
    caller: Caller | None = getattr(request.state, "caller", None)
    secret = visitor_of(request)
    theme = request.cookies.get("theme", "")
    content = (
        _environment()
        .get_template(template)
        .render(
            caller=caller,
            csrf=visitor_token(secret) if caller is None else caller.csrf,
            can={role.value: caller is not None and may(caller.role, role) for role in Role},
            theme=theme if theme in THEMES else "",
            path=request.url.path,
            **facts,
        )
    )
    response = HTMLResponse(content, status_code, headers)
    response.headers["vary"] = "cookie"
    if getattr(request.state, "visitor", None) is not None:
        # No session's: Safari takes no secure cookie over HTTP, even on this machine.
        set_cookie(response, COOKIE, secret, secure=request.url.scheme == "https")
    return response


def fragment(template: str, **facts: object) -> str:
    """Fill in a part of a page that is the same for everybody."""
    return _environment().get_template(template).render(**facts)


def set_cookie(
    response: Response, name: str, value: str, *, seconds: int | None = None, secure: bool = True
) -> None:
    """Set a cookie that scripts cannot read and other sites' pages do not send."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("androscope.web", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(nav=NAV, t=text, version=__version__, notice=NOTICE)
    environment.filters.update(measured=_measured, percent=percent, when=_when, shown=printable)
    return environment


def percent(share: Proportion) -> str:
    """A fraction with its 95% interval, or a dash."""
    if share.fraction is None or share.low is None or share.high is None:
        return "–"
    return f"{share.fraction:.0%} ({share.low:.0%} to {share.high:.0%})"


def _measured(found: Interval) -> str:
    """A value with its 95% interval, or a dash."""
    return "–" if found.value is None else measured_text(found)


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

"""Errors as answers: RFC 9457 problem details to programs, a page in plain words to people."""

from __future__ import annotations

import logging
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from androscope.client.shapes import InvalidField, Problem
from androscope.errors import (
    AndroscopeError,
    MissingExtraError,
    RecordConflictError,
    RecordExistsError,
    RecordMissingError,
)
from androscope.web.render import is_program, page
from androscope.web.texts import text
from androscope.web.uploads.refused import BusyError, UploadError

__all__ = ["MEDIA_TYPE", "install", "status_of"]

MEDIA_TYPE = "application/problem+json"

_LOG = logging.getLogger(__name__)

_STATUS: dict[type[AndroscopeError], int] = {
    RecordMissingError: 404,
    RecordExistsError: 409,
    RecordConflictError: 409,
    MissingExtraError: 501,
}


def status_of(error: AndroscopeError) -> int:
    """The HTTP status that says what kind of error it is; 400 unless something is known."""
    if isinstance(error, UploadError):
        return error.status
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)


def install(app: FastAPI) -> None:
    """Answer every error in one shape."""

    async def typed(request: Request, error: Exception) -> Response:
        assert isinstance(error, AndroscopeError)
        status = status_of(error)
        problem = Problem(
            type=f"urn:androscope:error:{error.code}",
            title=HTTPStatus(status).phrase,
            status=status,
            detail=error.reason,
            code=error.code,
            advice=error.advice,
        )
        after = {"retry-after": str(error.retry_after_s)} if isinstance(error, BusyError) else {}
        return _answer(request, problem, after)

    async def plain(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 401 and not is_program(request) and request.method == "GET":
            wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/login?next={quote(wanted)}", 303)
        phrase = HTTPStatus(error.status_code).phrase
        detail = error.detail if error.detail != phrase else ""
        problem = Problem(title=phrase, status=error.status_code, detail=detail)
        return _answer(request, problem, dict(error.headers or {}))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        errors = [
            InvalidField(where=".".join(map(str, e["loc"])), reason=str(e["msg"]))
            for e in error.errors()
        ]
        problem = Problem(
            title=HTTPStatus(422).phrase,
            status=422,
            detail="; ".join(f"{e.where}: {e.reason}" for e in errors),
            errors=errors,
        )
        return _answer(request, problem, {})

    async def unexpected(request: Request, error: Exception) -> Response:
        _LOG.error("%s %s", request.method, request.url.path, exc_info=error)
        problem = Problem(title=HTTPStatus(500).phrase, status=500, detail=text("errors.own"))
        return _answer(request, problem, {})

    app.add_exception_handler(AndroscopeError, typed)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, unexpected)


def _answer(request: Request, problem: Problem, headers: dict[str, str]) -> Response:
    if is_program(request):
        return JSONResponse(
            problem.model_dump(exclude_defaults=False),
            problem.status,
            headers=headers,
            media_type=MEDIA_TYPE,
        )
    known = f"errors.{problem.status}"
    return page(
        request,
        "error.html",
        status_code=problem.status,
        headers=headers,
        problem=problem,
        headline=text(known) if problem.status in _TOLD else problem.title,
    )


#: Statuses that the catalogue has a headline for.
_TOLD = (400, 401, 403, 404, 409, 413, 422, 429, 500, 501)

"""What the API's routes share: the state, pages of lists, the shape of errors in OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from androscope.client.shapes import Problem
from androscope.web.problems import MEDIA_TYPE
from androscope.web.state import State, state_of

__all__ = ["PREFIX", "PageNumber", "PerPage", "StateOf", "api_router", "problems_in"]

PREFIX = "/api/v1"

StateOf = Annotated[State, Depends(state_of)]
PageNumber = Annotated[int, Query(alias="page", ge=1, le=100_000)]
PerPage = Annotated[int, Query(ge=1, le=200)]

#: What any route may answer, besides what is its own: who, whether they may, what was asked.
_ALWAYS = {
    400: "What was asked cannot be",
    401: "Nobody is logged in, or the token is not known",
    403: "The role does not allow it",
    404: "There is no such thing",
    409: "It is otherwise by now",
    413: "Too much",
    422: "The request is not as it should be",
    429: "Too much waits already; see Retry-After",
    501: "An extra is not installed",
}


def api_router(tag: str) -> APIRouter:
    """A router below ``/api/v1`` whose errors are all problem details (RFC 9457)."""
    responses: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": why} for status, why in _ALWAYS.items()
    }
    return APIRouter(prefix=PREFIX, tags=[tag], responses=responses)


def problems_in(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the media type that errors really have."""
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                content = answer.get("content", {})
                if status >= "400" and "application/json" in content:
                    content[MEDIA_TYPE] = content.pop("application/json")
    return document

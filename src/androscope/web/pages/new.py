"""Images dropped in: a new sample, or more for one that is there."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from androscope.assessment.conformal import MOST
from androscope.records.people import Role
from androscope.records.types import SampleSummary
from androscope.web.render import is_program, page
from androscope.web.security.callers import Caller
from androscope.web.security.guard import REVIEWER, Allow
from androscope.web.state import State, state_of
from androscope.web.texts import text
from androscope.web.uploads.accept import accept
from androscope.web.uploads.queue import queue_files
from androscope.web.uploads.receive import Received
from androscope.web.work.tasks import TAKEN_AS

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_State = Annotated[State, Depends(state_of)]
_Uploader = Annotated[Caller, Depends(Allow(Role.REVIEWER, streams=True))]

#: The route counts for itself, by the server's own limits.
_NO_LIMIT = 1 << 50


@router.get("/samples/new", dependencies=[REVIEWER])
def new_page(request: Request, state: _State) -> Response:
    """Show the form."""
    return page(
        request,
        "new.html",
        models=state.offer.names(),
        taken_as=TAKEN_AS,
        limits=state.options.limits,
    )


@router.post("/samples", max_body_size=_NO_LIMIT)
async def create(request: Request, caller: _Uploader, state: _State) -> Response:
    """Make a sample of what was dropped in; answered when all of it is on the disk."""
    received = await accept(request, caller, state, _some)
    try:
        sample = await run_in_threadpool(_create, state, caller, received)
    except BaseException:
        received.forget()
        raise
    state.wake(sample.id)
    return _made(request, sample.id)


@router.post("/samples/{sample_id}/images", max_body_size=_NO_LIMIT)
async def add(request: Request, caller: _Uploader, state: _State, sample_id: int) -> Response:
    """Add images to a sample."""
    await run_in_threadpool(state.records.samples.get, sample_id)
    received = await accept(request, caller, state, _some)
    try:
        await run_in_threadpool(_queue, state, caller, received, sample_id)
    except BaseException:
        received.forget()
        raise
    state.wake(sample_id)
    return _made(request, sample_id)


def _made(request: Request, sample_id: int) -> Response:
    url = f"/samples/{sample_id}"
    if is_program(request):
        return JSONResponse({"url": url}, 201)
    return RedirectResponse(url, 303)


def _some(count: int) -> None:
    if not count:
        raise HTTPException(400, text("new.no_files"))


def _create(state: State, caller: Caller, received: Received) -> SampleSummary:
    fields = received.fields
    settings = {
        name: fields[name].strip()
        for name in ("taken_as", "model", "error_rate", "grade_anyway")
        if fields.get(name, "").strip()
    }
    rate = _number(settings.get("error_rate", ""), text("new.error_rate"), most=MOST)
    if rate is not None:
        settings["error_rate"] = str(rate)  # with a point, however it was typed
    if settings.get("model") not in (None, *state.offer.names()):
        raise HTTPException(400, text("models.unknown", name=settings["model"]))
    try:
        sample = state.records.samples.create(
            fields.get("name", "").strip(),
            actor=caller.name,
            pixel_size_um=_number(fields.get("pixel_size", ""), text("new.pixel_size"), most=1000),
            comment=fields.get("comment", "").strip(),
            settings=settings,
        )
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    _queue(state, caller, received, sample.id)
    return sample


def _queue(state: State, caller: Caller, received: Received, sample_id: int) -> None:
    replicate = received.fields.get("replicate", "").strip()[:100]
    queue_files(state.records, sample_id, received.files, replicate=replicate, actor=caller.name)


def _number(given: str, what: str, *, most: float) -> float | None:
    given = given.strip().replace(",", ".")
    if not given:
        return None
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not 0 < value <= most:
        raise HTTPException(400, text("new.number", what=what, most=f"{most:g}", given=given))
    return value

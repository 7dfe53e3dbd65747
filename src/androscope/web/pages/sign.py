"""Sign: a report is frozen as a version, under a name; what changes later is the next version."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from androscope.web.pages.downloads import attachment
from androscope.web.pages.samples import row_of
from androscope.web.render import page
from androscope.web.reporting import FORMATS, report_view
from androscope.web.security.guard import VIEWER, Reviewer
from androscope.web.signing import sign_report, signed_bytes
from androscope.web.state import State, state_of
from androscope.web.texts import text

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_State = Annotated[State, Depends(state_of)]


@router.get("/samples/{sample_id}/sign", dependencies=[VIEWER])
def sign_page(request: Request, state: _State, sample_id: int) -> Response:
    """Show what would be signed, and the versions that were."""
    records = state.records
    sample = records.samples.get(sample_id)
    ready = sample.open_jobs == 0 and sample.found > 0
    return page(
        request,
        "sign.html",
        row=row_of(sample),
        ready=ready,
        view=report_view(records, sample_id) if ready else None,
        versions=records.reports.list(sample_id)[::-1],
        formats=tuple(FORMATS),
    )


@router.post("/samples/{sample_id}/sign")
def sign(
    caller: Reviewer,
    state: _State,
    sample_id: int,
    name: Annotated[str, Form(max_length=200)],
    last_event: Annotated[int, Form(ge=0)],
    comment: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    """Sign the report as it was shown; what was changed meanwhile is to be looked at first."""
    if state.records.samples.get(sample_id).last_event != last_event:
        raise HTTPException(409, text("sign.changed"))
    try:
        sign_report(state.records, sample_id, actor=caller.name, name=name, comment=comment.strip())
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    state.wake(sample_id)
    return RedirectResponse(f"/samples/{sample_id}/sign", 303)


@router.get("/samples/{sample_id}/signed/{version}.{ending}", dependencies=[VIEWER])
def signed(
    state: _State, sample_id: int, version: int, ending: Literal["pdf", "html", "csv", "json"]
) -> Response:
    """Give a signed version as a file."""
    sample = state.records.samples.get(sample_id)
    report = state.records.reports.get(sample_id, version)
    name = attachment(f"{sample.name} v{version}.{ending}")
    return Response(
        signed_bytes(state.records, report, ending),
        media_type=FORMATS[ending],
        headers={"content-disposition": name},
    )

"""The report as files: what a person prints, and what other programs read."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends
from starlette.responses import Response

from androscope.web.reporting import FORMATS, report_bytes
from androscope.web.security.guard import VIEWER
from androscope.web.state import State, state_of

__all__ = ["attachment", "router"]

router = APIRouter(include_in_schema=False)


@router.get("/samples/{sample_id}/report.{ending}", dependencies=[VIEWER])
def report(
    state: Annotated[State, Depends(state_of)],
    sample_id: int,
    ending: Literal["pdf", "html", "csv", "json"],
) -> Response:
    """Give the report of a sample as it stands."""
    sample = state.records.samples.get(sample_id)
    content = report_bytes(state.records, sample_id, ending)
    return Response(
        content,
        media_type=FORMATS[ending],
        headers={"content-disposition": attachment(f"{sample.name}.{ending}")},
    )


def attachment(name: str) -> str:
    """A header that makes a browser keep a file under a name, whatever characters it has."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"

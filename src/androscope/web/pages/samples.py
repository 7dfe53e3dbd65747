"""The list of samples: found by name, by status, with what is known of each at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from androscope.assessment.sample import Proportion, proportion
from androscope.records.types import SampleStatus, SampleSummary
from androscope.web.render import page
from androscope.web.security.guard import VIEWER
from androscope.web.state import State, state_of

__all__ = ["SampleRow", "router", "row_of"]

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A sample and its share of normal sperm, of those decided."""

    sample: SampleSummary
    normal: Proportion


def row_of(sample: SampleSummary) -> SampleRow:
    """Work out what a row shows."""
    return SampleRow(sample, proportion(sample.normal, sample.normal + sample.abnormal))


@router.get("/samples", dependencies=[VIEWER])
def samples_page(
    request: Request,
    state: Annotated[State, Depends(state_of)],
    search: Annotated[str, Query(max_length=200)] = "",
    status: Annotated[str, Query(max_length=20)] = "",
    page_number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """List samples; for a search as it is typed, the table alone."""
    wanted = next((known for known in SampleStatus if known.value == status), None)
    found = state.records.samples.list(search=search.strip(), status=wanted, page=page_number)
    part = request.headers.get("hx-target") == "found"
    return page(
        request,
        "samples_found.html" if part else "samples.html",
        found=found,
        rows=[row_of(sample) for sample in found.items],
        search=search,
        status=status,
        statuses=tuple(SampleStatus),
    )

"""A sample: how far it has come, its result as in the report, its pictures with what was found."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from starlette.responses import FileResponse, Response

from androscope.errors import RecordConflictError
from androscope.records.store import Records
from androscope.records.types import Image, JobState, Page, SampleSummary
from androscope.report.sample.view_types import View
from androscope.types import Failure
from androscope.web.boxes import Box, FieldView, box_of, field_of
from androscope.web.history import said
from androscope.web.pages.progress import progress_of
from androscope.web.render import page
from androscope.web.reporting import report_view
from androscope.web.security.guard import VIEWER
from androscope.web.state import State, state_of
from androscope.web.uploads.queue import DECODE

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_State = Annotated[State, Depends(state_of)]

#: Pictures on one page.
_PICTURES = 60
_FINDS = 5000
#: Pictures never change: their name is their hash.
_FOREVER = {"cache-control": "private, max-age=31536000, immutable"}


@router.get("/samples/{sample_id}", dependencies=[VIEWER])
def sample_page(
    request: Request,
    state: _State,
    sample_id: int,
    page_number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """Show a sample."""
    records = state.records
    progress = progress_of(records, sample_id)
    pictures, fields, crops = _pictures(records, sample_id, page_number)
    return page(
        request,
        "sample.html",
        sample=progress.sample,
        progress=progress,
        view=_view(records, progress.sample),
        pictures=pictures,
        fields=fields,
        crops=crops,
        failures=_failures(records, sample_id, some=progress.failed > 0),
        limits=state.options.limits,
    )


@router.get("/samples/{sample_id}/images/{image_id}", dependencies=[VIEWER])
def field_page(request: Request, state: _State, sample_id: int, image_id: int) -> Response:
    """Show one field, to be enlarged."""
    records = state.records
    sample, image = records.samples.get(sample_id), records.images.get(image_id)
    if image.sample_id != sample_id:
        raise HTTPException(404)
    found = records.crops.list(sample_id, image_id=image_id, per_page=_FINDS)
    return page(request, "field.html", sample=sample, field=field_of(image, found.items))


@router.get("/samples/{sample_id}/history", dependencies=[VIEWER])
def history_page(
    request: Request,
    state: _State,
    sample_id: int,
    page_number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """Show the log of a sample, the newest first."""
    records = state.records
    sample = records.samples.get(sample_id)
    found = records.log.events(sample_id=sample_id, page=page_number)
    entries = [(event, said(event)) for event in found.items]
    return page(request, "history.html", sample=sample, found=found, entries=entries)


@router.get("/images/{sha256}.png", dependencies=[VIEWER])
def image(state: _State, sha256: str) -> Response:
    """Give a picture as kept."""
    path = state.records.images.path(sha256)
    return FileResponse(path, media_type="image/png", headers=_FOREVER)


@router.get("/crops/{crop_id}.png", dependencies=[VIEWER])
def crop(state: _State, crop_id: int) -> Response:
    """Give a crop as graded."""
    png = state.records.crops.png(crop_id)
    if png is None:
        raise HTTPException(404)
    return Response(png, media_type="image/png", headers=_FOREVER)


@lru_cache(maxsize=64)
def _kept_view(records: Records, sample_id: int, _last_event: int) -> View:
    """The view, kept until something happens to the sample: all of it is an entry of the log."""
    return report_view(records, sample_id)


def _view(records: Records, sample: SampleSummary) -> View | None:
    try:
        return _kept_view(records, sample.id, sample.last_event)
    except RecordConflictError:
        return None


def _failures(records: Records, sample_id: int, *, some: bool) -> list[tuple[str, Failure]]:
    """What could not be used: pictures, and files that never became any."""
    failures = list(records.images.failures(sample_id))
    for job in records.jobs.list(sample_id=sample_id, kind=DECODE) if some else ():
        if job.state is JobState.FAILED:
            name, replicate = str(job.detail["name"]), str(job.detail["replicate"])
            why = Failure(name, None, job.code or "", job.reason or "", job.advice)
            failures.append((replicate, why))
    return failures


def _pictures(
    records: Records, sample_id: int, number: int
) -> tuple[Page[Image], list[FieldView], list[Box]]:
    """One page of a sample's pictures: those with finds in places, and crops of one sperm."""
    images = records.images.list(sample_id)
    start = (number - 1) * _PICTURES
    shown = images[start : start + _PICTURES]
    by_image = records.crops.of_images(picture.id for picture in shown)
    fields, crops = [], []
    for picture in shown:
        found = by_image.get(picture.id, ())
        if len(found) == 1 and found[0].opinion.x is None:
            crops.append(box_of(found[0], picture))
        else:
            fields.append(field_of(picture, found))
    return Page(shown, number, _PICTURES, len(images)), fields, crops

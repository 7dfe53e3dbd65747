"""Images in, verdicts out, in one request; nothing is kept."""

from __future__ import annotations

import copy
from typing import Any, Literal

from fastapi import HTTPException, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from androscope.assessment.conformal import MOST
from androscope.client.assessed import AssessedOut, FoundOut, PictureOut
from androscope.client.shapes import FailureOut, FlagOut, PartOut
from androscope.records.types import Find
from androscope.report.names import NOTICE
from androscope.types import Failure
from androscope.web.api.common import StateOf, api_router
from androscope.web.api.images import FILES, UNLIMITED, Uploader, receive_files
from androscope.web.api.samples import check_model
from androscope.web.texts import text
from androscope.web.work.direct import DirectPicture
from androscope.web.work.wire import GradeTask

__all__ = ["router"]

router = api_router("assess")

#: Files of one request: it is answered when all are graded.
_MOST = 100


class AssessIn(BaseModel):
    """The form's fields beside its files; as for a sample."""

    pixel_size_um: float | None = Field(None, gt=0, lt=1000, allow_inf_nan=False)
    head_length: float | None = Field(None, gt=0, lt=1000, allow_inf_nan=False)
    taken_as: Literal["by size", "crops", "fields"] = "by size"
    model: str | None = Field(None, max_length=200)
    error_rate: float | None = Field(None, gt=0, le=MOST, allow_inf_nan=False)
    grade_anyway: bool = Field(False, description="What does not pass the checks, with its flags.")


def _found(find: Find) -> FoundOut:
    geometry = ("x", "y", "length", "width", "angle_deg", "is_sperm", "excluded")
    return FoundOut(
        **{name: getattr(find, name) for name in geometry},
        parts=[PartOut.model_validate(part) for part in find.parts],
        flags=[FlagOut.model_validate(flag) for flag in find.flags],
        notes=list(find.notes),
    )


def _picture(picture: DirectPicture) -> PictureOut:
    graded = picture.graded
    return PictureOut(
        name=picture.name,
        index=picture.index,
        kind=graded.kind,
        model=f"{graded.model.name} {graded.model.version}",
        model_sha256=graded.model.sha256,
        found=[_found(find.find()) for find in graded.finds],
        notes=list(graded.notes),
    )


def _form() -> dict[str, Any]:
    """Describe the form: the files, and the fields of :class:`AssessIn`."""
    form = copy.deepcopy(FILES)
    schema = form["requestBody"]["content"]["multipart/form-data"]["schema"]
    del schema["properties"]["replicate"]
    schema["properties"] |= AssessIn.model_json_schema()["properties"]
    return form


@router.post("/assess", openapi_extra=_form(), response_model=AssessedOut, max_body_size=UNLIMITED)
async def assess(request: Request, caller: Uploader, state: StateOf) -> AssessedOut:
    """Grade files at once; one that cannot be graded does not stop the others."""
    direct = None if state.dispatcher is None else state.dispatcher.direct
    if direct is None:
        raise HTTPException(409, text("review.no_work"))
    received = await receive_files(request, caller, state, most=_MOST)
    try:
        fields = _fields(received.fields)
        check_model(state, fields.model)
        settings = GradeTask(
            path="",
            name="",
            given_pixel_size_um=fields.pixel_size_um,
            head_length=fields.head_length,
            taken_as=fields.taken_as,
            model=state.offer.where(fields.model),
            error_rate=fields.error_rate,
            grade_anyway=fields.grade_anyway,
        )
        found = await run_in_threadpool(direct.assess, received.files, settings)
    finally:
        received.forget()
    return AssessedOut(
        notice=NOTICE,
        pictures=[_picture(item) for item in found if isinstance(item, DirectPicture)],
        failures=[FailureOut.of(item) for item in found if isinstance(item, Failure)],
    )


def _fields(given: dict[str, str]) -> AssessIn:
    known = {name: text for name in AssessIn.model_fields if (text := given.get(name, "").strip())}
    try:
        return AssessIn.model_validate(known)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise HTTPException(422, said) from error

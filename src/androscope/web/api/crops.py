"""What was found: crops with the model's opinion, and what people say of them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from androscope.client.shapes import CropOut, EventOut, Id, Listed
from androscope.records.types import CropRecord
from androscope.types import Verdict
from androscope.web.api.common import PageNumber, PerPage, StateOf, api_router
from androscope.web.looking import KEPT_FOR, heat_of
from androscope.web.security.guard import VIEWER, Reviewer

__all__ = ["ReviewIn", "router"]

router = api_router("crops")

Why = Annotated[str, Field(max_length=1000, description="For the log.")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")

    why: Why = ""


class VerdictIn(_In):
    """Change the verdict on a part."""

    do: Literal["verdict"]
    part: str = Field(max_length=40)
    to: Verdict
    expected: Verdict | None = Field(
        None, description="What it is now; another by now is answered with 409."
    )


class SpermIn(_In):
    """Say that a find is no sperm, or is one after all."""

    do: Literal["sperm"]
    is_sperm: bool


class AcceptIn(_In):
    """Say that a person looked and agrees with what stands."""

    do: Literal["accept"]


class UndoIn(_In):
    """Take back the last change that still stands, by a further entry."""

    do: Literal["undo"]
    number: int | None = Field(None, ge=1, le=2**31 - 1, description="The entry that is meant.")


class ObserveIn(_In):
    """Record a blinded observer's opinion; the verdicts stay as they are."""

    do: Literal["observe"]
    verdicts: dict[str, Verdict]
    is_sperm: bool = True


ReviewIn = Annotated[VerdictIn | SpermIn | AcceptIn | UndoIn | ObserveIn, Field(discriminator="do")]


@router.get("/samples/{sample_id}/crops", dependencies=[VIEWER])
def list_crops(
    state: StateOf,
    sample_id: Id,
    order: Literal["number", "need"] = "number",
    image_id: Annotated[Id | None, Query()] = None,
    reviewed: bool | None = None,
    graded_only: bool = False,
    page: PageNumber = 1,
    per_page: PerPage = 100,
) -> Listed[CropOut]:
    """List a sample's finds: as found, or those first that need a person most."""
    state.records.samples.get(sample_id)
    found = state.records.crops.list(
        sample_id,
        image_id=image_id,
        order=order,
        graded_only=graded_only,
        reviewed=reviewed,
        page=page,
        per_page=per_page,
    )
    return Listed[CropOut].of(found, [CropOut.of(crop) for crop in found.items])


@router.get("/crops/{crop_id}", dependencies=[VIEWER])
def get_crop(state: StateOf, crop_id: Id) -> CropOut:
    """Give a find as it stands."""
    return CropOut.of(state.records.crops.get(crop_id))


@router.get("/crops/{crop_id}/events", dependencies=[VIEWER])
def list_events(state: StateOf, crop_id: Id) -> list[EventOut]:
    """Give all that was ever said of a find, in order."""
    state.records.crops.get(crop_id)
    return [
        EventOut.model_validate(event).model_copy(update={"data": dict(event.data)})
        for event in state.records.reviews.history(crop_id)
    ]


@router.get(
    "/crops/{crop_id}/pixels",
    dependencies=[VIEWER],
    response_class=Response,
    responses={200: {"content": {"image/png": {}}, "description": "The crop as graded"}},
)
def get_pixels(state: StateOf, crop_id: Id) -> Response:
    """Give the crop's picture as the model saw it."""
    state.records.crops.get(crop_id)
    png = state.records.crops.png(crop_id)
    if png is None:
        raise HTTPException(404, "nothing was cut out of the picture for this find")
    return Response(png, media_type="image/png")


@router.get(
    "/crops/{crop_id}/heat",
    dependencies=[VIEWER],
    response_class=Response,
    responses={200: {"content": {"image/png": {}}, "description": "The map over the crop"}},
)
def get_heat(
    state: StateOf,
    crop_id: Id,
    part: Annotated[
        str,
        Query(max_length=100, description="Which; empty: that called abnormal the most."),
    ] = "",
) -> Response:
    """Draw where the model looked for its verdict; verdict and flags are the record's."""
    return Response(heat_of(state, crop_id, part), media_type="image/png", headers=KEPT_FOR)


@router.post("/crops/{crop_id}/reviews", status_code=201)
def review(state: StateOf, caller: Reviewer, crop_id: Id, given: ReviewIn) -> CropOut:
    """Say something of a find; gives it as it stands then. Nothing is overwritten."""
    try:
        return CropOut.of(_review(state, caller.name, crop_id, given))
    except ValueError as error:
        raise HTTPException(400, str(error)) from error


def _review(state: StateOf, actor: str, crop_id: int, given: ReviewIn) -> CropRecord:
    reviews = state.records.reviews
    match given:
        case VerdictIn():
            return reviews.verdict(
                crop_id,
                given.part,
                given.to,
                actor=actor,
                why=given.why,
                expected=given.expected,
            )
        case SpermIn():
            return reviews.sperm(crop_id, given.is_sperm, actor=actor, why=given.why)
        case AcceptIn():
            return reviews.accept(crop_id, actor=actor, why=given.why)
        case UndoIn():
            return reviews.undo(crop_id, actor=actor, number=given.number, why=given.why)
        case ObserveIn():
            reviews.observe(crop_id, given.verdicts, observer=actor, is_sperm=given.is_sperm)
            return state.records.crops.get(crop_id)

"""Review: crops by how much a person is needed, corrected with the keyboard; blinded, if asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from starlette.responses import Response

from androscope.records.entries import EventKind
from androscope.records.store import Records
from androscope.records.types import CropRecord
from androscope.types import Verdict
from androscope.web.looking import KEPT_FOR, heat_of
from androscope.web.render import page
from androscope.web.reviewing import agreement, card_of, keys_of
from androscope.web.security.guard import REVIEWER, VIEWER, Reviewer
from androscope.web.state import State, state_of
from androscope.web.texts import text

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_State = Annotated[State, Depends(state_of)]

#: Crops on one page.
_CROPS = 60
_SAID = (EventKind.VERDICT, EventKind.SPERM, EventKind.ACCEPT)


@router.get("/samples/{sample_id}/review")
def review_page(
    request: Request,
    caller: Reviewer,
    state: _State,
    sample_id: int,
    every: Annotated[bool, Query(alias="all")] = False,
    blind: bool = False,
    page_number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """Show the crops that are left, those first that need a person most.

    Blinded, they come as they were found: the order would tell what the model thinks.
    """
    records = state.records
    sample = records.samples.get(sample_id)
    if blind:
        return _blinded(request, records, sample_id, caller.name, page_number)
    found = records.crops.list(
        sample_id,
        order="need",
        graded_only=True,
        reviewed=None if every else False,
        page=page_number,
        per_page=_CROPS,
    )
    return page(
        request,
        "review.html",
        sample=sample,
        found=found,
        cards=[card_of(crop) for crop in found.items],
        keys=_keys(found.items),
        every=every,
        blind=False,
        left=records.crops.list(sample_id, graded_only=True, reviewed=False, per_page=1).total,
    )


def _blinded(
    request: Request, records: Records, sample_id: int, observer: str, number: int
) -> Response:
    found = records.crops.list(sample_id, graded_only=True, page=number, per_page=_CROPS)
    mine = {o.crop_id: o for o in records.reviews.observations(sample_id, observer)}
    return page(
        request,
        "review.html",
        sample=records.samples.get(sample_id),
        found=found,
        cards=[card_of(crop, mine.get(crop.id)) for crop in found.items],
        keys=_keys(found.items),
        every=True,
        blind=True,
        left=found.total - len(mine),
    )


def _keys(crops: tuple[CropRecord, ...]) -> dict[str, str]:
    return keys_of(tuple(part.label for part in crops[0].opinion.parts)) if crops else {}


@router.post("/crops/{crop_id}/verdict")
def verdict(
    request: Request,
    caller: Reviewer,
    state: _State,
    crop_id: int,
    part: Annotated[str, Form(max_length=100)],
    to: Annotated[Verdict, Form()],
    expected: Annotated[Verdict | None, Form()] = None,
) -> Response:
    """Change the verdict on one part."""
    try:
        crop = state.records.reviews.verdict(
            crop_id, part, to, actor=caller.name, expected=expected
        )
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    return _card(request, crop)


@router.post("/crops/{crop_id}/undecided")
def undecided(request: Request, caller: Reviewer, state: _State, crop_id: int) -> Response:
    """Leave every part to somebody else."""
    crop = state.records.crops.get(crop_id)
    for part, stands in crop.verdicts.items():
        if stands is not Verdict.UNDECIDED:
            crop = state.records.reviews.verdict(
                crop_id, part, Verdict.UNDECIDED, actor=caller.name, expected=stands
            )
    return _card(request, crop)


@router.post("/crops/{crop_id}/sperm")
def sperm(
    request: Request,
    caller: Reviewer,
    state: _State,
    crop_id: int,
    is_sperm: Annotated[bool, Form()],
) -> Response:
    """Say that it is no sperm, or is one after all."""
    return _card(request, state.records.reviews.sperm(crop_id, is_sperm, actor=caller.name))


@router.post("/crops/{crop_id}/accept")
def accept(request: Request, caller: Reviewer, state: _State, crop_id: int) -> Response:
    """Agree with what stands."""
    return _card(request, state.records.reviews.accept(crop_id, actor=caller.name))


@router.post("/crops/{crop_id}/undo")
def undo(request: Request, caller: Reviewer, state: _State, crop_id: int) -> Response:
    """Take back one's own last word on a crop; another person's is not taken back unseen."""
    history = state.records.reviews.history(crop_id)
    taken = {event.data.get("undoes") for event in history if event.kind is EventKind.UNDO}
    own = [
        event.number
        for event in history
        if event.kind in _SAID and event.number not in taken and event.actor == caller.name
    ]
    if not own:
        raise HTTPException(409, text("review.nothing_to_undo"))
    crop = state.records.reviews.undo(crop_id, actor=caller.name, number=own[-1])
    return _card(request, crop)


@router.get("/crops/{crop_id}/heat.png", dependencies=[REVIEWER])
def heat(state: _State, crop_id: int, part: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Draw where the model looked; of a part, or of that which it called abnormal the most."""
    return Response(heat_of(state, crop_id, part), media_type="image/png", headers=KEPT_FOR)


@router.post("/crops/{crop_id}/observe")
def observe(
    request: Request,
    caller: Reviewer,
    state: _State,
    crop_id: int,
    abnormal: Annotated[list[str] | None, Form()] = None,
    undecided: Annotated[list[str] | None, Form()] = None,
    is_sperm: Annotated[bool, Form()] = True,
) -> Response:
    """Keep a blinded observer's opinion; parts that are not named are normal to them."""
    crop = state.records.crops.get(crop_id)
    said = {
        part: Verdict.ABNORMAL
        if part in (abnormal or ())
        else Verdict.UNDECIDED
        if part in (undecided or ())
        else Verdict.NORMAL
        for part in crop.verdicts
    }
    state.records.reviews.observe(crop_id, said, observer=caller.name, is_sperm=is_sperm)
    (mine,) = (
        seen
        for seen in state.records.reviews.observations(crop.sample_id, caller.name)
        if seen.crop_id == crop_id
    )
    return page(request, "review_card.html", card=card_of(crop, mine), blind=True)


@router.get("/samples/{sample_id}/observers", dependencies=[VIEWER])
def observers_page(request: Request, state: _State, sample_id: int) -> Response:
    """Show how each blinded observer agrees with what stands."""
    records = state.records
    return page(
        request,
        "observers.html",
        sample=records.samples.get(sample_id),
        compared=agreement(records, sample_id),
    )


def _card(request: Request, crop: CropRecord) -> Response:
    return page(request, "review_card.html", card=card_of(crop), blind=False)

"""Learn: what people said of crops as a labelled set, and a model adapted to it."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, RedirectResponse, Response

from androscope.model.card_parent import HOW, Parent
from androscope.records.types import Job, JobState
from androscope.web.offered import NAME
from androscope.web.render import page
from androscope.web.security.guard import REVIEWER, VIEWER, Admin
from androscope.web.state import State, state_of
from androscope.web.texts import text
from androscope.web.work.learn import ADAPT

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_State = Annotated[State, Depends(state_of)]

#: Adaptations shown, the latest.
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Attempt:
    """One adaptation: its job, what it said, what the new model changed; both may be missing."""

    job: Job
    said: str | None
    parent: Parent | None
    offered: bool


@router.get("/learn", dependencies=[VIEWER])
def learn_page(request: Request, state: _State) -> Response:
    """Show what there is to learn from, and what was learned."""
    attempts = [_attempt(state, job) for job in state.records.jobs.list(kind=ADAPT)[-_SHOWN:]]
    return page(
        request,
        "learn.html",
        reviewed=_reviewed(state),
        models=state.offer.names(),
        default=state.offer.default(),
        attempts=attempts[::-1],
        going=any(a.job.state.is_open for a in attempts),
        how=HOW,
        works=state.options.work,
    )


@router.get("/learn/labels.zip", dependencies=[REVIEWER])
def labels(state: _State) -> Response:
    """Give the reviewed crops with the verdicts that stand, to check and to train on."""
    folder = TemporaryDirectory(prefix="androscope-labels-")
    try:
        root = Path(folder.name) / "labels"
        state.records.export(root)
        packed = Path(folder.name) / "labels.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(root.rglob("*")):
                archive.write(path, path.relative_to(root))
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(
        packed,
        media_type="application/zip",
        filename="androscope-labels.zip",
        background=BackgroundTask(folder.cleanup),
    )


@router.post("/learn")
def adapt(
    caller: Admin,
    state: _State,
    parent: Annotated[str, Form(max_length=300)],
    name: Annotated[str, Form(max_length=60)],
    trunk: Annotated[bool, Form()] = False,
) -> Response:
    """Start to adapt a model to what was reviewed; it goes on beside the server."""
    name = name.strip()
    if not NAME.fullmatch(name):
        raise HTTPException(400, text("learn.bad_name"))
    jobs = state.records.jobs.list(kind=ADAPT)
    coming = {job.detail.get("name") for job in jobs if job.state.is_open}
    if name in state.offer.names() or name in coming:
        raise HTTPException(409, text("learn.taken", name=name))
    if parent not in state.offer.names():
        raise HTTPException(400, text("models.unknown", name=parent))
    detail = {"parent": parent, "name": name, "trunk": str(trunk), "actor": caller.name}
    state.records.jobs.add(ADAPT, detail=detail)
    state.learner.wake()
    return RedirectResponse("/learn", 303)


def _attempt(state: State, job: Job) -> Attempt:
    name = str(job.detail.get("name"))
    offered = job.state is JobState.DONE and name in state.offer.own_names()
    parent = state.offer.card(name).parent if offered else None
    return Attempt(job, state.learner.told(job), parent, offered)


def _reviewed(state: State) -> int:
    """How many crops a person has accepted or changed, in all samples."""
    count, number, pages = 0, 1, 1
    while number <= pages:
        found = state.records.samples.list(page=number, per_page=200)
        count += sum(sample.reviewed for sample in found.items)
        number, pages = number + 1, found.pages
    return count

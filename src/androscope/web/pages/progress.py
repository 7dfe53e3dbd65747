"""How far a sample's images have come: as they go, and cancelled or tried again by a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse

from androscope.records.store import Records
from androscope.records.types import JobState, SampleSummary
from androscope.web.render import fragment
from androscope.web.security.guard import REVIEWER, VIEWER
from androscope.web.state import State, state_of

__all__ = ["Progress", "progress_of", "router"]

router = APIRouter(include_in_schema=False)

_State = Annotated[State, Depends(state_of)]

#: A line is sent so often even if nothing happens, so that proxies keep the connection.
_QUIET_S = 15.0
#: No more than so many are sent in a second.
_PAUSE_S = 0.4


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of a sample's files and pictures are done, failed, cancelled and still to do."""

    sample: SampleSummary
    done: int
    failed: int
    cancelled: int
    waiting: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.done + self.failed + self.cancelled + self.waiting

    @property
    def over(self) -> bool:
        """Whether nothing is to do."""
        return self.waiting == 0


def progress_of(records: Records, sample_id: int) -> Progress:
    """Ask the records."""
    counts = records.jobs.counts(sample_id)

    def of(*states: JobState) -> int:
        return sum(counts.get(state, 0) for state in states)

    return Progress(
        records.samples.get(sample_id),
        done=of(JobState.DONE),
        failed=of(JobState.FAILED),
        cancelled=of(JobState.CANCELLED),
        waiting=of(JobState.QUEUED, JobState.RUNNING),
    )


@router.get("/samples/{sample_id}/progress", dependencies=[VIEWER])
async def watch(state: _State, sample_id: int) -> StreamingResponse:
    """Send the progress as server-sent events, until nothing is to do."""
    await run_in_threadpool(state.records.samples.get, sample_id)
    return StreamingResponse(
        _events(state, sample_id),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _events(state: State, sample_id: int) -> AsyncIterator[str]:
    changes = state.changes
    assert changes is not None
    last = None
    async with changes.watch(sample_id) as changed:
        while not changes.closing:
            changed.clear()
            now = await run_in_threadpool(progress_of, state.records, sample_id)
            if now != last:
                yield _event("progress", fragment("progress.html", progress=now))
                last = now
            else:
                yield ": still here\n\n"
            if now.over:
                yield _event("over", str(sample_id))
                return
            await asyncio.sleep(_PAUSE_S)
            try:
                await asyncio.wait_for(changed.wait(), _QUIET_S)
            except TimeoutError:
                continue


def _event(name: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.splitlines())
    return f"event: {name}\n{lines}\n"


@router.post("/samples/{sample_id}/cancel", dependencies=[REVIEWER])
def cancel(state: _State, sample_id: int) -> Response:
    """Cancel what is not done; what is done stays."""
    state.records.samples.get(sample_id)
    state.records.jobs.cancel(sample_id)
    state.wake(sample_id)
    return RedirectResponse(f"/samples/{sample_id}", 303)


@router.post("/samples/{sample_id}/retry", dependencies=[REVIEWER])
def retry(state: _State, sample_id: int) -> Response:
    """Queue what failed or was cancelled once more."""
    state.records.samples.get(sample_id)
    state.records.jobs.retry(sample_id)
    state.wake(sample_id)
    return RedirectResponse(f"/samples/{sample_id}", 303)

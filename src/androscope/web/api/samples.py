"""Samples: listed, made, followed while they are graded."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from androscope.assessment.conformal import MOST
from androscope.client.shapes import FailureOut, Id, Listed, ProgressOut, SampleOut
from androscope.records.types import SampleStatus
from androscope.web.api.common import PREFIX, PageNumber, PerPage, StateOf, api_router
from androscope.web.pages.progress import progress_of
from androscope.web.security.guard import REVIEWER, VIEWER, Reviewer
from androscope.web.state import State

__all__ = ["SampleIn", "check_model", "router"]

router = api_router("samples")


class SampleIn(BaseModel):
    """A sample to be made; images are added to it after."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, description="Unique; no patient's name.")
    pixel_size_um: float | None = Field(None, gt=0, lt=1000, description="um/px.")
    comment: str = Field("", max_length=2000)
    taken_as: Literal["by size", "crops", "fields"] = "by size"
    model: str | None = Field(None, max_length=200, description="Of /models; null: the default.")
    error_rate: float | None = Field(
        None,
        gt=0,
        le=MOST,
        description="Leave undecided what cannot be decided at this rate of error.",
    )

    grade_anyway: bool = Field(False, description="What does not pass the checks, with its flags.")

    def settings(self) -> dict[str, str]:
        """As the records keep them."""
        given = {"taken_as": self.taken_as, "model": self.model, "error_rate": self.error_rate}
        said = {name: str(value) for name, value in given.items() if value is not None}
        return said | ({"grade_anyway": "yes"} if self.grade_anyway else {})


def check_model(state: State, name: str | None) -> None:
    """Refuse a model that the server does not offer: a name from outside is never a path."""
    if name is not None and name not in state.offer.names():
        known = ", ".join(state.offer.names())
        raise HTTPException(400, f"there is no model {name!r}; there are {known}")


@router.get("/samples", dependencies=[VIEWER])
def list_samples(
    state: StateOf,
    search: Annotated[str, Query(max_length=200, description="In names and comments.")] = "",
    status: SampleStatus | None = None,
    page: PageNumber = 1,
    per_page: PerPage = 25,
) -> Listed[SampleOut]:
    """List samples, the newest first."""
    found = state.records.samples.list(search=search, status=status, page=page, per_page=per_page)
    return Listed[SampleOut].of(found, [SampleOut.of(sample) for sample in found.items])


@router.post("/samples", status_code=201)
def create_sample(
    state: StateOf, caller: Reviewer, given: SampleIn, response: Response
) -> SampleOut:
    """Make a sample."""
    check_model(state, given.model)
    try:
        sample = state.records.samples.create(
            given.name,
            actor=caller.name,
            pixel_size_um=given.pixel_size_um,
            comment=given.comment,
            settings=given.settings(),
        )
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    response.headers["location"] = f"{PREFIX}/samples/{sample.id}"
    return SampleOut.of(sample)


@router.get("/samples/{sample_id}", dependencies=[VIEWER])
def get_sample(state: StateOf, sample_id: Id) -> SampleOut:
    """Give a sample as it stands."""
    return SampleOut.of(state.records.samples.get(sample_id))


@router.get("/samples/{sample_id}/progress", dependencies=[VIEWER])
def get_progress(state: StateOf, sample_id: Id) -> ProgressOut:
    """Say how far its grading is."""
    return ProgressOut.model_validate(progress_of(state.records, sample_id))


@router.post("/samples/{sample_id}/cancel", dependencies=[REVIEWER])
def cancel_grading(state: StateOf, sample_id: Id) -> ProgressOut:
    """Cancel what is not graded yet; what is done stays."""
    state.records.samples.get(sample_id)
    state.records.jobs.cancel(sample_id)
    state.wake(sample_id)
    return get_progress(state, sample_id)


@router.get("/samples/{sample_id}/failures", dependencies=[VIEWER])
def list_failures(state: StateOf, sample_id: Id) -> list[FailureOut]:
    """List what could not be used, and why."""
    state.records.samples.get(sample_id)
    return [
        FailureOut.of(failure, replicate)
        for replicate, failure in state.records.images.failures(sample_id)
    ]

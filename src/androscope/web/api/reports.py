"""A sample's report: as it stands, and its signed versions."""

from __future__ import annotations

from typing import Literal

from fastapi import HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from androscope.client.shapes import Id, SignedOut
from androscope.web.api.common import StateOf, api_router
from androscope.web.pages.downloads import attachment
from androscope.web.reporting import FORMATS, report_bytes
from androscope.web.security.guard import VIEWER, Reviewer
from androscope.web.signing import fhir_of, sign_report, signed_bytes

__all__ = ["router"]

router = api_router("reports")

Ending = Literal["pdf", "html", "csv", "json"]
_KINDS: dict[str, dict[str, str]] = {kind.partition(";")[0]: {} for kind in FORMATS.values()}


class SignIn(BaseModel):
    """The name under a report."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    comment: str = Field("", max_length=5000)


@router.get(
    "/samples/{sample_id}/report.{ending}",
    dependencies=[VIEWER],
    response_class=Response,
    responses={200: {"content": _KINDS, "description": "The report as it stands"}},
)
def get_report(state: StateOf, sample_id: Id, ending: Ending) -> Response:
    """Give the report as it stands, in one of four formats; JSON keeps to the published schema."""
    sample = state.records.samples.get(sample_id)
    content = report_bytes(state.records, sample_id, ending)
    name = attachment(f"{sample.name}.{ending}")
    return Response(content, media_type=FORMATS[ending], headers={"content-disposition": name})


@router.get(
    "/samples/{sample_id}/fhir",
    dependencies=[VIEWER],
    response_class=Response,
    responses={200: {"content": {"application/fhir+json": {}}, "description": "A FHIR R4 Bundle"}},
)
def get_fhir(state: StateOf, sample_id: Id) -> Response:
    """Give the last signed version, else what stands, as a DiagnosticReport with Observations."""
    state.records.samples.get(sample_id)
    return Response(fhir_of(state.records, sample_id), media_type="application/fhir+json")


@router.get("/samples/{sample_id}/reports", dependencies=[VIEWER])
def list_signed(state: StateOf, sample_id: Id) -> list[SignedOut]:
    """List the signed versions, the first of them first."""
    state.records.samples.get(sample_id)
    return [SignedOut.of(report) for report in state.records.reports.list(sample_id)]


@router.post("/samples/{sample_id}/reports", status_code=201)
def sign(state: StateOf, caller: Reviewer, sample_id: Id, given: SignIn) -> SignedOut:
    """Sign the report as it stands: it is frozen, and what changes later is the next version."""
    try:
        report = sign_report(
            state.records, sample_id, actor=caller.name, name=given.name, comment=given.comment
        )
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    state.wake(sample_id)
    return SignedOut.of(report)


@router.get("/samples/{sample_id}/reports/{version}", dependencies=[VIEWER])
def get_signed(state: StateOf, sample_id: Id, version: Id) -> SignedOut:
    """Say who signed a version, when, and on what it stands."""
    return SignedOut.of(state.records.reports.get(sample_id, version))


@router.get(
    "/samples/{sample_id}/reports/{version}/document",
    dependencies=[VIEWER],
    response_class=Response,
    responses={200: {"content": {"application/json": {}}, "description": "As signed"}},
)
def get_document(state: StateOf, sample_id: Id, version: Id) -> Response:
    """Give a signed document, byte by byte as its hash was taken."""
    report = state.records.reports.get(sample_id, version)
    return Response(report.document.encode(), media_type="application/json")


@router.get(
    "/samples/{sample_id}/reports/{version}/report.{ending}",
    dependencies=[VIEWER],
    response_class=Response,
    responses={200: {"content": _KINDS, "description": "The signed version"}},
)
def get_signed_report(state: StateOf, sample_id: Id, version: Id, ending: Ending) -> Response:
    """Give a signed version as a file, whatever was changed after."""
    report = state.records.reports.get(sample_id, version)
    content = signed_bytes(state.records, report, ending)
    return Response(content, media_type=FORMATS[ending])

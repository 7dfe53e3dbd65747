"""Signing a report, and a signed version drawn again."""

from __future__ import annotations

from androscope.records.entries import SignedReport
from androscope.records.store import Records
from androscope.report.fhir import fhir_text
from androscope.report.sample.build import build_report
from androscope.report.sample.document import SampleReport
from androscope.report.sample.json import json_text
from androscope.report.sample.signature import Signature, as_signed
from androscope.web.reporting import rendered

__all__ = ["fhir_of", "sign_report", "signed_bytes"]


def sign_report(
    records: Records, sample_id: int, *, actor: str, name: str, comment: str = ""
) -> SignedReport:
    """Freeze a sample's report as its next version.

    Parameters
    ----------
    actor, name
        Who is logged in, and the name that stands under the report.

    Raises
    ------
    RecordMissingError
        If there is no such sample.
    RecordConflictError
        If nothing was graded yet, something waits to be, or it was changed meanwhile.
    ValueError
        If the name is blank.
    """
    findings, anchor = records.findings(sample_id, pictures=False)
    return records.reports.sign(
        sample_id,
        json_text(build_report(findings)),
        anchor=anchor,
        actor=actor,
        name=name.strip(),
        comment=comment,
    )


def signed_bytes(records: Records, signed: SignedReport, ending: str) -> bytes:
    """A signed version as a file: JSON byte by byte as signed, the others made from it.

    What was changed after is not in it: verdicts are the document's, pictures never change.

    Raises
    ------
    MissingExtraError
        For PDF, without Typst.
    """
    if ending == "json":
        return signed.document.encode()
    report, signature = _signed(signed)
    findings, _ = records.findings(signed.sample_id, pictures=ending in ("pdf", "html"))
    return rendered(ending, report, as_signed(findings, report), signature)


def fhir_of(records: Records, sample_id: int) -> str:
    """A sample as FHIR R4 JSON: the last signed version, else preliminary, as it stands.

    Raises
    ------
    RecordMissingError
        If there is no such sample.
    RecordConflictError
        If nothing was graded yet.
    MissingExtraError
        Without the extra that validates it.
    """
    versions = records.reports.list(sample_id)
    if versions:
        return fhir_text(*_signed(versions[-1]))
    findings, _ = records.findings(sample_id, pictures=False)
    return fhir_text(build_report(findings))


def _signed(signed: SignedReport) -> tuple[SampleReport, Signature]:
    signature = Signature(
        signed.signed_name, signed.at, signed.version, signed.sha256, signed.comment
    )
    return SampleReport.model_validate_json(signed.document), signature

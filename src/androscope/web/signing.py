"""Signing a report: built from what stands, then frozen, unless something changed in between."""

from __future__ import annotations

from androscope.records.store import Records
from androscope.records.types import SignedReport
from androscope.report.sample.build import build_report
from androscope.report.sample.json import json_text

__all__ = ["sign_report"]


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

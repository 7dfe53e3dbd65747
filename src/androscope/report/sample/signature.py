"""A signed report drawn again: the findings as the signed document has them, and who signed it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from androscope.assessment.findings import Findings, SampleFind
from androscope.report.sample.document import SampleReport, SpermRow
from androscope.types import Assessment, PartVerdict, Verdict

__all__ = ["Signature", "as_signed"]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed a report, when, as which version; ``sha256`` is that of the document's bytes."""

    name: str
    at: datetime
    version: int
    sha256: str
    comment: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands in the report instead of a line to sign on."""
        at = f"{self.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        signed = f"Signed by {self.name}, {at}, as version {self.version} of this report."
        comment = (self.comment,) if self.comment else ()
        return (signed, *comment, f"SHA-256 of the signed document: {self.sha256}")


def as_signed(findings: Findings, report: SampleReport) -> Findings:
    """Take a sample's findings back to what a signed report says of them.

    Pictures and geometry never change; verdicts do. What was found after the report was signed is
    left out, and so are overlays, which are drawn from verdicts as they stand now.

    Parameters
    ----------
    findings
        As they stand now, with pictures.
    report
        As signed.
    """
    rows = {(row.replicate, row.file, row.name): row for row in report.finds}
    kept = (
        (find, rows[key])
        for find in findings.finds
        if (key := (find.replicate, find.file, find.name)) in rows
    )
    return replace(findings, finds=tuple(_find(find, row) for find, row in kept), overlays=())


def _find(find: SampleFind, row: SpermRow) -> SampleFind:
    parts = tuple(
        PartVerdict(label, part.probability, part.threshold, Verdict(part.verdict))
        for label, part in row.parts.items()
    )
    crop = find.crop
    notes = () if crop is None else crop.notes
    flags = () if find.assessment is None else find.assessment.flags
    return replace(
        find,
        assessment=Assessment(find.name, None, parts, notes, flags) if parts else None,
        excluded=row.excluded,
        is_sperm=row.sperm,
    )

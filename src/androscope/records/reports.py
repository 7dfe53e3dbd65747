"""Signed reports: frozen; what changes later is signed as the next version."""

from __future__ import annotations

from androscope.records.types import Anchor, SignedReport

__all__ = ["Reports"]


class Reports:
    """The area ``records.reports``."""

    def sign(
        self,
        sample_id: int,
        document: str,
        *,
        anchor: Anchor,
        actor: str,
        name: str,
        comment: str = "",
    ) -> SignedReport:
        """Freeze a report as the sample's next version.

        Parameters
        ----------
        document
            Its JSON, kept byte by byte.
        anchor
            The log it was built on, from ``records.findings(sample_id)``.
        actor, name
            Who is logged in, and the name that stands under the report.

        Raises
        ------
        RecordConflictError
            If the sample was changed after ``anchor``, or an image waits to be graded.
        ValueError
            If the document is no JSON or the name is blank.
        """
        raise NotImplementedError

    def get(self, sample_id: int, version: int | None = None) -> SignedReport:
        """Give a version; default: the last. Raises :class:`RecordMissingError`."""
        raise NotImplementedError

    def list(self, sample_id: int) -> tuple[SignedReport, ...]:
        """List a sample's versions in order."""
        raise NotImplementedError

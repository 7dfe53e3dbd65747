"""Signed reports: frozen; what changes later is signed as the next version."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import func, insert, select

from androscope.errors import RecordConflictError, RecordMissingError
from androscope.records.chain import digest, from_text, now
from androscope.records.database import AnyRow, Database
from androscope.records.entries import Anchor, EventKind, SignedReport
from androscope.records.log import appending
from androscope.records.samples import sample_of
from androscope.records.states import refresh
from androscope.records.tables import EventRow, ReportRow
from androscope.records.types import SampleStatus

__all__ = ["Reports"]

_QUERY = select(*ReportRow.__table__.c)


class Reports:
    """The area ``records.reports``."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        RecordMissingError
            If there is no such sample.
        RecordConflictError
            If the sample was changed after ``anchor``, an image waits to be graded or nothing was.
        ValueError
            If the document is no JSON object, or the name is blank.
        """
        if not name.strip():
            raise ValueError("a report is signed with a name")
        if not isinstance(json.loads(document), dict):
            raise ValueError("a report's document is a JSON object")
        with appending(self._database) as log:
            connection = log.connection
            sample = sample_of(connection, sample_id)
            built_on = connection.scalar(
                select(EventRow.sha256).where(EventRow.number == anchor.count)
            )
            changed = connection.scalar(
                select(func.max(EventRow.number)).where(
                    EventRow.sample_id == sample_id, EventRow.kind != EventKind.OBSERVE.value
                )
            )
            if built_on != anchor.head or (changed or 0) > anchor.count:
                raise RecordConflictError(
                    f"sample {sample.name!r} was changed after the report was built (entry "
                    f"{changed} of the log; the report is of entry {anchor.count})",
                    advice="Look at the report again as it is now, then sign",
                )
            nothing = sample.status == SampleStatus.EMPTY and not sample.failures
            if sample.open_jobs or nothing:
                why = (
                    f"{sample.open_jobs} images wait to be graded"
                    if sample.open_jobs
                    else "nothing was graded"
                )
                raise RecordConflictError(f"sample {sample.name!r} cannot be signed: {why}")
            values: dict[str, Any] = {
                "version": sample.signed_version + 1, "signed_by": actor, "signed_name": name,
                "comment": comment, "sha256": digest(document), "anchor_count": anchor.count,
                "anchor_head": anchor.head,
            }  # fmt: skip
            connection.execute(
                insert(ReportRow).values(sample_id=sample_id, at=now(), document=document, **values)
            )
            log.add(EventKind.SIGN, actor, sample_id=sample_id, data=values)
            refresh(connection, sample_id)
            row = connection.execute(
                _QUERY.where(
                    ReportRow.sample_id == sample_id, ReportRow.version == values["version"]
                )
            ).one()
            return _report(row)

    def get(self, sample_id: int, version: int | None = None) -> SignedReport:
        """Give a version; default: the last. Raises :class:`RecordMissingError`."""
        query = _QUERY.where(ReportRow.sample_id == sample_id)
        if version is not None:
            query = query.where(ReportRow.version == version)
        with self._database.read() as connection:
            row = connection.execute(
                query.order_by(ReportRow.version.desc()).limit(1)
            ).one_or_none()
        if row is None:
            which = "no signed report" if version is None else f"no version {version} of a report"
            raise RecordMissingError(f"there is {which} of sample {sample_id}")
        return _report(row)

    def list(self, sample_id: int) -> tuple[SignedReport, ...]:
        """List a sample's versions in order."""
        query = _QUERY.where(ReportRow.sample_id == sample_id).order_by(ReportRow.version)
        with self._database.read() as connection:
            return tuple(map(_report, connection.execute(query)))


def _report(row: AnyRow) -> SignedReport:
    return SignedReport(
        id=row.id,
        sample_id=row.sample_id,
        version=row.version,
        signed_by=row.signed_by,
        signed_name=row.signed_name,
        comment=row.comment,
        at=from_text(row.at),
        sha256=row.sha256,
        document=row.document,
        anchor=Anchor(row.anchor_count, row.anchor_head),
    )

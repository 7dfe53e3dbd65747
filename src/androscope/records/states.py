"""How far each sample has come, kept beside it so that lists are quick."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, update

from androscope.records.tables import (
    EventRow,
    FailureRow,
    GradingRow,
    ImageRow,
    JobRow,
    ReportRow,
    StandingRow,
    StateRow,
)
from androscope.records.types import EventKind, JobState, SampleStatus

__all__ = ["OPEN", "compute", "failures_that_stand", "refresh"]

#: States of jobs that are still to come to an end.
OPEN = (JobState.QUEUED.value, JobState.RUNNING.value)

# Of jobs that a sample's images wait for: a file that was received, a picture that is kept.
_KINDS = ("decode", "grade")

# What a signature covers: observers' opinions change no verdict.
_NOT_COVERED = (EventKind.OBSERVE.value, EventKind.SIGN.value)


def failures_that_stand() -> ColumnElement[bool]:
    """What could not be used, and was not graded after all at a later try."""
    graded = select(GradingRow.image_id).where(GradingRow.image_id == FailureRow.image_id).exists()
    return ~graded


def compute(connection: Connection, sample_id: int) -> dict[str, Any]:
    """Work out a sample's state from the other tables."""
    by_outcome = {
        outcome: func.count().filter(StandingRow.outcome == outcome)
        for outcome in ("normal", "abnormal", "undecided")
    }
    crops = connection.execute(
        select(
            func.count().filter(StandingRow.is_sperm).label("found"),
            func.count().filter(StandingRow.outcome != "excluded").label("assessed"),
            *(count.label(outcome) for outcome, count in by_outcome.items()),
            func.count().filter(StandingRow.reviewed).label("reviewed"),
        ).where(StandingRow.sample_id == sample_id)
    ).one()
    events = connection.execute(
        select(
            func.max(EventRow.number),
            func.max(EventRow.number).filter(EventRow.kind.not_in(_NOT_COVERED)),
            func.max(EventRow.number).filter(EventRow.kind == EventKind.SIGN.value),
        ).where(EventRow.sample_id == sample_id)
    ).one()
    last, changed, signed = (number or 0 for number in events)

    def count(table: Any, *where: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(table).where(table.sample_id == sample_id, *where)
        return connection.scalar(query) or 0

    values: dict[str, Any] = {
        **crops._mapping,
        "images": count(ImageRow),
        "failures": count(FailureRow, failures_that_stand()),
        "open_jobs": count(JobRow, JobRow.state.in_(OPEN), JobRow.kind.in_(_KINDS)),
        "signed_version": connection.scalar(
            select(func.max(ReportRow.version)).where(ReportRow.sample_id == sample_id)
        )
        or 0,
        "last_event": last,
    }
    if values["open_jobs"]:
        status = SampleStatus.GRADING
    elif signed:
        status = SampleStatus.CHANGED if changed > signed else SampleStatus.SIGNED
    elif values["reviewed"]:
        status = SampleStatus.IN_REVIEW
    else:
        status = SampleStatus.GRADED if count(GradingRow) else SampleStatus.EMPTY
    return {**values, "status": status.value}


def refresh(connection: Connection, sample_id: int) -> None:
    """Bring a sample's state up to date; inside the transaction that changed something of it."""
    # Locked first: what another transaction changed meanwhile is seen by the queries behind.
    connection.execute(
        select(StateRow.sample_id).where(StateRow.sample_id == sample_id).with_for_update()
    )
    connection.execute(
        update(StateRow)
        .where(StateRow.sample_id == sample_id)
        .values(compute(connection, sample_id))
    )

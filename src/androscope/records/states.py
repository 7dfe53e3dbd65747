"""How far each sample has come, kept beside it so that lists are quick."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    ScalarSelect,
    bindparam,
    func,
    select,
    update,
)

from androscope.records.entries import EventKind
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
from androscope.records.types import JobState, SampleStatus

__all__ = ["OPEN", "compute", "failures_that_stand", "refresh"]

#: States of jobs that are still to come to an end.
OPEN = tuple(state.value for state in JobState if state.is_open)

# Of jobs that a sample's images wait for: a file that was received, a picture that is kept.
_KINDS = ("decode", "grade")

# What a signature covers: observers' opinions change no verdict.
_NOT_COVERED = (EventKind.OBSERVE.value, EventKind.SIGN.value)


def failures_that_stand() -> ColumnElement[bool]:
    """What could not be used, and was not graded after all at a later try."""
    graded = select(GradingRow.image_id).where(GradingRow.image_id == FailureRow.image_id).exists()
    return ~graded


# Made once: these run with every review, and to make a query takes longer than to run it.
_SAMPLE = bindparam("sample", type_=Integer)


def _count(table: Any, *where: ColumnElement[bool]) -> ScalarSelect[int]:
    query = select(func.count()).select_from(table).where(table.sample_id == _SAMPLE, *where)
    return query.scalar_subquery()


_CROPS = select(
    func.count().filter(StandingRow.is_sperm).label("found"),
    func.count().filter(StandingRow.outcome != "excluded").label("assessed"),
    *(
        func.count().filter(StandingRow.outcome == outcome).label(outcome)
        for outcome in ("normal", "abnormal", "undecided")
    ),
    func.count().filter(StandingRow.reviewed).label("reviewed"),
).where(StandingRow.sample_id == _SAMPLE)

_EVENTS = select(
    func.coalesce(func.max(EventRow.number), 0),
    func.coalesce(func.max(EventRow.number).filter(EventRow.kind.not_in(_NOT_COVERED)), 0),
    func.coalesce(func.max(EventRow.number).filter(EventRow.kind == EventKind.SIGN.value), 0),
).where(EventRow.sample_id == _SAMPLE)

_OTHERS = select(
    _count(ImageRow).label("images"),
    _count(FailureRow, failures_that_stand()).label("failures"),
    _count(JobRow, JobRow.state.in_(OPEN), JobRow.kind.in_(_KINDS)).label("open_jobs"),
    _count(ReportRow).label("signed_version"),  # versions are counted from 1
    _count(GradingRow).label("gradings"),
)


def compute(connection: Connection, sample_id: int) -> dict[str, Any]:
    """Work out a sample's state from the other tables."""
    of = {"sample": sample_id}
    values: dict[str, Any] = dict(connection.execute(_CROPS, of).one()._mapping)
    last, changed, signed = connection.execute(_EVENTS, of).one()
    values |= connection.execute(_OTHERS, of).one()._mapping
    gradings = values.pop("gradings")
    values["last_event"] = last
    if values["open_jobs"]:
        status = SampleStatus.GRADING
    elif signed:
        status = SampleStatus.CHANGED if changed > signed else SampleStatus.SIGNED
    elif values["reviewed"]:
        status = SampleStatus.IN_REVIEW
    else:
        status = SampleStatus.GRADED if gradings else SampleStatus.EMPTY
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

"""Jobs: work that survives a restart, claimed by one worker at a time."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from androscope.errors import AndroscopeError, RecordConflictError, RecordMissingError
from androscope.records.chain import canonical, from_text, now, parsed
from androscope.records.database import AnyRow, Database
from androscope.records.entries import EventKind
from androscope.records.log import Appender, appending
from androscope.records.states import OPEN, refresh
from androscope.records.tables import FailureRow, ImageRow, JobRow
from androscope.records.types import Job, JobState

__all__ = ["Jobs", "finish", "queue"]

_TABLE = JobRow.__table__
#: A job that took its worker down so often is not begun again.
_MOST_ATTEMPTS = 5


class Jobs:
    """The area ``records.jobs``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        kind: str,
        *,
        sample_id: int | None = None,
        image_id: int | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> Job:
        """Queue a job; images added are queued by ``images.add`` already."""
        with self._database.write() as connection:
            job_id = queue(connection, kind, sample_id=sample_id, image_id=image_id, detail=detail)
            if sample_id is not None:
                refresh(connection, sample_id)
            return _job(connection, job_id)

    def add_all(self, kind: str, details: Iterable[Mapping[str, object]], *, sample_id: int) -> int:
        """Queue a job for each of ``details``, all or none of them; gives how many."""
        with self._database.write() as connection:
            queued = [
                queue(connection, kind, sample_id=sample_id, image_id=None, detail=detail)
                for detail in details
            ]
            refresh(connection, sample_id)
        return len(queued)

    def claim(self, worker: str, *, kind: str = "grade", lease_s: float = 60.0) -> Job | None:
        """Take the oldest queued job, or one whose worker has not been heard of for its lease.

        No two workers get the same job. A job that was begun five times without an end has failed.
        ``None`` if there is none to do.
        """
        while True:
            with self._database.write() as connection:
                row = connection.execute(
                    select(JobRow.id, JobRow.attempts)
                    .where(
                        JobRow.kind == kind,
                        or_(
                            JobRow.state == JobState.QUEUED.value,
                            and_(
                                JobRow.state == JobState.RUNNING.value, JobRow.lease_until < now()
                            ),
                        ),
                    )
                    .order_by(JobRow.id)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                ).one_or_none()
                if row is None:
                    return None
                if row.attempts < _MOST_ATTEMPTS:
                    _set(
                        connection, row.id, state=JobState.RUNNING.value, worker=worker,
                        attempts=row.attempts + 1, lease_until=_later(lease_s), progress=0.0,
                    )  # fmt: skip
                    return _job(connection, row.id)
            # In a transaction of its own: the log is locked before jobs are, here as elsewhere.
            self._give_up(row.id, row.attempts)

    def _give_up(self, job_id: int, attempts: int) -> None:
        with appending(self._database) as log:
            job = _job(log.connection, job_id)
            if job.attempts == attempts and job.state.is_open:
                reason = f"it was begun {attempts} times and broken off each time"
                advice = "See that the image is what it should be, and retry"
                _fail(log, job, AndroscopeError(reason, advice=advice))

    def beat(self, job: Job, *, progress: float = 0.0, lease_s: float = 60.0) -> bool:
        """Say that a job goes on; ``False`` if it was cancelled or given to another worker."""
        with self._database.write() as connection:
            return _set_mine(
                connection, job, progress=min(max(progress, 0.0), 1.0), lease_until=_later(lease_s)
            )

    def done(self, job: Job) -> None:
        """Say that it is done. ``crops.add(..., job=job)`` does so in its own transaction.

        Raises
        ------
        RecordConflictError
            If it was cancelled or given to another worker.
        """
        with self._database.write() as connection:
            finish(connection, job)
            if job.sample_id is not None:
                refresh(connection, job.sample_id)

    def fail(self, job: Job, error: AndroscopeError) -> None:
        """Say why it cannot be done; an image's failure is listed by ``images.failures``.

        Raises
        ------
        RecordConflictError
            If it was cancelled or given to another worker.
        """
        with appending(self._database) as log:
            if not _set_mine(log.connection, job):
                raise _not_mine(job)
            _fail(log, job, error)

    def cancel(self, sample_id: int) -> int:
        """Cancel a sample's jobs that are not done; gives how many."""
        with self._database.write() as connection:
            return _move(connection, sample_id, OPEN, JobState.CANCELLED)

    def retry(self, sample_id: int) -> int:
        """Queue a sample's failed and cancelled jobs again; gives how many."""
        with self._database.write() as connection:
            ended = (JobState.FAILED.value, JobState.CANCELLED.value)
            return _move(
                connection, sample_id, ended, JobState.QUEUED, attempts=0, progress=0.0, code=None,
                reason=None, advice=None,
            )  # fmt: skip

    def requeue(self) -> int:
        """Queue every running job again: for the one server of a store, when it starts."""
        with self._database.write() as connection:
            return connection.execute(
                update(JobRow)
                .where(JobRow.state == JobState.RUNNING.value)
                .values(state=JobState.QUEUED.value, worker=None, lease_until=None, updated=now())
            ).rowcount

    def get(self, job_id: int) -> Job:
        """Give a job. Raises :class:`RecordMissingError`."""
        with self._database.read() as connection:
            return _job(connection, job_id)

    def list(self, *, sample_id: int | None = None, kind: str | None = None) -> tuple[Job, ...]:
        """List jobs in the order they came."""
        query = select(*_TABLE.c).order_by(JobRow.id)
        if sample_id is not None:
            query = query.where(JobRow.sample_id == sample_id)
        if kind is not None:
            query = query.where(JobRow.kind == kind)
        with self._database.read() as connection:
            return tuple(map(_of, connection.execute(query)))

    def waiting(self, *, kind: str = "grade") -> int:
        """How many are queued or running: what back-pressure goes by."""
        query = select(func.count()).where(JobRow.kind == kind, JobRow.state.in_(OPEN))
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def counts(self, sample_id: int) -> Mapping[JobState, int]:
        """How many of a sample's jobs are in each state."""
        query = (
            select(JobRow.state, func.count())
            .where(JobRow.sample_id == sample_id)
            .group_by(JobRow.state)
        )
        with self._database.read() as connection:
            found = {JobState(state): count for state, count in connection.execute(query)}
        return {state: found.get(state, 0) for state in JobState}


def queue(
    connection: Connection,
    kind: str,
    *,
    sample_id: int | None,
    image_id: int | None,
    detail: Mapping[str, object] | None = None,
) -> int:
    """Queue a job inside a transaction; gives its id."""
    at = now()
    made = connection.execute(
        insert(JobRow).values(
            kind=kind, state=JobState.QUEUED.value, sample_id=sample_id, image_id=image_id,
            attempts=0, progress=0.0, created=at, updated=at, detail=canonical(dict(detail or {})),
        )
    ).inserted_primary_key  # fmt: skip
    assert made is not None
    return int(made[0])


def finish(connection: Connection, job: Job) -> None:
    """Say inside a transaction that a job is done. Raises :class:`RecordConflictError`."""
    if not _set_mine(connection, job, state=JobState.DONE.value, progress=1.0, lease_until=None):
        raise _not_mine(job)


def _fail(log: Appender, job: Job, error: AndroscopeError) -> None:
    said: dict[str, Any] = {"code": error.code, "reason": error.reason, "advice": error.advice}
    _set(log.connection, job.id, state=JobState.FAILED.value, lease_until=None, **said)
    if job.sample_id is None:
        return
    if job.image_id is None:
        refresh(log.connection, job.sample_id)
        return
    of = log.connection.execute(
        select(ImageRow.file_id, ImageRow.page).where(ImageRow.id == job.image_id)
    ).one()
    made = log.connection.execute(
        insert(FailureRow).values(
            sample_id=job.sample_id, image_id=job.image_id, file_id=of.file_id, page=of.page, **said
        )
    ).inserted_primary_key
    assert made is not None
    data = {"failure": made[0], "file": of.file_id, "image": job.image_id, "page": of.page, **said}
    log.add(EventKind.UNREADABLE, job.worker or "androscope", sample_id=job.sample_id, data=data)
    refresh(log.connection, job.sample_id)


def _move(
    connection: Connection,
    sample_id: int,
    states: builtins.tuple[str, ...],
    to: JobState,
    **values: Any,
) -> int:
    moved = connection.execute(
        update(JobRow)
        .where(JobRow.sample_id == sample_id, JobRow.state.in_(states))
        .values(state=to.value, worker=None, lease_until=None, updated=now(), **values)
    ).rowcount
    refresh(connection, sample_id)
    return moved


def _set(connection: Connection, job_id: int, **values: Any) -> None:
    connection.execute(update(JobRow).where(JobRow.id == job_id).values(updated=now(), **values))


def _set_mine(connection: Connection, job: Job, **values: Any) -> bool:
    """Change a job if it is still the one that this worker claimed; gives whether it is."""
    return bool(
        connection.execute(
            update(JobRow)
            .where(
                JobRow.id == job.id,
                JobRow.state == JobState.RUNNING.value,
                JobRow.worker == job.worker,
                JobRow.attempts == job.attempts,
            )
            .values(updated=now(), **values)
        ).rowcount
    )


def _not_mine(job: Job) -> RecordConflictError:
    return RecordConflictError(
        f"job {job.id} was cancelled or given to another worker", advice="Drop what it gave"
    )


def _later(seconds: float) -> str:
    then = datetime.now(UTC) + timedelta(seconds=seconds)
    return then.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _job(connection: Connection, job_id: int) -> Job:
    row = connection.execute(select(*_TABLE.c).where(JobRow.id == job_id)).one_or_none()
    if row is None:
        raise RecordMissingError(f"there is no job {job_id}")
    return _of(row)


def _of(row: AnyRow) -> Job:
    values = dict(row._mapping)
    del values["lease_until"]
    values["state"] = JobState(values["state"])
    values["detail"] = parsed(values["detail"])
    for name in ("created", "updated"):
        values[name] = from_text(values[name])
    return Job(**values)

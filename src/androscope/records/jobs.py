"""Jobs: work that survives a restart, claimed by one worker at a time."""

from __future__ import annotations

from collections.abc import Mapping

from androscope.errors import AndroscopeError
from androscope.records.types import Job, JobState

__all__ = ["Jobs"]


class Jobs:
    """The area ``records.jobs``."""

    def add(
        self,
        kind: str,
        *,
        sample_id: int | None = None,
        image_id: int | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> Job:
        """Queue a job; images added are queued by ``images.add`` already."""
        raise NotImplementedError

    def claim(self, worker: str, *, kind: str = "grade", lease_s: float = 60.0) -> Job | None:
        """Take the oldest queued job, or one whose worker has not been heard of for its lease.

        No two workers get the same job. ``None`` if there is none to do.
        """
        raise NotImplementedError

    def beat(self, job: Job, *, progress: float = 0.0, lease_s: float = 60.0) -> bool:
        """Say that a job goes on; ``False`` if it was cancelled or given to another worker."""
        raise NotImplementedError

    def done(self, job: Job) -> None:
        """Say that it is done. ``crops.add(..., job=job)`` does so in its own transaction."""
        raise NotImplementedError

    def fail(self, job: Job, error: AndroscopeError) -> None:
        """Say why it cannot be done; an image's failure is listed by ``images.failures``."""
        raise NotImplementedError

    def cancel(self, sample_id: int) -> int:
        """Cancel a sample's jobs that are not done; gives how many."""
        raise NotImplementedError

    def retry(self, sample_id: int) -> int:
        """Queue a sample's failed and cancelled jobs again; gives how many."""
        raise NotImplementedError

    def requeue(self) -> int:
        """Queue every running job again: for the one server of a store, when it starts."""
        raise NotImplementedError

    def get(self, job_id: int) -> Job:
        """Give a job. Raises :class:`RecordMissingError`."""
        raise NotImplementedError

    def list(self, *, sample_id: int | None = None, kind: str | None = None) -> tuple[Job, ...]:
        """List jobs in the order they came."""
        raise NotImplementedError

    def waiting(self, *, kind: str = "grade") -> int:
        """How many are queued or running: what back-pressure goes by."""
        raise NotImplementedError

    def counts(self, sample_id: int) -> Mapping[JobState, int]:
        """How many of a sample's jobs are in each state."""
        raise NotImplementedError

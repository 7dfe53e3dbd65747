"""A thread that claims the queued jobs of one kind, and does them one at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from androscope.records.store import Records
from androscope.records.types import Job

__all__ = ["JobThread"]

_LOG = logging.getLogger(__name__)

#: How long it waits for work it was not told of: a job whose lease ran out.
_LOOK_S = 5.0


class JobThread:
    """Claims jobs until it is stopped; a job that goes wrong in any way does not end it.

    Parameters
    ----------
    records
        Where jobs wait.
    kind
        Of the jobs that are claimed.
    lease_s
        Seconds after which another may claim a job that was not heard of.
    do
        Called in the thread with each job. What it raises is logged, and the job's lease runs out.
    """

    def __init__(
        self, records: Records, kind: str, lease_s: float, do: Callable[[Job], None]
    ) -> None:
        self._jobs, self._kind, self._lease_s, self._do = records.jobs, kind, lease_s, do
        self._stopping, self._woken = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=kind, daemon=True)

    @property
    def stopping(self) -> bool:
        """Whether no further job is to be begun."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin with the oldest job that waits."""
        self._thread.start()

    def wake(self) -> None:
        """Say that a job was added."""
        self._woken.set()

    def stop(self) -> None:
        """Begin no further job; does not wait for the one in hand."""
        self._stopping.set()
        self._woken.set()

    def join(self) -> None:
        """Wait a moment, after :meth:`stop`, until the job in hand was given up."""
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                job = self._jobs.claim(self._kind, kind=self._kind, lease_s=self._lease_s)
                if job is None:
                    self._woken.wait(_LOOK_S)
                    self._woken.clear()
                    continue
                self._do(job)
            except Exception:  # noqa: BLE001  it must go on, whatever one job met
                _LOG.exception("a job of kind %s could not be kept", self._kind)
                self._stopping.wait(1)

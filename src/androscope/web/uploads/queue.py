"""Received files become work that survives a restart, unless too much of it waits already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from androscope.records.store import Records
from androscope.records.types import JobState
from androscope.web.options import Limits
from androscope.web.uploads.names import replicate_of
from androscope.web.uploads.receive import ReceivedFile
from androscope.web.uploads.refused import BusyError

__all__ = ["DECODE", "check_room", "queue_files", "sweep"]

#: Kind of the jobs that turn a received file into pictures.
DECODE = "decode"


def check_room(records: Records, limits: Limits, coming: int = 1) -> None:
    """Refuse what would wait behind too much.

    Raises
    ------
    BusyError
        If more than ``limits.queue`` images would wait.
    """
    waiting = records.jobs.waiting(kind=DECODE) + records.jobs.waiting()
    if waiting + coming > limits.queue:
        raise BusyError(
            f"{waiting} images wait to be graded, and no more than {limits.queue} may wait",
            advice="Try again in half a minute",
        )


def queue_files(
    records: Records, sample_id: int, files: Sequence[ReceivedFile], *, replicate: str, actor: str
) -> None:
    """Queue each file to be decoded, all or none; from here on the files are the queue's."""
    details = [
        {
            "file": file.path.name,
            "name": file.name,
            "replicate": replicate_of(file.name, replicate),
            "actor": actor,
        }
        for file in files
    ]
    records.jobs.add_all(DECODE, details, sample_id=sample_id)


def sweep(records: Records, folder: Path) -> int:
    """Remove files that no job may ask for: of uploads that a crash broke off. Gives how many."""
    folder.mkdir(parents=True, exist_ok=True)
    open_jobs = {
        str(job.detail.get("file"))
        for job in records.jobs.list(kind=DECODE)
        if job.state in (JobState.QUEUED, JobState.RUNNING, JobState.CANCELLED)
    }
    removed = 0
    for path in folder.iterdir():
        if path.name not in open_jobs:
            path.unlink(missing_ok=True)
            removed += 1
    return removed

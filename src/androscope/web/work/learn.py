"""A bundle adapted to the lab's own corrections, in a process beside the server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from androscope.errors import AdaptError, AndroscopeError, RecordConflictError
from androscope.files import write_text
from androscope.records.store import Records
from androscope.records.types import Job
from androscope.web.offered import Offer
from androscope.web.work.job_thread import JobThread

__all__ = ["ADAPT", "Learner"]

#: Kind of the jobs that adapt a model.
ADAPT = "adapt"

_BEAT_S = 5.0
_LEASE_S = 60.0
_RUN = "from androscope.cli.main import main; main()"


class Learner:
    """Does the jobs of kind :data:`ADAPT`, one at a time; they survive a restart.

    Parameters
    ----------
    records
        Whose reviewed crops are learned from.
    offer
        Where the parent is found, and the new bundle goes.
    """

    def __init__(self, records: Records, offer: Offer) -> None:
        self._records, self._offer = records, offer
        self._thread = JobThread(records, ADAPT, _LEASE_S, self._do)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Go on where the last server of these records ended."""
        self._thread.start()

    def stop(self) -> None:
        """End what runs; it stays queued."""
        self._thread.stop()
        process = self._process
        if process is not None:
            process.kill()
        self._thread.join()

    def wake(self) -> None:
        """Say that a job was added."""
        self._thread.wake()

    def told(self, job: Job) -> str | None:
        """What the command said of a job that is done."""
        try:
            return self._said_file(job).read_text(encoding="utf-8")
        except OSError:
            return None

    def _said_file(self, job: Job) -> Path:
        return self._offer.folder / "adapted" / f"{job.id}.txt"

    def _do(self, job: Job) -> None:
        try:
            said = self._adapt(job)
        except RecordConflictError:
            return  # cancelled meanwhile
        except AndroscopeError as error:
            if not self._thread.stopping:
                self._records.jobs.fail(job, error)
            return
        self._said_file(job).parent.mkdir(parents=True, exist_ok=True)
        write_text(self._said_file(job), said)
        self._records.jobs.done(job)

    def _adapt(self, job: Job) -> str:
        detail = {name: str(value) for name, value in job.detail.items()}
        parent = self._offer.where(detail["parent"])
        with TemporaryDirectory(prefix="androscope-adapt-") as name:
            labels = Path(name) / "labels"
            self._records.export(labels)
            trunk = "--trunk" if detail.get("trunk") == "True" else "--no-trunk"
            command = [
                "adapt", str(parent), "--data", str(labels / "labels.csv"),
                "--out", str(self._offer.folder / detail["name"]), "--name", detail["name"],
                "--licence", "the lab's own", trunk,
            ]  # fmt: skip
            return self._wait(job, command, Path(name))

    def _wait(self, job: Job, command: list[str], folder: Path) -> str:
        out, err = folder / "out.txt", folder / "err.txt"
        with out.open("wb") as output, err.open("wb") as errors:
            self._process = subprocess.Popen(
                [*_NICE, sys.executable, "-P", "-c", _RUN, *command],
                stdin=subprocess.DEVNULL, stdout=output, stderr=errors, text=True,
                env=os.environ | {"NO_COLOR": "1", "COLUMNS": "100"},
            )  # fmt: skip
        code = None
        while code is None:
            try:
                code = self._process.wait(_BEAT_S)
            except subprocess.TimeoutExpired:
                if not self._records.jobs.beat(job, lease_s=_LEASE_S):
                    self._process.kill()
                    raise RecordConflictError("the job was cancelled") from None
        if code == 0:
            return out.read_text(encoding="utf-8", errors="replace")
        told = err.read_text(encoding="utf-8", errors="replace").strip()
        # Before the error stands what it was doing; the folder it read from was its own.
        said = told.rpartition("error: ")[2].replace(f"{folder}{os.sep}", "")
        raise AdaptError(said or f"it ended with {code}")


# Pages and grading come first.
_NICE = [] if sys.platform == "win32" else ["nice", "-n", "15"]

from __future__ import annotations

import logging
import threading
import time
from types import SimpleNamespace

import pytest

pytest.importorskip("sqlalchemy", reason="needs the web extra: SQLAlchemy is not installed")

from androscope.web.work.job_thread import JobThread


class Jobs:
    """Gives out what it was given, and remembers what was asked of it."""

    def __init__(self, *jobs: str) -> None:
        self.left = list(jobs)
        self.asked: set[tuple[str, str, float]] = set()

    def claim(self, worker: str, *, kind: str, lease_s: float) -> str | None:
        self.asked.add((worker, kind, lease_s))
        return self.left.pop(0) if self.left else None


def test_a_job_that_goes_wrong_is_logged_and_the_next_one_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    jobs, done, finished = Jobs("bad", "good"), [], threading.Event()

    def do(job: str) -> None:
        done.append(job)
        if job == "bad":
            raise RuntimeError("it went wrong")
        finished.set()

    thread = JobThread(SimpleNamespace(jobs=jobs), "grade", 90, do)  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        thread.start()
        assert finished.wait(10)
    thread.stop()
    thread.join()
    assert done == ["bad", "good"]
    assert jobs.asked == {("grade", "grade", 90)}
    assert "a job of kind grade could not be kept" in caplog.text
    assert "it went wrong" in caplog.text


def test_it_is_woken_and_stopped_without_a_wait() -> None:
    jobs, finished = Jobs(), threading.Event()
    thread = JobThread(
        SimpleNamespace(jobs=jobs),  # type: ignore[arg-type]
        "adapt",
        60,
        lambda job: finished.set(),
    )
    began = time.monotonic()
    thread.start()
    assert not thread.stopping
    jobs.left.append("late")
    thread.wake()
    assert finished.wait(4)
    thread.stop()
    thread.join()
    assert thread.stopping
    assert time.monotonic() - began < 4, "it looks for work every 5 s by itself"

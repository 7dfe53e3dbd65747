"""Received files as work that waits: all of them or none, and what a crash left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from androscope.web.options import Limits
from androscope.web.uploads.queue import DECODE, check_room, queue_files, sweep
from androscope.web.uploads.receive import ReceivedFile
from androscope.web.uploads.refused import BusyError


def received(folder: Path, *names: str) -> list[ReceivedFile]:
    folder.mkdir(exist_ok=True)
    files = []
    for number, name in enumerate(names):
        path = folder / f"kept-{number}"
        path.write_bytes(b"x")
        files.append(ReceivedFile(name, path, 1))
    return files


def test_files_wait_in_order(records, tmp_path: Path) -> None:
    sample = records.samples.create("S", actor="x")
    queue_files(
        records, sample.id, received(tmp_path / "in", "S/a/1", "S/b/2"), replicate="", actor="x"
    )
    jobs = records.jobs.list(sample_id=sample.id, kind=DECODE)
    assert [(job.detail["name"], job.detail["replicate"]) for job in jobs] == [
        ("S/a/1", "a"), ("S/b/2", "b"),
    ]  # fmt: skip
    assert records.samples.get(sample.id).open_jobs == 2


def test_what_a_crash_left_is_swept_and_what_waits_is_not(records, tmp_path: Path) -> None:
    sample = records.samples.create("S", actor="x")
    folder = tmp_path / "in"
    files = received(folder, "1", "2", "3")
    queue_files(records, sample.id, files[:2], replicate="", actor="x")
    records.jobs.cancel(sample.id)  # it may be tried again
    assert sweep(records, folder) == 1
    assert [file.path.exists() for file in files] == [True, True, False]


def test_room(records) -> None:
    check_room(records, Limits(queue=2), 2)
    with pytest.raises(BusyError, match="0 images wait to be graded, and no more than 2 may wait"):
        check_room(records, Limits(queue=2), 3)

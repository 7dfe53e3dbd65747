"""The same batch on a real Ray cluster, of which a process is killed while it grades."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs the cluster extra: ray is not installed")

from androscope.batch.cluster import _away, _home, _part, _table
from androscope.batch.parts import Item, Part
from androscope.batch.run import Batch, Step
from androscope.batch.work import Done, Tally
from androscope.errors import BatchError, SourceError

from .conftest import fill


def test_a_part_goes_to_a_node_and_its_rows_come_home() -> None:
    name = os.fsdecode(b"\xff.png")
    items = (Item(name, 3, where=name), Item("a.zip/b", 2, data=b"xy"), Item("c", 0, reason="CRC"))
    part = Part((2, 7), items, "folder")
    assert _part(_table([part])) == part
    for done in (Done((2, 7), "key", b"rows", Tally(3, {"image": 1})), Done((2, 7), "key")):
        assert list(_home(_away(done))) == [done]


def test_an_error_comes_home_as_it_was() -> None:
    error = SourceError("is gone", path="x", advice="Bring it back")
    heard = _part(_table([], error))
    assert (type(heard), str(heard)) == (SourceError, str(error))
    with pytest.raises(SourceError, match=r"^x: is gone\. Bring it back$"):
        list(_home(_away(error)))


def test_no_cluster_is_said(tmp_path: Path) -> None:
    fill(tmp_path / "crops", 6)
    batch = Batch([tmp_path / "crops"], tmp_path / "r.parquet", ray="nonsense://x", batch_size=8)
    with pytest.raises(BatchError, match=r"nonsense://x: no Ray cluster can be reached \("):
        batch.run()


def workers_of(actor: str) -> set[int]:
    """Processes of this machine that Ray has named after an actor."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                title = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if title.startswith("ray::") and actor in title:
                found.add(int(entry.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs Linux's /proc")
def test_a_killed_worker_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fill(Path("crops"), 160)
    Batch(["crops"], "whole.parquet", part_size=10, threads=1).run()
    before = workers_of("MapBatches")
    killed: list[int] = []
    steps: list[Step] = []

    def watch(step: Step) -> None:
        steps.append(step)
        # Found by what Ray calls its processes; those of others were there before.
        if step.rows and not killed:
            killed.append(min(workers_of("MapBatches") - before))
            os.kill(killed[0], signal.SIGKILL)

    outcome = Batch(["crops"], "r.parquet", part_size=10, batch_size=8, ray="local", workers=2).run(
        watch
    )
    assert killed
    assert len(steps) > 5  # the parts that came behind
    assert outcome.rows == 160
    assert Path("r.parquet").read_bytes() == Path("whole.parquet").read_bytes()

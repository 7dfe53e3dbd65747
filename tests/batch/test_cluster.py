"""The same batch on a real Ray cluster, of which a process is killed while it grades."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs the cluster extra: ray is not installed")

from androscope.batch.run import Batch, Step
from androscope.errors import BatchError

from .conftest import fill


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


@pytest.mark.slow
def test_the_default_model_on_as_many_workers_as_there_are_cpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no number is given, the workers hold every CPU; it hung for want of one more."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    fill(Path("crops"), 30)
    # The default model: its checks need a file beside its network, which has to travel too.
    batch = Batch(["crops"], "r.parquet", part_size=10, batch_size=8, ray="local", model="default")
    assert batch.run().rows == 30
    Batch(["crops"], "whole.parquet", part_size=10, model="default", threads=1).run()
    assert Path("r.parquet").read_bytes() == Path("whole.parquet").read_bytes()

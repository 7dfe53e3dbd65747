"""Processes that train together (DDP over gloo, on the CPU), beside one that trains alone."""

from __future__ import annotations

import csv
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.learning.ranks import rank
from androscope.learning.run import Run, train

from . import tiny

# Half a minute where nothing else runs; a busy machine takes many times as long.
pytestmark = [pytest.mark.train, pytest.mark.timeout(1800)]

#: From a loss of 0.69 to one near 0; stage 2 is the first process's alone, and short.
CHANGES = (
    "stage1.epochs=16", "stage1.ema=0.9", "branch.dropout=0", "init_seed=0",
    "stage2.default.epochs=1", "stage2.views=1",
)  # fmt: skip
TOGETHER = ("stage1.batch_size=8", "trainer.strategy=ddp")  # 8 and 8: a batch of 16, as alone


def losses(run: Path) -> list[float]:
    """Validation loss of each epoch of stage 1."""
    with (run / "stage1" / "history.csv").open(newline="") as stream:
        return [float(row["valid_loss"]) for row in csv.DictReader(stream)]


@contextmanager
def begun(out: Path, *changes: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """A training in a process of its own, which does not outlive the test."""
    process = subprocess.Popen(
        [sys.executable, tiny.__file__, str(out), *CHANGES, *TOGETHER, *changes],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environ,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # The processes that it started, too.
        process.wait()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """Validation losses of one process: a row per seed, a column per epoch."""
    found = []
    for seed in range(2):
        out = tmp_path_factory.mktemp("alone") / "run"
        train(tiny.config(*CHANGES, f"seed={seed}"), out, dataset=tiny.dataset(), quiet=True)
        found.append(losses(out))
    return np.array(found)


def check(out: Path, text: str, alone: np.ndarray) -> None:
    """As good as alone, but for what seeds differ by."""
    run = Run.load(out)
    assert run.record["finished"], text
    found = losses(out)
    assert len(found) == 16
    assert alone[:, 0].min() > 0.6
    assert alone[:, -1].max() < 0.1, "nothing was learned, so nothing is compared"
    # The noise: one of the 64 answers wrong, and surely so.
    assert abs(found[-1] - alone[:, -1].mean()) < -np.log(0.01) / 64, (found, alone)
    # One of the processes tells of each epoch.
    assert text.count("epoch  16/16") == 1
    assert text.count("finished: ") == 1


@pytest.mark.slow
def test_two_processes_on_one_machine(tmp_path: Path, alone: np.ndarray) -> None:
    with begun(tmp_path / "run", "trainer.devices=2") as process:
        text, _ = process.communicate()
        assert process.returncode == 0, text
    check(tmp_path / "run", text, alone)


@pytest.mark.slow
def test_two_machines_of_one_process_each(tmp_path: Path, alone: np.ndarray) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    meet = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    two = "trainer.num_nodes=2"
    # The second is there first: it must leave the folder to the other.
    with (
        begun(tmp_path / "run", two, NODE_RANK="1", **meet) as second,
        begun(tmp_path / "run", two, NODE_RANK="0", **meet) as first,
    ):
        texts = [process.communicate()[0] for process in (first, second)]
        assert [first.returncode, second.returncode] == [0, 0], texts
    check(tmp_path / "run", texts[0], alone)
    assert "epoch" not in texts[1]


@pytest.mark.parametrize(("machine", "expected"), [(None, 0), ("", 0), ("0", 0), ("3", 3)], ids=str)
def test_the_first_process_of_another_machine_is_not_the_first(
    monkeypatch: pytest.MonkeyPatch, machine: str | None, expected: int
) -> None:
    from lightning.fabric.utilities.rank_zero import rank_zero_only

    monkeypatch.setattr(rank_zero_only, "rank", None)
    monkeypatch.delenv("NODE_RANK", raising=False)
    if machine is not None:
        monkeypatch.setenv("NODE_RANK", machine)
    assert rank() == expected
    monkeypatch.setattr(rank_zero_only, "rank", 2)  # what torchrun and SLURM say goes first
    assert rank() == 2

"""Real processes: a search that is killed, and searches that share one database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")
pytest.importorskip("optuna", reason="needs the train extra: optuna is not installed")

from androscope.imaging.phantom_set import write_phantoms
from androscope.search.show import look_at

# Half a minute where nothing else runs; a busy machine takes many times as long.
pytestmark = [pytest.mark.train, pytest.mark.slow, pytest.mark.timeout(1800)]

CONFIG = """
name: tiny
method: dtl
labels: [head]
data: {dataset: "DATA"}
backbone: {name: test_efficientnet, weights: random, input_size: 32}
stage1: {epochs: 8, batch_size: 16}
trainer: {accelerator: cpu}
"""

SPACE = """
name: killed
config: tiny.yaml
space:
  stage1.optimizer.lr: {low: 1e-4, high: 0.1, log: true}
  stage1.optimizer.name: {choices: [adam, sgd]}
sampler: {startup_trials: 2}
pruning: {enabled: false}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path.resolve()
    write_phantoms(folder / "crops", 60, 1)
    data = folder / "crops" / "labels.csv"
    (folder / "tiny.yaml").write_text(CONFIG.replace("DATA", str(data)))
    (folder / "space.yaml").write_text(SPACE)
    return folder


def start(folder: Path, out: str, *options: str) -> subprocess.Popen[bytes]:
    code = "from androscope.cli.main import main; main()"
    words = ["search", "run", "space.yaml", "--out", out, "--threads", "1", *options]
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def workers(folder: Path) -> list[int]:
    """Processes that do trials below ``folder``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if "androscope.search.work" in words and str(folder) in "".join(words):
                found.append(int(entry.name))
    return found


def wait_for(what: Callable[[], object], seconds: float = 900) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.02)


def log(folder: Path, out: str) -> str:
    path = folder / out / "logs" / "0.log"
    return path.read_text() if path.is_file() else ""


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs Linux's /proc")
def test_killed_in_a_trial_it_goes_on_at_its_last_epoch(folder: Path) -> None:
    out = str(folder / "out")  # Absolute, so that its own workers can be told from others'.
    process = start(folder, out, "--trials", "3", "--keep", "all")
    # The second trial is somewhere in its epochs.
    wait_for(lambda: log(folder, "out").count("epoch   4/8") >= 2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not workers(folder), 60)
    before = look_at(folder / "out")
    assert [t.state for t in before.trials] == ["complete", "running"]

    assert start(folder, out, "--trials", "3", "--keep", "all").wait() == 0
    found = look_at(folder / "out")
    assert [t.state for t in found.trials] == ["complete", "died", "complete", "complete"]
    assert found.trials[2].retries == 1
    assert found.trials[2].epochs == 8
    record = json.loads((folder / "out" / "trials" / "0001" / "run.json").read_text())
    assert len(record["resumed"]) == 1
    assert (folder / "out" / "best.yaml").is_file()
    assert (folder / "out" / "importance.svg").is_file()

    # As one that was left alone: the same proposals, and of each the same value to the last bit.
    assert start(folder, "whole", "--trials", "3", "--keep", "none").wait() == 0
    whole = look_at(folder / "whole")
    assert [(t.changes, t.value) for t in whole.trials] == [
        (t.changes, t.value) for t in found.trials if t.state == "complete"
    ]
    assert list((folder / "whole" / "trials").iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs Linux's /proc")
def test_a_worker_that_is_killed_is_replaced(folder: Path) -> None:
    out = str(folder / "out")
    process = start(folder, out, "--trials", "2")
    wait_for(lambda: "epoch   3/8" in log(folder, "out"))
    (worker,) = workers(folder)
    os.kill(worker, signal.SIGKILL)
    assert process.wait() == 0
    found = look_at(folder / "out")
    assert [t.state for t in found.trials] == ["died", "complete", "complete"]


def test_two_searches_share_one_database(folder: Path) -> None:
    shared = f"sqlite:///{folder / 'shared.db'}"
    ran = [
        start(folder, out, "--trials", "4", "--storage", shared, "--keep", "all")
        for out in ("one", "two")
    ]
    assert [process.wait() for process in ran] == [0, 0]
    found = look_at(folder / "one", shared)
    # Each counts the other's, and one at a time begins.
    assert len(found.of_state("complete")) == 4
    assert len(found.trials) == len(found.of_state("complete"))
    kept = {out: {p.name for p in (folder / out / "trials").iterdir()} for out in ("one", "two")}
    assert not kept["one"] & kept["two"]
    assert {int(name) for name in kept["one"] | kept["two"]} == {t.number for t in found.trials}
    assert len({json.dumps(t.changes) for t in found.trials}) == len(found.trials)


def test_jobs_side_by_side_do_as_many_as_asked(folder: Path) -> None:
    options = ("--trials", "4", "--jobs", "2", "--set", "stage1.epochs=2")
    assert start(folder, "out", *options).wait() == 0
    found = look_at(folder / "out")
    assert [t.state for t in found.trials] == ["complete"] * 4
    done = []
    for number in (0, 1):
        text = (folder / "out" / "logs" / f"{number}.log").read_text()
        begun = [line for line in text.splitlines() if line.startswith("trial ")]
        done.append({line.split()[1].rstrip(":") for line in begun})
    assert all(done)
    assert not done[0] & done[1]

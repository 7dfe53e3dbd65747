from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.imaging.phantom_set import write_phantoms
from androscope.protocol.record import read_benchmark

pytestmark = pytest.mark.train

CONFIG = """
name: tiny
method: dtl
labels: [head]
backbone: {name: test_efficientnet, weights: random, input_size: 32}
stage1: {epochs: 30, batch_size: 16}
trainer: {accelerator: cpu}
"""

PROTOCOL = """
name: killed
dataset: crops/labels.csv
labels: [head]
seeds: [0, 1]
bootstrap: {resamples: 100}
recipes:
  dtl: {config: tiny.yaml}
"""


def start(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    code = "from androscope.cli.main import main; main()"
    command = [sys.executable, "-c", code, "benchmark", "run", "--protocol", "p.yaml", *options]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def running(folder: Path) -> list[int]:
    """Processes that do a job below ``folder``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if "androscope.protocol.work" in words and str(folder) in "".join(words):
                found.append(int(entry.name))
    return found


def wait_for(what: object, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs Linux's /proc")
def test_killed_in_the_middle_it_leaves_nobody_behind_and_goes_on(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    write_phantoms(folder / "crops", 40, 1)
    (folder / "tiny.yaml").write_text(CONFIG)
    # Absolute, so that its own workers can be told from others'.
    text = PROTOCOL.replace("crops/labels.csv", str(folder / "crops" / "labels.csv"))
    (folder / "p.yaml").write_text(text)
    runs = folder / "out" / "runs" / "dtl"
    logs = folder / "out" / "logs"
    arguments = ("--out", str(folder / "out"), "--threads", "1")

    process = start(folder, *arguments)
    first = runs / "seed-0" / "run.json"
    log = logs / "dtl-seed-1.log"
    # The first run is done, the second somewhere in its epochs.
    wait_for(lambda: log.is_file() and "epoch   3/30" in log.read_text())
    assert json.loads(first.read_text())["finished"]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not running(folder), 20)
    assert not json.loads((runs / "seed-1" / "run.json").read_text())["finished"]
    found = read_benchmark(folder / "out").recipes["dtl"]
    assert [run.name for run in found.runs] == ["dtl/seed-0"]
    stamp = (runs / "seed-0" / "network.pt").stat().st_mtime_ns

    # Other threads than it was begun with: it goes on with those.
    assert start(folder, "--out", str(folder / "out"), "--threads", "2").wait() == 0
    assert (runs / "seed-0" / "network.pt").stat().st_mtime_ns == stamp
    record = json.loads((runs / "seed-1" / "run.json").read_text())
    assert record["finished"]
    assert len(record["resumed"]) == 1
    assert record["threads"] == 1
    found = read_benchmark(folder / "out").recipes["dtl"]
    assert [run.test_readings for run in found.runs] == [1, 1]
    for seed in (0, 1):
        ledger = (runs / f"seed-{seed}" / "test_reads.jsonl").read_text()
        assert len(ledger.splitlines()) == 1

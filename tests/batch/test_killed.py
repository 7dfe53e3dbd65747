"""Killed with SIGKILL at random moments, over and over: the output is that of a run left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from androscope.batch.run import Batch
from androscope.batch.state import JOURNAL, folder_of

from .conftest import TINY, Rows, fill

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")

KILLS = 20

#: Forks a run from an interpreter that has everything imported, and kills it: so that a test can
#: kill twenty of them. Nothing of a run is shared: each makes its own session, threads and files.
KILLER = """
import json, os, random, signal, sys, time
from pathlib import Path
import androscope.batch.measure, androscope.batch.output, androscope.predict
import onnxruntime, pyarrow.parquet, filelock
from androscope.batch.run import Batch

def begin(out):
    child = os.fork()
    if child == 0:
        Batch(["crops"], out, part_size=8, batch_size=8, threads=2).run()
        os._exit(0)
    return child

def done_parts(out):
    journal = Path(out + ".parts/journal.jsonl")
    try:
        return max(0, journal.read_bytes().count(b"\\n") - 1)
    except FileNotFoundError:
        return 0

kills, draw = int(sys.argv[1]), random.Random(int(sys.argv[2]))
assert os.waitpid(begin("whole.parquet"), 0)[1] == 0
number, parts = 0, []
while len(parts) < kills:
    out = f"r{number}.parquet"
    # Some time after so many more parts: by the clock alone, a busy machine would have all kills
    # before the first part or behind the last.
    wanted = done_parts(out) + draw.randint(0, 4)
    later = draw.uniform(0.0, 0.1)
    child, since, done = begin(out), None, False
    while not done and (since is None or time.monotonic() - since < later):
        if since is None and done_parts(out) >= wanted:
            since = time.monotonic()
        time.sleep(0.001)
        done = os.waitpid(child, os.WNOHANG)[0] == child
    if done:  # before the moment came: the next works on another output
        number += 1
        continue
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    parts.append(done_parts(out))
print(json.dumps({"parts": parts, "outputs": number + 1}))
"""


@pytest.mark.slow
def test_twenty_kills_lose_no_row_and_repeat_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: Rows
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(Path("crops"), 300)
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(KILLS), "1"],
        capture_output=True, text=True, check=True,
        env=os.environ | {"ANDROSCOPE_MODEL": str(TINY), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert len(told["parts"]) == KILLS
    # It was killed at work, not only before it began, and at different points of it.
    assert len({parts for parts in told["parts"] if parts > 0}) > 3, told
    Batch(["crops"], f"r{told['outputs'] - 1}.parquet", part_size=8, threads=1).run()
    whole = Path("whole.parquet").read_bytes()
    for number in range(told["outputs"]):
        assert Path(f"r{number}.parquet").read_bytes() == whole
        assert not folder_of(Path(f"r{number}.parquet")).exists()
    names = [row["image"] for row in rows("whole.parquet")]
    assert names == [f"crops/img{number}.png" for number in range(300)]


def test_the_command_itself_killed_goes_on_and_leaves_no_process_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(Path("crops"), 100)
    # One file that takes long: the run is surely at it when it is killed.
    np.save("crops/img50.npy", np.zeros((60_000, 64, 64), np.uint8))
    code = "from androscope.cli.main import main; main()"
    command = [sys.executable, "-c", code, "batch", "crops", "--out", "r.parquet", "--quiet"]
    command += ["--part-size", "10", "--workers", "2"]
    process = subprocess.Popen(command, start_new_session=True)
    journal = folder_of(Path("r.parquet")) / JOURNAL
    until = time.monotonic() + 120
    while not journal.is_file() or journal.read_bytes().count(b"\n") < 3:
        assert time.monotonic() < until, "it took too long"
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (Path("crops") / "img50.npy").unlink()
    until = time.monotonic() + 20
    while _alive(process.pid):
        assert time.monotonic() < until, "its workers outlived it"
        time.sleep(0.05)
    outcome = Batch(["crops"], "r.parquet", part_size=10, threads=1).run()
    assert outcome.kept >= 10
    Batch(["crops"], "whole.parquet", part_size=10, threads=1).run()
    assert Path("r.parquet").read_bytes() == Path("whole.parquet").read_bytes()


def _alive(session: int) -> bool:
    """Whether a process of that session is left."""
    if not Path("/proc/self/stat").exists():
        return False
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                return True
    return False

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from androscope.processes import Processes, available_threads

MODULE = """
import os, sys, time
from androscope.processes import end_with_the_parent
end_with_the_parent()
print(open(sys.argv[1]).read(), os.environ["OMP_NUM_THREADS"], os.environ.get("SECRET"), flush=True)
if "sleep" in sys.argv[1]:
    time.sleep(600)
sys.exit(7)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "what_it_does.py").write_text(MODULE)
    (tmp_path / "job").write_text("job")
    (tmp_path / "sleep").write_text("sleep")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def wait_for(path: Path, text: str) -> None:
    until = time.monotonic() + 120
    while not (path.is_file() and text in path.read_text()):
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.02)


def test_a_job_its_log_and_its_exit_code(folder: Path) -> None:
    processes = Processes("what_it_does", 3, {"SECRET": "s"})
    log = folder / "logs" / "log"
    assert processes(folder / "job", log) == 7
    assert log.read_text() == "job 3 s\n"
    assert processes(folder / "job", log) == 7
    assert log.read_text() == "job 3 s\n" * 2, "appended"
    assert 1 <= available_threads() <= (os.cpu_count() or 1)


def test_all_are_stopped_and_no_more_are_started(folder: Path) -> None:
    processes = Processes("what_it_does", 1)
    codes: list[int] = []
    thread = threading.Thread(
        target=lambda: codes.append(processes(folder / "sleep", folder / "log"))
    )
    thread.start()
    wait_for(folder / "log", "sleep 1 None")
    processes.stop()
    thread.join(60)
    assert codes
    assert codes[0] != 0
    assert processes(folder / "job", folder / "log") == 130
    assert "job" not in (folder / "log").read_text()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux's /proc")
def test_none_outlives_the_one_that_started_it(folder: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from androscope.processes import Processes\n"
        f"folder = Path({str(folder)!r})\n"
        "Processes('what_it_does', 1)(folder / 'sleep', folder / 'log')\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    wait_for(folder / "log", "sleep")
    child = int(Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()[0])
    parent.kill()
    parent.wait()
    until = time.monotonic() + 60
    while Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes():
        assert time.monotonic() < until, "it outlived its parent"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("said", "most"),
    [
        pytest.param("max 100000", 64, id="no limit"),
        pytest.param("200000 100000", 2, id="two cores"),
        pytest.param("150000 100000", 2, id="one and a half"),
        pytest.param("10000 100000", 1, id="a tenth"),
        pytest.param("6400000 100000", 64, id="as many as there are"),
        pytest.param("9900000 100000", 64, id="more than there are"),
        pytest.param("", 64, id="nothing"),
        pytest.param(None, 64, id="no such file"),
    ],
)
def test_a_containers_share_of_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, most: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr("androscope.processes._SHARE", tmp_path / "cpu.max")
    if said is not None:
        (tmp_path / "cpu.max").write_text(said)
    assert available_threads() == most

"""Python modules run in processes of their own, none of which outlives the one that started it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

__all__ = ["Processes", "available_threads", "end_with_the_parent"]

#: What numpy's and torch's libraries ask how many threads they may start.
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


#: How much processor time a container has, and per how much time, in microseconds (cgroup v2).
_SHARE = Path("/sys/fs/cgroup/cpu.max")


def available_threads() -> int:
    """CPUs that this process may use: those it is not kept from, and no more than its share."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    try:
        quota, period = _SHARE.read_text(encoding="ascii").split()
        return max(1, min(count, -(-int(quota) // int(period))))
    except (OSError, ValueError):  # No container, or one with no limit, which says "max".
        return count


class Processes:
    """Starts each job in a process of its own that ends when this one does.

    Parameters
    ----------
    module
        Run as ``python -m MODULE JOB``; it calls :func:`end_with_the_parent`.
    threads
        CPU threads of each process.
    environ
        Further environment variables, for what must not stand in a file.
    """

    def __init__(self, module: str, threads: int, environ: Mapping[str, str] | None = None) -> None:
        self.module = module
        self.threads = threads
        self.environ = dict(environ or {})
        self._stopped = False
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()

    def __call__(self, job: Path, log: Path) -> int:
        """Do the job in the file, with what it prints appended to ``log``; gives its exit code."""
        environ = os.environ | dict.fromkeys(_THREADS, str(self.threads)) | self.environ
        command = [sys.executable, "-P", "-m", self.module, str(job)]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream:
            with self._lock:
                if self._stopped:
                    return 130
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    env=environ,
                )
                self._running.add(process)
            try:
                return process.wait()
            finally:
                with self._lock:
                    self._running.discard(process)

    def stop(self) -> None:
        """End every process, and start no more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()


def end_with_the_parent() -> None:
    """From now on, end this process when the one that started it as a job ends, however it does."""
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    # The parent holds the other end and never writes: it ends when the parent does. Read by its
    # number, since sys.stdin's lock must not be held when the interpreter shuts down.
    while os.read(0, 1):
        pass
    os._exit(130)

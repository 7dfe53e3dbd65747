"""The server's side of a working process: asked one thing at a time, ended if it takes too long."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

from pydantic import ValidationError

from androscope.errors import ImageDimensionsError, ImageUnreadableError
from androscope.web.work.wire import (
    Decoded,
    DecodeTask,
    Graded,
    GradeTask,
    Heat,
    HeatTask,
    Stopped,
    read_reply,
)

__all__ = ["MODULE", "Worker", "WorkerStoppedError"]

MODULE = "androscope.web.work.worker"

_PIECE = 1 << 20


class WorkerStoppedError(Exception):
    """The server is closing, and the task was given up; it is nobody's fault."""


class Worker:
    """A process, started when it is first asked and again after it was lost.

    Parameters
    ----------
    memory_bytes, seconds
        What one task may take.
    reply_bytes
        The longest reply that is taken.
    threads
        Of the model.
    command
        What is run instead of :data:`MODULE`; for tests of processes that crash and hang.
    """

    def __init__(
        self,
        *,
        memory_bytes: int,
        seconds: float,
        reply_bytes: int,
        threads: int = 0,
        command: Sequence[str] = ("-m", MODULE),
    ) -> None:
        self.seconds = seconds
        self.reply_bytes = reply_bytes
        self._command = [
            sys.executable, "-P", *command,
            "--bytes", str(memory_bytes), "--seconds", str(seconds), "--threads", str(threads),
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._lines: queue.Queue[bytes | None] = queue.Queue()

    def ask(self, task: DecodeTask | GradeTask | HeatTask) -> Decoded | Graded | Heat | Stopped:
        """Do a task.

        Raises
        ------
        ImageUnreadableError
            If the process ended, or took longer than it may: the picture in hand is to blame.
        ImageDimensionsError
            If its reply is too long.
        WorkerStoppedError
            If :meth:`stop` was called meanwhile.
        """
        with self._lock:
            process = self._running()
            assert process.stdin is not None
            try:
                process.stdin.write(task.model_dump_json().encode() + b"\n")
                process.stdin.flush()
            except BrokenPipeError:
                raise self._lost(process) from None
            return self._reply(process)

    def stop(self) -> None:
        """End the process at once; nothing is started again."""
        self._stopping.set()
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._stopping.is_set():
            raise WorkerStoppedError
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
            self._lines = queue.Queue()
            threading.Thread(
                target=_read, args=(self._process, self._lines, self.reply_bytes), daemon=True
            ).start()
        return self._process

    def _reply(self, process: subprocess.Popen[bytes]) -> Decoded | Graded | Heat | Stopped:
        try:
            line = self._lines.get(timeout=self.seconds)
        except queue.Empty:
            self._end(process)
            raise ImageUnreadableError(
                f"it took longer than {self.seconds:g} s and was given up",
                advice="Export it again, or cut it into smaller pictures",
            ) from None
        if line is None:
            raise self._lost(process)
        if len(line) > self.reply_bytes:
            self._end(process)
            raise ImageDimensionsError(
                f"decoded, it is more than {self.reply_bytes / 1e6:g} MB",
                advice="Cut it into smaller files",
            )
        try:
            return read_reply(line)
        except ValidationError as error:
            self._end(process)
            raise ImageUnreadableError(
                "what decoding it gave makes no sense", advice="Export it again"
            ) from error

    def _lost(self, process: subprocess.Popen[bytes]) -> Exception:
        self._end(process)
        if self._stopping.is_set():
            return WorkerStoppedError()
        code = process.returncode
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return ImageUnreadableError(
            f"the process that read it ended ({how})", advice="Export or copy it again"
        )

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        self._process = None


def _read(process: subprocess.Popen[bytes], lines: queue.Queue[bytes | None], most: int) -> None:
    """Hand over each line of what a process prints, and ``None`` at its end; reads no longer."""
    assert process.stdout is not None
    with process.stdout as stream:
        line = bytearray()
        while piece := os.read(stream.fileno(), _PIECE):
            line += piece
            if line.endswith(b"\n") or len(line) > most:
                lines.put(bytes(line))
                line.clear()
        lines.put(None)

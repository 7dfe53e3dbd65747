"""A working process: ``python -m androscope.web.work.worker``; tasks in, replies out, one by one.

It has a limit of memory and a clock: whatever an image does to its decoder, it ends here, and the
server starts another one.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from androscope.errors import AndroscopeError
from androscope.web.work.wire import (
    Decoded,
    DecodeTask,
    Graded,
    Heat,
    HeatTask,
    Stopped,
    WirePicture,
    read_task,
)

__all__ = ["main", "serve"]

#: A worker that its server forgot ends itself so much later than the server would have ended it.
_GRACE_S = 10.0


def main() -> None:
    """Limit this process, then do tasks until the server closes the pipe."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bytes", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--threads", type=int, default=0)
    given = parser.parse_args()
    # What libraries print must not stand among the replies.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit(given.bytes)
    serve(sys.stdin.buffer, replies, seconds=given.seconds, threads=given.threads)


def _limit(memory_bytes: int) -> None:
    if sys.platform == "win32":
        return  # It has no such limits; the server's clock is kept there too.
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Pages come first: they are what somebody waits for.
    os.nice(10)


def serve(tasks: BinaryIO, replies: BinaryIO, *, seconds: float, threads: int = 0) -> None:
    """Answer each line of ``tasks`` with a line in ``replies``."""
    for line in tasks:
        # The signal's default action ends the process even inside a decoder's own loop.
        _clock(seconds + _GRACE_S)
        reply = _answer(line, threads)
        _clock(0)
        replies.write(reply.model_dump_json().encode() + b"\n")
        replies.flush()


def _clock(seconds: float) -> None:
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _answer(line: bytes, threads: int) -> Decoded | Graded | Heat | Stopped:
    try:
        task = read_task(line)
        if isinstance(task, DecodeTask):
            return _decode(task)
        if isinstance(task, HeatTask):
            from androscope.web.work.look import look

            return look(task, threads=threads)
        from androscope.web.work.grade import grade

        return grade(task, threads=threads)
    except AndroscopeError as error:
        return Stopped(code=error.code, reason=error.reason, advice=error.advice)
    except MemoryError:
        return Stopped(
            code="image-dimensions",
            reason="too large for the memory that a worker may use",
            advice="Cut it into smaller pictures",
        )


def _decode(task: DecodeTask) -> Decoded:
    from androscope.records.clean import CleanPicture, clean_file

    file = clean_file(Path(task.path).read_bytes(), task.name)
    return Decoded(
        sha256=file.sha256,
        pictures=tuple(
            WirePicture.of(item) if isinstance(item, CleanPicture) else item
            for item in file.pictures
        ),
    )


if __name__ == "__main__":
    main()

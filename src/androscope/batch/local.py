"""Parts graded on this machine: by threads that share a session, or by processes with their own."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for

from androscope.batch.key import Options
from androscope.batch.parts import Part
from androscope.batch.work import Done, Worker, grader_of
from androscope.errors import BatchError

__all__ = ["by_processes", "by_threads"]


def by_threads(parts: Iterable[Part], worker: Worker, threads: int) -> Iterator[Done]:
    """Grade parts in so many threads, each in the order they are done.

    While one thread decodes, another is in its forward pass: those do not wait for each other. No
    more parts are read ahead than there are threads.
    """
    stop = threading.Event()
    worker.stopped = stop.is_set
    with ThreadPoolExecutor(threads, thread_name_prefix="grade") as pool:
        try:
            yield from _in_flight(parts, pool, worker, threads)
        finally:
            stop.set()


def by_processes(
    parts: Iterable[Part],
    processes: int,
    *,
    model: str,
    options: Options,
    run: str,
    batch_size: int,
    known: frozenset[str],
) -> Iterator[Done]:
    """Grade parts in so many processes of one thread each, in the order they are done.

    Raises
    ------
    BatchError
        If a process dies, as one does that is out of memory.
    """
    # Forked, a process would have the parent's locks and onnxruntime's threads without the threads.
    context = multiprocessing.get_context("spawn")
    arguments = (model, options, run, batch_size, known)
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=_begin, initargs=arguments
    ) as pool:
        try:
            yield from _in_flight(parts, pool, _grade, processes)
        except BrokenProcessPool as error:
            raise BatchError(
                "a worker process died",
                advice="If memory is short, use fewer --workers; then run the same command: what "
                "was graded is kept",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _in_flight(
    parts: Iterable[Part], pool: Executor, grade: Callable[[Part], Done], workers: int
) -> Iterator[Done]:
    pending: set[Future[Done]] = set()
    try:
        for part in parts:
            pending.add(pool.submit(grade, part))
            # One more than there are workers, so that none waits for the source.
            while len(pending) > workers:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        for future in pending:
            future.cancel()


_worker: Worker | None = None


def _begin(model: str, options: Options, run: str, batch_size: int, known: frozenset[str]) -> None:
    """In a new process: make its worker, and see that the process ends with its parent."""
    global _worker
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    _worker = Worker(grader_of(model, options), options, run, batch_size, known)


def _end_with(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(130)


def _grade(part: Part) -> Done:
    assert _worker is not None
    return _worker(part)

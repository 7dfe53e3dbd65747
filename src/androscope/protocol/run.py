"""The whole protocol carried out: tasks side by side in processes of their own, in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from androscope.errors import OutputError, TrainingError
from androscope.files import write_text
from androscope.processes import Processes, available_threads
from androscope.protocol.plan import Task, folder_of
from androscope.protocol.schema import BootstrapConfig
from androscope.protocol.state import state_of
from androscope.protocol.work import Job

__all__ = ["Launcher", "Outcome", "carry_out", "job_of", "log_of"]

#: Does a job, writing what it says to the file; gives its exit code, 0 for done.
Launcher = Callable[[Path, Path], int]


@dataclass
class Outcome:
    """What came of the tasks: names of those done, and why others are not."""

    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)


def log_of(out: Path, task: Task) -> Path:
    """Where a task's process writes what it says."""
    return out / "logs" / (task.name.replace("/", "-") + ".log")


def job_of(
    task: Task, out: Path, splits: Sequence[str], bootstrap: BootstrapConfig, threads: int
) -> Job:
    """What a task's process is told."""
    values = task.config.model_dump(mode="json")
    values["trainer"]["threads"] = threads
    return Job(
        kind=task.kind,
        name=task.name,
        folder=folder_of(out, task.name),
        config=values,
        members=tuple(folder_of(out, name) for name in task.needs),
        views=task.views,
        folds=task.folds,
        pooled=task.splits,
        splits=tuple(splits),
        resamples=bootstrap.resamples,
        bootstrap_seed=bootstrap.seed,
    )


def carry_out(
    tasks: Sequence[Task],
    out: Path,
    *,
    splits: tuple[str, ...],
    bootstrap: BootstrapConfig,
    jobs: int = 1,
    threads: int | None = None,
    seeds: Sequence[int] | None = None,
    launch: Launcher | None = None,
    finished: Callable[[Task], None] = lambda _: None,
    report: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Do what is left of ``tasks``, up to ``jobs`` at a time.

    A task that fails does not stop the others, only those that need it. What is done before stays
    as it is; what was begun goes on.

    Parameters
    ----------
    tasks
        Each below those it needs.
    out
        The benchmark's folder.
    splits
        Read with each model: ``("valid",)`` or ``("valid", "test")``. Without test, tasks that
        cannot be done without it are left.
    bootstrap
        Of the intervals.
    jobs, threads
        Processes at a time, and CPU threads for all of them together; all there are by default.
    seeds
        Train runs of these seeds alone.
    launch
        Does a job; by default in a process of its own.
    finished
        Called after each task that is done now.
    report
        Called with a line for each task.

    Raises
    ------
    TrainingError
        If a folder holds a finished run of another configuration (before anything is begun), or
        another process carries out a benchmark here.
    """
    from filelock import FileLock, Timeout

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot be made: {error.strerror or error}", path=out) from error
    each = max(1, (threads or available_threads()) // jobs)
    processes = Processes("androscope.protocol.work", each)
    lock = FileLock(out / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise TrainingError(
            "another `androscope benchmark run` is at work here",
            path=out,
            advice="Wait for it, or choose another folder with --out",
        ) from error
    try:
        states = {task.name: state_of(task, out, splits) for task in tasks}
        outcome = Outcome()
        left: list[Task] = []
        for task in tasks:
            if states[task.name] == "done":
                outcome.done.append(task.name)
            elif seeds is not None and task.kind == "run" and task.seed not in seeds:
                outcome.waiting[task.name] = "its seed was not asked for"
            elif task.reads_test and "test" not in splits:
                outcome.waiting[task.name] = "its folds hold test crops"
            else:
                left.append(task)

        def start(task: Task) -> int:
            job = job_of(task, out, splits, bootstrap, each)
            path = out / "jobs" / (task.name.replace("/", "-") + ".json")
            write_text(path, job.model_dump_json(indent=1) + "\n")
            return (launch or processes)(path, log_of(out, task))

        with ThreadPoolExecutor(jobs) as pool:
            try:
                _schedule(left, outcome, pool, jobs, start, out, finished, report)
            except BaseException:
                processes.stop()
                raise
        return outcome
    finally:
        lock.release()


def _schedule(
    left: list[Task],
    outcome: Outcome,
    pool: ThreadPoolExecutor,
    jobs: int,
    start: Callable[[Task], int],
    out: Path,
    finished: Callable[[Task], None],
    report: Callable[[str], None],
) -> None:
    running: dict[Future[int], Task] = {}
    total = len(left)
    while left or running:
        ready = [task for task in left if all(name in outcome.done for name in task.needs)]
        for task in ready[: jobs - len(running)]:
            left.remove(task)
            report(f"{task.name}: started ({total - len(left)} of {total})")
            running[pool.submit(start, task)] = task
        if not running:
            for task in left:
                missing = [name for name in task.needs if name not in outcome.done]
                outcome.waiting[task.name] = f"waits for {', '.join(missing)}"
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            task = running.pop(future)
            code = future.result()
            if code == 0:
                outcome.done.append(task.name)
                report(f"{task.name}: done")
                finished(task)
            else:
                outcome.failed[task.name] = _last_line(log_of(out, task), code)
                report(f"{task.name}: failed, see {log_of(out, task)}")


def _last_line(log: Path, code: int) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        lines = []
    said = next((line.strip() for line in reversed(lines) if line.strip()), "")
    # An error says what is wrong; whoever was killed says nothing, and its last line tells how far
    # it came.
    return said if said and code == 2 else f"exit code {code}, after: {said}"

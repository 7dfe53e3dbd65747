"""A search carried out: checked, begun or joined, its trials in processes, its result written."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

from androscope import datasets
from androscope.datasets import Dataset
from androscope.errors import ConfigError, OutputError, TrainingError
from androscope.files import write_text
from androscope.learning.config import Config
from androscope.learning.splits import learnable
from androscope.processes import Processes, available_threads
from androscope.search.facts import Facts
from androscope.search.file import LoadedSpace
from androscope.search.loop import Keep
from androscope.search.plot import plot_search
from androscope.search.record import RECORD, SearchRecord, TrialRecord, describe, write_result
from androscope.search.study import DATABASE, HEARTBEAT, gate, join, url_of
from androscope.search.turns import Turn
from androscope.search.work import STORAGE, Job

if TYPE_CHECKING:
    from optuna import Study

__all__ = ["PLOT", "facts_of", "place_of", "search"]

Report = Callable[[str], None]

#: The picture in the search's folder.
PLOT = "importance.svg"

#: A process that dies so often in a row without a trial done is not started again.
_DEATHS = 3

_PAUSE = 1.0


def facts_of(loaded: LoadedSpace, dataset: Dataset, seed: int, threads: int) -> Facts:
    """What the search is about, on this data.

    Parameters
    ----------
    threads
        Of each trial, unless the configuration says: they shape rounding, and are kept.

    Raises
    ------
    ConfigError
        If a trial would train on several devices: they are started by other means.
    TrainingError
        If the data lacks a split or a class, or the objective is undefined on it.
    """
    base = loaded.base
    trainer = base.trainer
    if trainer.devices != 1 or trainer.num_nodes != 1:
        raise ConfigError(
            f"a trial trains on one device, got trainer.devices {trainer.devices} and "
            f"trainer.num_nodes {trainer.num_nodes}",
            advice="Leave them 1, and do several trials at a time with --jobs",
        )
    if not trainer.threads:
        base = base.model_copy(update={"trainer": trainer.model_copy(update={"threads": threads})})
    splits = {name: learnable(dataset, name, base) for name in ("train", "valid")}
    both = [c.normal and c.abnormal for c in splits["valid"].counts().values()]
    if loaded.space.objective == "roc_auc" and not any(both):
        raise TrainingError(
            f"{dataset.name}: no label has normal and abnormal crops in valid, which ROC AUC needs",
            advice="Set objective: loss in the space, or label more crops",
        )
    hashes = {name: split.sha256 for name, split in splits.items()}
    return Facts(loaded.space, base, seed, hashes)


def place_of(out: Path) -> str:
    """What trials of this folder are marked with."""
    import platform

    return hashlib.sha256(f"{platform.node()}\n{out.resolve()}".encode()).hexdigest()[:16]


def search(
    loaded: LoadedSpace,
    out: Path,
    *,
    trials: int,
    jobs: int = 1,
    threads: int | None = None,
    timeout: float | None = None,
    storage: str | None = None,
    name: str | None = None,
    seed: int = 0,
    keep: Keep = "best",
    heartbeat: int = HEARTBEAT,
    report: Report = lambda _: None,
) -> SearchRecord:
    """Search until there are ``trials`` trials, or go on with what was begun in ``out``.

    Parameters
    ----------
    loaded
        The space.
    out
        The search's folder.
    trials
        Of the whole search, those of earlier days and other machines included.
    jobs, threads
        Trials at a time, and CPU threads of all together; all there are by default.
    timeout
        Seconds after which no trial is begun.
    storage
        A database that several machines share, as SQLAlchemy names it; a file in ``out`` by
        default.
    name
        Of the search in the database; the space's by default.
    seed
        Of the proposals. What trials draw while training is the configuration's ``seed``.
    keep
        Which trials' folders stay: that of the best, all or none.
    heartbeat
        Seconds between a trial's signs of life in the database; when four are missing, another
        machine tries it again.
    report
        Called with a line for each trial.

    Raises
    ------
    AndroscopeError
        If the search in ``out`` or in the database is about something else, the database or the
        data cannot be read, or processes die again and again.
    """
    started = time.time()
    _claim(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot be made: {error.strerror or error}", path=out) from error
    each = max(1, (threads or available_threads()) // jobs)
    base = loaded.base
    dataset = datasets.load(base.data.dataset, crop_size=base.data.crop_size, labels=base.labels)
    facts = facts_of(loaded, dataset, seed, each)
    url, name = url_of(out, storage), name or loaded.space.name
    with Turn(out, url, name):
        study, _ = join(url, name, facts, heartbeat)
        # At once: by this file the folder is known as a search's where the database is elsewhere.
        write_result(study, out, url)
    job = Job(
        name=name,
        out=out,
        place=place_of(out),
        dataset=_dataset(base),
        trials=trials,
        until=None if timeout is None else started + timeout,
        keep=keep,
        heartbeat=heartbeat,
    )
    processes = Processes("androscope.search.work", each, {STORAGE: url})
    told = _Told(report, trials)
    told.skip(study, url)
    with ThreadPoolExecutor(jobs) as pool:
        try:
            running = {pool.submit(_keep_going, processes, job, i, study) for i in range(jobs)}
            while running:
                done, running = wait(running, timeout=_PAUSE)
                if told.tell(study, url):
                    with gate(out):
                        write_result(study, out, url)
                for future in done:
                    future.result()
        except BaseException:
            processes.stop()
            raise
        finally:
            with gate(out):
                found = write_result(study, out, url)
    if found.best is not None:
        plot_search(out / PLOT, found)
    return found


def _claim(out: Path) -> None:
    """Make sure that ``out`` is free or a search's, by the rule of a run's folder."""
    if out.is_file():
        raise TrainingError("is a file; a search needs a folder", path=out, advice="Choose another")
    # Hidden files are not looked at: locks, and what a kill left.
    there = [p.name for p in out.iterdir() if p.name[0] != "."] if out.is_dir() else []
    if there and not any(name == RECORD or name.startswith(DATABASE) for name in there):
        raise TrainingError(
            "holds files that are no search's", path=out, advice="Choose an empty or a new folder"
        )


def _dataset(config: Config) -> str:
    given = Path(config.data.dataset)
    return str(given.resolve()) if given.exists() else config.data.dataset


def _keep_going(processes: Processes, job: Job, number: int, study: Study) -> None:
    """One process after another until there is nothing left to do."""
    path = job.out / "jobs" / f"{number}.json"
    log = job.out / "logs" / f"{number}.log"
    write_text(path, job.model_dump_json(indent=1) + "\n")
    deaths = 0
    while deaths < _DEATHS:
        before = _finished(study)
        code = processes(path, log)
        if code in (0, 130):  # Done, or told to stop.
            return
        if code == 2:
            raise TrainingError(_last_line(log).removeprefix("error: "))
        deaths = 0 if _finished(study) > before else deaths + 1
    raise TrainingError(
        f"the process that does the trials died {_DEATHS} times in a row with exit code {code}, "
        f"after: {_last_line(log)}",
        path=log,
        advice="Look into this log; fewer --jobs take less memory",
    )


def _finished(study: Study) -> int:
    return sum(t.state.name in ("COMPLETE", "PRUNED") for t in study.get_trials(deepcopy=False))


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


class _Told:
    """Tells of each trial once, when it is done."""

    def __init__(self, report: Report, wanted: int) -> None:
        self.report = report
        self.wanted = wanted
        self._known: set[int] = set()

    def skip(self, study: Study, url: str) -> None:
        """Trials of earlier days are counted, not told."""
        done = [t for t in describe(study, url).trials if t.state in _DONE]
        self._known = {trial.number for trial in done}
        if done:
            self.report(f"{len(done)} trials are on record")

    def tell(self, study: Study, url: str) -> bool:
        """Tell of those that are done since; whether there is any."""
        states = {t.number: t.state for t in study.get_trials(deepcopy=False)}
        if all(n in self._known or not s.is_finished() for n, s in states.items()):
            return False
        found = describe(study, url)
        counted = len([t for t in found.trials if t.state in _DONE and t.state != "died"])
        for trial in found.trials:
            if trial.state in _DONE and trial.number not in self._known:
                self._known.add(trial.number)
                self.report(f"{_line(trial, found)}  ({counted} of {self.wanted})")
        return True


_DONE = ("complete", "pruned", "failed", "died")


def _line(trial: TrialRecord, found: SearchRecord) -> str:
    if trial.state == "complete" and trial.value is not None:
        best = "  best so far" if trial.number == found.best else ""
        what = f"{found.objective} {trial.value:.4f}, {trial.seconds or 0:.0f} s{best}"
    elif trial.state == "pruned":
        what = f"given up after epoch {trial.epochs}"
    elif trial.state == "died":
        what = "its process died, it is tried again"
    else:
        what = f"failed: {(trial.error or '').splitlines()[0]}"
    return f"trial {trial.number}: {what}"

"""One task done: trained if it is not yet, and read, test exactly once.

    python -m androscope.protocol.work JOB.json

is how `androscope benchmark run` does each in a process of its own, which ends when the one that
started it does: a benchmark that is killed leaves nobody behind who writes into a run's folder.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from androscope.errors import AndroscopeError
from androscope.learning.config import Config
from androscope.processes import end_with_the_parent
from androscope.protocol.read import evaluate_once
from androscope.protocol.state import is_finished, same_threads

__all__ = ["Job", "ensemble_sha256", "main", "work"]

Report = Callable[[str], None]


class Job(BaseModel):
    """What a process is told to do; see :class:`androscope.protocol.plan.Task`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["run", "ensemble", "crossval"]
    name: str
    folder: Path
    config: dict[str, Any]
    members: tuple[Path, ...] = ()
    views: int = 1
    folds: int = 0
    pooled: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    resamples: int = 2000
    bootstrap_seed: int = 0


def work(job: Job, report: Report = lambda _: None) -> None:
    """Do a task, or what is left of it.

    Raises
    ------
    AndroscopeError
        As training, evaluation and cross-validation do; :class:`TrainingError` if test has been
        read before and what came of it is not here.
    """
    from androscope import datasets

    config = same_threads(Config.model_validate(job.config), job.folder, job.kind)
    if job.kind == "crossval":
        from androscope.learning.crossval import crossval

        dataset = datasets.load(
            config.data.dataset, crop_size=config.data.crop_size, labels=config.labels
        )
        crossval(
            config,
            dataset,
            job.folder,
            job.folds,
            splits=job.pooled,
            resamples=job.resamples,
            report=report,
        )
        return
    if job.kind == "run":
        if not is_finished(job.folder):
            from androscope.learning.training import train

            train(config, job.folder, report=report)
        from androscope.learning.subject import open_subject

        subject = open_subject(job.folder)
        dataset = datasets.load(config.data.dataset, crop_size=config.data.crop_size)
    else:
        dataset = datasets.load(config.data.dataset, crop_size=config.data.crop_size)
        subject = _ensemble(job, config, dataset)
    for split in job.splits:
        found = evaluate_once(
            subject,
            dataset,
            split,
            job.folder,
            seed=job.bootstrap_seed,
            resamples=job.resamples,
        )
        report(f"{split}: {found}")


def ensemble_sha256(members: Sequence[str], views: int) -> str:
    """Hash that stands for an ensemble's weights: of its networks' hashes and of the views."""
    return hashlib.sha256("\n".join([*sorted(members), f"{views} views"]).encode()).hexdigest()


def _ensemble(job: Job, config: Config, dataset: Any) -> Any:
    from androscope.learning.run import Run
    from androscope.learning.subject import TEST_READS, Subject
    from androscope.learning.teacher import opinion
    from androscope.learning.thresholds import find_thresholds

    runs = [Run.load(folder) for folder in job.members]
    labels = tuple(
        label for label in dataset.label_names if any(label in run.labels for run in runs)
    )
    valid = dataset.splits["valid"].with_labels(labels)
    # By the members' own rule, for the mean: a threshold found for one of them is not for it.
    thresholds = find_thresholds(
        labels, valid.labels, opinion(runs, labels, valid.crops, job.views), config.threshold
    )
    return Subject(
        name=job.name,
        kind="ensemble",
        sha256=ensemble_sha256([str(run.record["network_sha256"]) for run in runs], job.views),
        thresholds={label: found.value for label, found in thresholds.items()},
        crop_size=config.data.crop_size,
        dataset=config.data.dataset,
        reads=job.folder / TEST_READS,
        grade=lambda crops: opinion(runs, labels, crops, job.views),
    )


def main(arguments: Sequence[str]) -> int:
    """Do the job in a file; 0, or 2 with the error on standard error."""
    from filelock import FileLock

    path = Path(arguments[0])
    job = Job.model_validate_json(path.read_bytes())
    end_with_the_parent()
    try:
        # Whoever was killed a moment ago may not be quite gone.
        with FileLock(path.with_suffix(".lock"), timeout=60):
            work(job, _say)
    except AndroscopeError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

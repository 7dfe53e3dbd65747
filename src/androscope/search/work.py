"""Trials done in a process of its own.

    python -m androscope.search.work JOB.json

is how `androscope search run` does them, side by side: a trial that takes its process with it (no
memory left) takes no other, and is tried again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from androscope.errors import AndroscopeError
from androscope.extras import require
from androscope.processes import end_with_the_parent
from androscope.search.loop import Keep, equip, loop
from androscope.search.study import HEARTBEAT, open_study
from androscope.search.trial import Bench
from androscope.search.turns import Turn

__all__ = ["STORAGE", "Job", "main"]

#: Environment variable with the database's address, which may hold a password; Optuna's own.
STORAGE = "OPTUNA_STORAGE"


class Job(BaseModel):
    """What a process is told to do; see :func:`androscope.search.loop.loop`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    out: Path
    place: str
    dataset: str
    trials: int
    until: float | None
    keep: Keep
    heartbeat: int = HEARTBEAT


def work(job: Job, url: str) -> None:
    """Join the search and do trials.

    Raises
    ------
    AndroscopeError
        If the study or the data cannot be read, or what trains is not installed.
    """
    for module in ("torch", "timm", "lightning", "sklearn", "imblearn"):
        require(module, extra="train", why="train the trials of a search")
    from androscope import datasets
    from androscope.search.facts import read_facts

    study = open_study(url, job.name, job.heartbeat)
    facts = read_facts(study)
    equip(study, facts)
    data = facts.base.data.model_copy(update={"dataset": job.dataset})
    base = facts.base.model_copy(update={"data": data})
    dataset = datasets.load(job.dataset, crop_size=data.crop_size, labels=base.labels)
    bench = Bench(facts.space, base, dataset, job.out, job.place, _say)
    turn = Turn(job.out, url, job.name)
    loop(study, bench, trials=job.trials, until=job.until, keep=job.keep, turn=turn)


def main(arguments: Sequence[str]) -> int:
    """Do the job in a file; 0, or 2 with the error on standard error."""
    job = Job.model_validate_json(Path(arguments[0]).read_bytes())
    end_with_the_parent()
    try:
        work(job, os.environ[STORAGE])
    except AndroscopeError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

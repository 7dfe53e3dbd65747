"""The record of a search: opened or begun in a database, and trials whose process died tried again.

A trial's process says that it lives in two ways: it holds a lock on a file of the search's folder,
which the system lets go of at its death, and it writes a heartbeat into the database. So a search
that goes on in the same folder knows at once who died; one on another machine when four heartbeats
are missing, which is two minutes where nothing else is said.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from androscope.errors import TrainingError
from androscope.extras import require
from androscope.search.address import reached, shown_url, with_driver
from androscope.search.facts import Facts, differences, read_facts

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import RDBStorage

__all__ = [
    "DATABASE",
    "HEARTBEAT",
    "RETRIES",
    "gate",
    "join",
    "lock_of",
    "open_storage",
    "open_study",
    "quiet",
    "revive",
    "room",
    "url_of",
]

#: The database in the search's folder, where no other is named.
DATABASE = "study.db"

#: How often a trial is tried again after its process died.
RETRIES = 2

#: Seconds between a trial's signs of life, and how many must be missing.
HEARTBEAT, _MISSING = 30, 4

#: What databases say of a table or a row that another process has made in the meantime.
_MADE_TWICE = re.compile(r"already exists|unique|duplicate", re.IGNORECASE)
_TRIES = 20

_ADVICE = "Go on with what it was begun with, or begin another with --out (or --name in a database)"


def url_of(out: Path, storage: str | None) -> str:
    """The database's address: ``storage``, or a file in ``out``."""
    return storage or f"sqlite:///{(out / DATABASE).resolve()}"


@contextmanager
def quiet() -> Iterator[None]:
    """Without Optuna's own lines, and its warnings of parts that may change in another release."""
    optuna = require("optuna", extra="train", why="search configurations")
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)


def _retry() -> Any:
    from optuna.storages import RetryHeartbeatStaleTrialCallback

    return RetryHeartbeatStaleTrialCallback(max_retry=RETRIES, inherit_intermediate_values=True)


def open_storage(url: str, heartbeat: int = HEARTBEAT) -> RDBStorage:
    """Open a database, and make its tables if they are not there.

    Parameters
    ----------
    heartbeat
        Seconds between a trial's signs of life; the same wherever a search runs.

    Raises
    ------
    TrainingError
        If there is none at the address, or this machine has no driver for it.
    MissingExtraError
        If it is PostgreSQL, and psycopg is not installed.
    """
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import DBAPIError

    # Several processes write into one SQLite file: each waits for its turn.
    connect = {"connect_args": {"timeout": 120}} if url.startswith("sqlite") else {}
    with reached(url):
        for _ in range(_TRIES):
            try:
                with quiet():
                    return RDBStorage(
                        with_driver(url),
                        engine_kwargs=connect,
                        heartbeat_interval=heartbeat,
                        grace_period=_MISSING * heartbeat,
                        heartbeat_stale_trial_callback=_retry(),
                    )
            except DBAPIError as error:
                # Somebody else makes the same tables at this moment: they are there soon.
                if not _MADE_TWICE.search(str(error)):
                    raise
                time.sleep(0.5)
    raise TrainingError(
        f"the tables of the database {shown_url(url)} are half made",
        advice="Start again; if it stays so, give another database",
    )


def open_study(url: str, name: str, heartbeat: int = HEARTBEAT) -> Study:
    """Open a study that is there.

    Raises
    ------
    TrainingError
        If it is not, or is none of androscope's.
    """
    import optuna

    with quiet():
        storage = open_storage(url, heartbeat)
        try:
            study = optuna.load_study(study_name=name, storage=storage)
        except KeyError as error:
            there = ", ".join(optuna.get_all_study_names(storage)) or "none"
            raise TrainingError(
                f"the database {shown_url(url)} holds no search {name!r}; there is {there}",
                advice="Name another with --name",
            ) from error
    read_facts(study)
    return study


def join(url: str, name: str, facts: Facts, heartbeat: int = HEARTBEAT) -> tuple[Study, Facts]:
    """Begin a search, or join the one that is there; when it is this process's turn.

    Returns
    -------
    Study, Facts
        The facts are those that it was begun with.

    Raises
    ------
    TrainingError
        If the one that is there is about something else; the message says what differs.
    """
    import optuna

    larger = facts.space.objective == "roc_auc"
    with quiet():
        study = optuna.create_study(
            storage=open_storage(url, heartbeat),
            study_name=name,
            direction="maximize" if larger else "minimize",
            load_if_exists=True,
        )
    if not study.user_attrs:
        for key, value in facts.to_attrs().items():
            study.set_user_attr(key, value)
        return study, facts
    before = read_facts(study)
    different = differences(before, facts)
    if different:
        raise TrainingError(
            f"the search {name!r} was begun with something else; different are "
            f"{', '.join(different)}",
            advice=_ADVICE,
        )
    return study, before


def gate(out: Path) -> Any:
    """The lock under which trials of this folder are counted, begun and ended."""
    from filelock import FileLock

    return FileLock(out / ".gate")


def lock_of(out: Path, number: int) -> Any:
    """The lock that a trial's process holds as long as it lives."""
    from filelock import FileLock

    folder = out / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{number:04d}.lock")


def revive(study: Study, out: Path, place: str) -> list[int]:
    """Mark trials of this folder whose process died as failed, and have them tried again.

    To be called under :func:`gate`.

    Parameters
    ----------
    place
        What trials of this folder are marked with.

    Returns
    -------
    list of int
        Their numbers.
    """
    from filelock import Timeout
    from optuna.trial import TrialState

    dead = []
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.user_attrs.get("place") != place:
            continue
        lock = lock_of(out, trial.number)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        lock.release()
        study.tell(trial.number, state=TrialState.FAIL)
        with quiet():
            _retry()(study, study.get_trials()[trial.number])
        dead.append(trial.number)
    return dead


def room(study: Study, wanted: int) -> bool:
    """Whether a trial is to be begun: one waits to be tried again, or there are fewer than wanted.

    Trials that are tried again count once, failed and pruned ones as any.
    """
    from optuna.trial import TrialState

    from androscope.search.suggest import roots_of

    trials = study.get_trials(deepcopy=False)
    if any(trial.state == TrialState.WAITING for trial in trials):
        return True
    return len(set(roots_of(trials).values())) < wanted

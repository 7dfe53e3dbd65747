"""Whose turn it is: one process at a time counts the trials of a search and begins one.

In a folder a lock on a file sees to it. Processes of several folders, on one machine or many, share
nothing but the database: in PostgreSQL an advisory lock that the server lets go of when its process
dies, and beside a SQLite file another lock on a file. Other databases have neither, and two
machines may both begin the last trial there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from androscope.search.address import reached, with_driver
from androscope.search.study import gate

if TYPE_CHECKING:
    from optuna import Study

__all__ = ["Turn", "elsewhere"]


class Turn:
    """The right to count and to begin; held by one process at a time.

    Parameters
    ----------
    out
        The search's folder.
    url, name
        The database and the search in it; without them the folder's processes alone take turns.

    Raises
    ------
    TrainingError
        If the database cannot be reached: from here on, or from :meth:`acquire`.
    """

    def __init__(self, out: Path, url: str | None = None, name: str = "") -> None:
        self._locks: list[Any] = [gate(out)]
        if url is not None:
            with reached(url):
                self._locks += _shared(url, name)
        self._held: list[Any] = []

    def acquire(self) -> None:
        """Wait for it."""
        try:
            for lock in self._locks:
                lock.acquire()
                self._held.append(lock)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let the next have it; nothing if it is not held."""
        while self._held:
            self._held.pop().release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _shared(url: str, name: str) -> Sequence[Any]:
    from filelock import FileLock
    from sqlalchemy.engine import make_url

    found = make_url(with_driver(url))
    if found.get_backend_name() == "postgresql":
        return [_Advisory(url, found, name)]
    if found.get_backend_name() == "sqlite" and found.database not in (None, "", ":memory:"):
        return [FileLock(f"{found.database}.turn")]
    return []


class _Advisory:
    """PostgreSQL's lock on a number, held as long as a connection of its own."""

    def __init__(self, given: str, url: Any, name: str) -> None:
        from sqlalchemy import NullPool, create_engine

        self._given = given

        # Autocommit: a transaction that stays open would keep the server from tidying up.
        self._engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        digest = hashlib.sha256(f"androscope search\n{name}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._connection: Any = None

    def acquire(self) -> None:
        from sqlalchemy import text

        with reached(self._given):
            connection = self._engine.connect()
            try:
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": self._key})
            except BaseException:
                connection.close()
                raise
        self._connection = connection

    def release(self) -> None:
        # With no pool, closing is the end of the session, and of its lock.
        connection, self._connection = self._connection, None
        connection.close()


def elsewhere(study: Study, place: str) -> list[int]:
    """Trials that processes of other folders are at, or died in a short while ago.

    Those whose heartbeat has stopped for long are marked as failed and wait to be tried again.
    """
    from optuna.storages import fail_stale_trials
    from optuna.trial import TrialState

    from androscope.search.study import quiet

    with quiet():
        fail_stale_trials(study)
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    # One without a place was drawn a moment ago, or died in that moment, before its first
    # heartbeat: nothing would ever tell that it is dead, so nobody waits for it.
    return [t.number for t in running if t.user_attrs.get("place") not in (None, place)]

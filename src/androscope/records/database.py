"""The database behind the store: SQLite or PostgreSQL, opened so that what is written stays."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from androscope.errors import RecordsError
from androscope.extras import require

__all__ = ["AnyRow", "Database", "make_private", "url_of"]

#: A row of whatever columns.
AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"

_WRITES = "androscope_writes"


def url_of(text: str | URL) -> URL:
    """Read a database's URL.

    Raises
    ------
    RecordsError
        If it is neither SQLite's, with a file, nor PostgreSQL's.
    """
    advice = "Give sqlite:///FILE or postgresql://USER@HOST/DATABASE"
    try:
        url = make_url(text)
    except ArgumentError:
        # The text may hold a password.
        raise RecordsError("the records' database is no URL", advice=advice) from None
    kind = url.get_backend_name()
    if kind == "sqlite" and url.database and url.database != ":memory:":
        return url.set(drivername="sqlite")
    if kind in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise RecordsError(
        f"records are kept in SQLite's file or in PostgreSQL, got {kind}://", advice=advice
    )


def make_private(file: Path) -> None:
    """Let nobody but its owner read a file, which is made empty where there is none."""
    file.touch(mode=0o600, exist_ok=True)
    file.chmod(0o600)


class Database:
    """Connections to one database.

    Parameters
    ----------
    url
        From :func:`url_of`.

    Raises
    ------
    MissingExtraError
        If PostgreSQL's driver is not installed.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        # SQLite has one writer at a time. Its own waiting is by polling, and not in turn.
        self._turn = threading.Lock()
        if self.is_sqlite:
            self.engine = create_engine(url, pool_size=16, max_overflow=32)
            event.listen(self.engine, "connect", _prepare)
            event.listen(self.engine, "begin", _begin)
        else:
            require("psycopg", extra="postgres", why="keep records in PostgreSQL")
            self.engine = create_engine(url, pool_size=16, max_overflow=32, pool_pre_ping=True)

    @property
    def name(self) -> str:
        """How it is called in messages: SQLite's file, or the URL without its password."""
        if self.is_sqlite:
            return str(self.url.database)
        return self.url.render_as_string(hide_password=True)

    @property
    def file(self) -> Path | None:
        """SQLite's file."""
        return Path(str(self.url.database)) if self.is_sqlite else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees the store as it is now, whatever is written meanwhile."""
        with self._faults_named(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection whose changes are on the disk when the block ends, or not at all."""
        with self._faults_named():
            if not self.is_sqlite:
                with self.engine.begin() as connection:
                    yield connection
                return
            with self._turn, self.engine.connect() as connection:
                connection = connection.execution_options(**{_WRITES: True})
                with connection.begin():
                    yield connection

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except (DBAPIError, PoolTimeout, sqlite3.Error) as error:
            why = error.orig if isinstance(error, DBAPIError) else error
            raise RecordsError(
                f"the database cannot be used: {str(why).strip().splitlines()[0]}",
                path=self.name,
                advice="See that it is there, is a database of records, may be written, has room "
                "and is not held by another program",
            ) from error


def _prepare(connection: Any, _: object) -> None:
    """Set up a new connection to SQLite."""
    # Transactions are begun by _begin, so that reads see one state and migrations are whole.
    connection.isolation_level = None
    for pragma in (
        "busy_timeout=30000",
        "journal_mode=WAL",
        "synchronous=FULL",  # a commit that was acknowledged survives a power cut
        "foreign_keys=ON",
        "recursive_triggers=ON",  # so that REPLACE cannot delete past a trigger
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    # A writer that began as a reader could find that it cannot become one.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

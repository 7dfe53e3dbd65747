"""A database's address: its driver, what of it may be shown, and its errors in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from androscope.errors import TrainingError
from androscope.extras import require

__all__ = ["reached", "shown_url", "with_driver"]

#: A password in an address that an error's text may quote.
_PASSWORD = re.compile(r"(://[^:/@\s]*):\S*@")


def with_driver(url: str) -> str:
    """The address with this package's driver for PostgreSQL, where it names none.

    Raises
    ------
    MissingExtraError
        If that is not installed.
    """
    kind, colon, rest = url.partition("://")
    if kind not in ("postgresql", "postgres"):
        return url
    require("psycopg", extra="postgres", why="search in PostgreSQL")
    return f"postgresql+psycopg{colon}{rest}"


def shown_url(url: str) -> str:
    """The address without its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "the address given"


@contextmanager
def reached(url: str) -> Iterator[None]:
    """Make of what SQLAlchemy and its drivers raise this package's own error.

    Raises
    ------
    TrainingError
        If there is no database at the address, or this machine has no driver for it.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, ImportError, ValueError, RuntimeError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        said = _PASSWORD.sub(r"\1:***@", first)
        raise TrainingError(
            f"the database {shown_url(url)} cannot be opened: {said}",
            advice="See that it runs and takes connections from here. Give its address as "
            "SQLAlchemy takes it, such as postgresql://user@host/name, and install its driver",
        ) from error

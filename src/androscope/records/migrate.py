"""The schema brought up to date: whole or not at all, after a copy was made."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from androscope.errors import RecordsError, RecordsNewerError
from androscope.files import atomic_path
from androscope.records.database import Database, make_private

__all__ = ["HEAD", "SCRIPTS", "bring_up", "copy_sqlite", "revision_of", "upgrade"]

#: The schema that this code knows: the newest script's revision.
HEAD = "0001"

SCRIPTS = Path(__file__).parent / "migrations"

# Any number will do, so long as all of us lock the same one.
_LOCK = 0x616E6472


def bring_up(
    database: Database,
    *,
    copy: Callable[[str], None] | None = None,
    head: str = HEAD,
    scripts: Path = SCRIPTS,
) -> None:
    """Make the tables, or change older ones to what this code knows.

    Parameters
    ----------
    copy
        Called with the older revision before it is changed, to keep a copy.
    head, scripts
        The revision to reach and the scripts that lead there.

    Raises
    ------
    RecordsNewerError
        If the database belongs to a newer androscope; nothing is changed.
    RecordsError
        If it holds tables and none of ours.
    """
    with database.read() as connection:
        found = revision_of(connection, database.name)
    if found == head:
        return
    if found is not None:
        _check_known(found, scripts, database.name)
        if copy is not None:
            copy(found)
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        # Another process may have done it while this one waited for its turn.
        if revision_of(connection, database.name) != head:
            upgrade(connection, head, scripts)


def revision_of(connection: Connection, name: str) -> str | None:
    """Give the schema's revision; ``None`` for an empty database. Raises as :func:`bring_up`."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables and ("events" in tables or "head" in tables):
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    if tables:
        raise RecordsError(
            f"the database holds other tables ({', '.join(sorted(tables)[:3])}...), no records",
            path=name,
            advice="Give records a database of their own",
        )
    return None


def upgrade(connection: Connection, revision: str, scripts: Path = SCRIPTS) -> None:
    """Run the scripts up to a revision, inside the transaction that was begun."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def copy_sqlite(database: Database, revision: str) -> Path:
    """Copy SQLite's file beside it, by SQLite's own online backup; gives the copy."""
    file = database.file
    assert file is not None
    at = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    copy = file.with_name(f"{file.name}.before-migrating-{revision}-{at}")
    with atomic_path(copy) as temporary:
        source, target = sqlite3.connect(file), sqlite3.connect(temporary)
        try:
            source.backup(target)
        finally:
            target.close()
            source.close()
    make_private(copy)
    return copy


def _check_known(revision: str, scripts: Path, name: str) -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    if revision not in known:
        raise RecordsNewerError(
            f"the records are of schema {revision}, which this androscope does not know; it knows "
            f"those up to {known[0]}",
            path=name,
            advice="Install the newer androscope that wrote them; nothing was changed",
        )

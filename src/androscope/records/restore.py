"""``androscope records restore``: a backup checked whole, then put in place, or nothing changed."""

from __future__ import annotations

import sqlite3
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Boolean, Connection, MetaData, func, insert, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from androscope.errors import RecordsError
from androscope.records.archive import Manifest, check_archive, rows_of
from androscope.records.backup import backup
from androscope.records.database import Database, make_private, url_of
from androscope.records.entries import EventKind, Fault
from androscope.records.log import appender
from androscope.records.migrate import HEAD, SCRIPTS, upgrade
from androscope.records.pictures import Pictures
from androscope.records.verify import verify

__all__ = ["restore"]

_PIECE = 500


def restore(
    path: Path,
    url: str,
    images: Path,
    *,
    actor: str,
    force: bool = False,
    accept_faults: bool = False,
) -> Manifest:
    """Put a backup in place; an entry of the log says so.

    Everything is checked first: the file's hashes, then the chain and every row in a store beside
    the one that is there (SQLite: another file; PostgreSQL: a transaction).

    Parameters
    ----------
    force
        Replace the records that are there. They are kept: SQLite's file under another name beside
        it, of PostgreSQL's a backup beside the folder of images. Pictures are never removed.
    accept_faults
        Restore a backup of a store that had been altered.

    Raises
    ------
    RecordsError
        If the backup is damaged, was made without pictures that are not there, holds altered
        records, is of a newer androscope, or there are records already.
    """
    manifest = check_archive(path)
    database, pictures = Database(url_of(url)), Pictures(images)
    try:
        there = _is_there(database)
        if there and not force:
            raise RecordsError(
                "there are records already, and they are not overwritten",
                path=database.name,
                advice="Restore to another place, or say --force: those are kept beside the new",
            )
        with zipfile.ZipFile(path) as archive:
            _restore_pictures(archive, manifest, pictures)
            put = _put_sqlite if database.is_sqlite else _put_postgres
            put(archive, manifest, database, pictures, actor, there, accept_faults)
    finally:
        database.close()
    return manifest


def _is_there(database: Database) -> bool:
    file = database.file
    if file is not None:
        # Not opened: what is there may be the damaged file that the backup is to replace.
        return file.exists() and file.stat().st_size > 0
    with database.read() as connection:
        return bool(inspect(connection).get_table_names())


def _restore_pictures(archive: zipfile.ZipFile, manifest: Manifest, pictures: Pictures) -> None:
    for sha256 in manifest.images or ():
        if not pictures.is_whole(sha256):
            pictures.put(archive.read(f"images/{sha256}.png"))


def _put_sqlite(
    archive: zipfile.ZipFile,
    manifest: Manifest,
    database: Database,
    pictures: Pictures,
    actor: str,
    there: bool,
    accept_faults: bool,
) -> None:
    file = database.file
    assert file is not None
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    fresh = file.with_name(f".{file.name}.restoring-{at}")
    try:
        make_private(fresh)
        beside = Database(URL.create("sqlite", database=str(fresh)))
        try:
            with beside.write() as connection:
                _fill(connection, archive, manifest, pictures, actor, accept_faults)
            _gather(beside)
        finally:
            beside.close()
        if there:
            with suppress(SQLAlchemyError, sqlite3.Error):  # it may be damaged
                _gather(database)
            database.close()
            for end in ("-wal", "-shm", ""):
                old = file.with_name(file.name + end)
                if old.exists():
                    old.replace(file.with_name(f"{file.name}.replaced-{at}{end}"))
        fresh.replace(file)
    finally:
        for end in ("", "-wal", "-shm"):
            fresh.with_name(fresh.name + end).unlink(missing_ok=True)


def _gather(database: Database) -> None:
    """Bring all of a SQLite store into its one file, so that it can be renamed."""
    with database.engine.connect() as connection:
        connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _put_postgres(
    archive: zipfile.ZipFile,
    manifest: Manifest,
    database: Database,
    pictures: Pictures,
    actor: str,
    there: bool,
    accept_faults: bool,
) -> None:
    if there:
        at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        backup(database, None, pictures.folder.parent / f"records.replaced-{at}.zip")
    with database.write() as connection:
        if there:
            metadata = MetaData()
            metadata.reflect(connection)  # as the tables are: they may be of an older schema
            metadata.drop_all(connection)
        _fill(connection, archive, manifest, pictures, actor, accept_faults)


def _fill(
    connection: Connection,
    archive: zipfile.ZipFile,
    manifest: Manifest,
    pictures: Pictures,
    actor: str,
    accept_faults: bool,
) -> None:
    """Make the tables as they were, fill them, bring them up to date and verify them."""
    path = archive.filename
    try:
        upgrade(connection, manifest.revision, SCRIPTS)
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "alembic":
            raise
        raise RecordsError(
            f"the backup is of schema {manifest.revision}, which this androscope does not know",
            path=path,
            advice="Restore it with the androscope that made it",
        ) from error
    metadata = MetaData()
    metadata.reflect(connection)
    try:
        for table in metadata.sorted_tables:
            facts = manifest.tables.get(table.name)
            if facts is None:
                continue
            if table.name == "head":
                connection.execute(table.delete())  # of the empty log
            flags = {c.name for c in table.columns if isinstance(c.type, Boolean)}
            rows = rows_of(archive, table.name)
            while piece := list(islice(rows, _PIECE)):
                connection.execute(insert(table), _rows(piece, facts.columns, flags))
            _count_on(connection, table.name, [c.name for c in table.primary_key.columns])
    except (SQLAlchemyError, ValueError, TypeError) as error:
        what = str(error).splitlines()[0]
        raise RecordsError(f"the backup's rows do not fit its tables: {what}", path=path) from error
    upgrade(connection, HEAD, SCRIPTS)
    found = verify(connection, pictures, anchors=[("the backup", manifest.anchor)])
    if found.faults and not accept_faults:
        raise RecordsError(
            f"the backup holds records that were altered: {_listed(found.faults)}",
            path=path,
            advice="Use an earlier backup, or say --accept-faults to restore it as it is",
        )
    data = {"backup": str(manifest.created), "anchor": str(manifest.anchor),
            "faults": len(found.faults)}  # fmt: skip
    appender(connection).add(EventKind.RESTORE, actor, data=data)


def _rows(piece: list[list[Any]], columns: list[str], flags: set[str]) -> list[dict[str, Any]]:
    rows = [dict(zip(columns, row, strict=True)) for row in piece]
    for row in rows:
        # SQLite's truth is a number.
        row.update({name: bool(row[name]) for name in flags if row[name] is not None})
    return rows


def _count_on(connection: Connection, table: str, keys: list[str]) -> None:
    """Let PostgreSQL give the next rows ids behind those restored; SQLite does so by itself."""
    if connection.dialect.name != "postgresql" or keys != ["id"]:
        return
    sequence = connection.scalar(select(func.pg_get_serial_sequence(table, "id")))
    if sequence is not None:
        highest = f"(SELECT coalesce(max(id), 0) FROM {table})"
        connection.execute(
            text(f"SELECT setval(:sequence, {highest} + 1, false)"), {"sequence": sequence}
        )


def _listed(faults: tuple[Fault, ...]) -> str:
    shown = "; ".join(f"{fault.record}: {fault.reason}" for fault in faults[:3])
    return shown if len(faults) <= 3 else f"{shown}; and {len(faults) - 3} more"

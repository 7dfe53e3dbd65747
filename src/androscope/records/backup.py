"""``androscope records backup``: the store as of one moment, while others go on writing."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, MetaData, Table, select

from androscope import __version__
from androscope.errors import RecordsError
from androscope.files import atomic_path
from androscope.records.archive import FORMAT, Manifest, TableFacts, check_archive, encode_row
from androscope.records.database import Database, make_private
from androscope.records.log import head_of
from androscope.records.migrate import revision_of
from androscope.records.pictures import Pictures

__all__ = ["backup", "backup_before_migrating"]

_VERSION_TABLE = "alembic_version"
_PIECE = 500


def backup(
    database: Database,
    pictures: Pictures | None,
    path: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Write a backup, read it back whole and only then give it its name.

    The tables are read in one transaction, which sees one state and holds up nobody; pictures are
    never changed, and are on the disk before a row speaks of them.

    Parameters
    ----------
    pictures
        Their folder; ``None`` leaves them out.
    progress
        Called with how many of how many pictures are done.

    Raises
    ------
    RecordsError
        If there are no records, a picture is missing or altered, or there is a file of that name.
    OutputError
        If it cannot be written.
    """
    if path.exists():
        raise RecordsError(
            "there is a file of that name already, and a backup overwrites none",
            path=path,
            advice="Name another file",
        )
    with atomic_path(path) as temporary:
        with (
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
            database.read() as connection,
        ):
            manifest = _write(archive, connection, database, pictures, progress)
            text = manifest.model_dump_json(indent=1)
            archive.writestr("manifest.json", text)
        if check_archive(temporary) != manifest:
            raise RecordsError("the backup read back differs from what was written", path=path)
    make_private(path)
    return manifest


def backup_before_migrating(database: Database, images: Path, revision: str) -> Path:
    """Keep the tables, without pictures, beside the folder of images; gives the file."""
    at = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = images.parent / f"records.before-migrating-{revision}-{at}.zip"
    backup(database, None, path)
    return path


def _write(
    archive: zipfile.ZipFile,
    connection: Connection,
    database: Database,
    pictures: Pictures | None,
    progress: Callable[[int, int], None] | None,
) -> Manifest:
    revision = revision_of(connection, database.name)
    if revision is None:
        raise RecordsError("there are no records to back up", path=database.name)
    # As the tables are, not as this code would have them: also before a migration.
    metadata = MetaData()
    metadata.reflect(connection)
    tables = [table for table in metadata.sorted_tables if table.name != _VERSION_TABLE]
    facts = {table.name: _table(archive, connection, table) for table in tables}
    hashes = None
    if pictures is not None:
        kept = metadata.tables["images"].c
        # A store made before colour was kept has no such column.
        columns = [kept[name] for name in ("sha256", "chroma_sha256") if name in kept]
        found = {h for c in columns for h in connection.scalars(select(c).distinct())}
        hashes = sorted(found - {None})
        for done, sha256 in enumerate(hashes, start=1):
            _picture(archive, pictures, sha256)
            if progress is not None:
                progress(done, len(hashes))
    anchor = head_of(connection)
    return Manifest(
        format=FORMAT,
        androscope=__version__,
        created=datetime.now(UTC).replace(microsecond=0),
        database="sqlite" if database.is_sqlite else "postgresql",
        revision=revision,
        log_count=anchor.count,
        log_head=anchor.head,
        tables=facts,
        images=hashes,
    )


def _table(archive: zipfile.ZipFile, connection: Connection, table: Table) -> TableFacts:
    found, rows = hashlib.sha256(), 0
    query = select(table).order_by(*table.primary_key.columns)
    with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as member:
        for row in connection.execution_options(yield_per=_PIECE).execute(query):
            line = encode_row(iter(row))
            member.write(line)
            found.update(line)
            rows += 1
    return TableFacts(
        columns=[column.name for column in table.columns], rows=rows, sha256=found.hexdigest()
    )


def _picture(archive: zipfile.ZipFile, pictures: Pictures, sha256: str) -> None:
    content = pictures.path(sha256).read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RecordsError(
            f"the picture {sha256[:16]}... was altered: a backup of it would be of no use",
            path=pictures.place(sha256),
            advice="See androscope records verify, and put the picture back from an earlier backup",
        )
    # PNG is compressed already.
    info = zipfile.ZipInfo(f"images/{sha256}.png", (1980, 1, 1, 0, 0, 0))
    archive.writestr(info, content, zipfile.ZIP_STORED)

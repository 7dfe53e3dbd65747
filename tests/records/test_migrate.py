"""The schema: what the scripts make is what the code knows; older is kept aside, newer refused."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from androscope.errors import MissingExtraError, OutputError, RecordsError, RecordsNewerError
from androscope.records import tables_door
from androscope.records.backup import backup_before_migrating
from androscope.records.database import Database, url_of
from androscope.records.migrate import HEAD, SCRIPTS, bring_up, copy_sqlite, revision_of
from androscope.records.restore import restore
from androscope.records.store import Records, places
from androscope.records.tables import Base
from androscope.records.verify import verify

from .conftest import Place, graded_sample

assert tables_door


def test_the_scripts_lead_to_the_tables_that_the_code_knows(records: Records) -> None:
    with records.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == HEAD
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def later(tmp_path: Path) -> Path:
    """Scripts with one more, as a next version would have."""
    scripts = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "0002_later.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n\n"
        'revision = "0002"\ndown_revision = "0001"\n\n\n'
        "def upgrade():\n"
        '    op.add_column("jobs", sa.Column("later", sa.Text(), nullable=True))\n'
    )
    return scripts


def test_an_older_store_is_kept_aside_and_migrated(place: Place, tmp_path: Path) -> None:
    scripts = later(tmp_path)
    with Records.open(place.url, place.images) as records:
        graded_sample(records)
        anchor = records.log.anchor()
    database = Database(url_of(place.url))
    kept: list[Path] = []

    def keep(revision: str) -> None:
        if place.is_sqlite:
            kept.append(copy_sqlite(database, revision))
        else:
            kept.append(backup_before_migrating(database, place.images, revision))

    bring_up(database, copy=keep, head="0002", scripts=scripts)
    bring_up(database, copy=keep, head="0002", scripts=scripts)  # nothing more to do
    with database.read() as connection:
        assert revision_of(connection, "") == "0002"
        assert connection.scalar(text("SELECT count(*) FROM jobs WHERE later IS NULL")) == 1
    database.close()
    with pytest.raises(RecordsNewerError) as caught:
        Records.open(place.url, place.images)
    assert "of schema 0002, which this androscope does not know; it knows those up to 0001" in str(
        caught.value
    )
    # What was kept aside is the store as it was.
    assert len(kept) == 1
    url = f"sqlite:///{kept[0]}"
    if not place.is_sqlite:
        url = f"sqlite:///{tmp_path / 'earlier.db'}"
        restore(kept[0], url, place.images, actor="root")
    with Records.open(url, place.images) as earlier, earlier.database.read() as connection:
        found = verify(connection, earlier.pictures, anchors=[("before", anchor)])
        assert found.faults == ()


def test_several_may_open_a_new_store_at_once(place: Place) -> None:
    raised: list[Exception] = []

    def begin(number: int) -> None:
        try:
            with Records.open(place.url, place.images) as records:
                records.samples.create(f"S-{number}", actor="anna")
        except RecordsError as error:
            raised.append(error)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    with Records.open(place.url, place.images) as records:
        assert records.samples.list().total == 3


def test_another_programs_database_is_left_alone(place: Place) -> None:
    database = Database(url_of(place.url))
    with database.write() as connection:
        connection.execute(text("CREATE TABLE accounts (id INTEGER)"))
    with pytest.raises(RecordsError, match=r"holds other tables \(accounts\.\.\.\), no records"):
        Records.open(place.url, place.images)
    database.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("mysql://x/y", "SQLite's file or in PostgreSQL, got mysql://", id="mysql"),
        pytest.param("sqlite://", "got sqlite://", id="in-memory"),
        pytest.param("sqlite:///:memory:", "got sqlite://", id="named-memory"),
        pytest.param("no url, secret", "the records' database is no URL. Give", id="no-url"),
    ],
)
def test_what_is_no_place_for_records(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(RecordsError) as caught:
        Records.open(url, tmp_path)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    url = f"postgresql://anna:secret@/x?host={tmp_path}"
    with pytest.raises(RecordsError, match="the database cannot be used") as caught:
        Records.open(url, tmp_path / "images")
    assert "secret" not in str(caught.value)


def test_the_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("androscope.extras.import_module", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'androscope\[postgres\]'"):
        Database(url_of("postgresql://x/y"))


def test_places_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANDROSCOPE_HOME", str(tmp_path))
    assert places() == (f"sqlite:///{tmp_path / 'records.db'}", tmp_path / "images")
    monkeypatch.setenv("ANDROSCOPE_RECORDS", "postgresql:///lab")
    assert places(images=tmp_path / "i") == ("postgresql:///lab", tmp_path / "i")
    with Records.open("sqlite:///" + str(tmp_path / "deep" / "er" / "r.db")) as records:
        assert records.pictures.folder == tmp_path / "images"


def test_a_store_that_shall_be_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="there are no records"):
        Records.open(f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "images", make=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        Records.open(f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "file" / "images")


def test_a_copy_of_sqlite_is_whole(tmp_path: Path) -> None:
    with Records.open(f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "images") as records:
        graded_sample(records)  # still in the log beside the file
        copy = copy_sqlite(records.database, "0001")
    assert copy.name.startswith("r.db.before-migrating-0001-")
    with sqlite3.connect(copy) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (3,)

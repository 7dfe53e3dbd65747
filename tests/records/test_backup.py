"""Backup, restore and export: what comes back is what was there, and a bad file changes nothing."""

from __future__ import annotations

import os
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from androscope.datasets.own import list_entries, read_crops
from androscope.errors import EmptyInputError, RecordMissingError, RecordsError
from androscope.records.archive import decode_row, encode_row
from androscope.records.backup import backup
from androscope.records.clean import clean_file
from androscope.records.entries import EventKind
from androscope.records.export import export_labels
from androscope.records.migrate import copy_sqlite
from androscope.records.people import Role
from androscope.records.restore import restore
from androscope.records.store import Records
from androscope.records.verify import verify
from androscope.types import Verdict

from .conftest import Place, graded_sample

TABLES = (
    "events", "samples", "files", "images", "failures", "models", "gradings", "crops",
    "crop_pictures", "standings", "states", "jobs", "reports", "users", "tokens",
)  # fmt: skip


def content(records: Records) -> dict[str, list[tuple[object, ...]]]:
    """Every row but the entry that says that it was restored."""
    with records.database.read() as connection:
        return {
            table: [
                tuple(row)
                for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1"))
                if "restore" not in row
            ]
            for table in TABLES
        }


def fill(records: Records) -> None:
    sample_id, crops = graded_sample(records, crops=3, files=2)
    records.reviews.verdict(crops[0].id, "head", Verdict.UNDECIDED, actor="anna", why="=1+1 'ä\"")
    records.reviews.accept(crops[1].id, actor="bob")
    records.images.add(sample_id, clean_file(b"junk", "junk.png"), actor="anna")
    _, anchor = records.findings(sample_id)
    records.reports.sign(sample_id, '{"ä": 1.5}', anchor=anchor, actor="anna", name="Anna")
    user = records.users.create("Anna", Role.ADMIN, "hash", actor="cli")
    records.tokens.create(user.id, "script", Role.VIEWER, actor="Anna")


def test_what_is_restored_is_what_was_there(records: Records, place: Place, tmp_path: Path) -> None:
    """From either database into SQLite, whose rows are held against the first's."""
    fill(records)
    before = content(records)
    file = tmp_path / "b.zip"
    made = backup(records.database, records.pictures, file)
    assert made.anchor == records.log.anchor()
    url, images = f"sqlite:///{tmp_path / 'again' / 'r.db'}", tmp_path / "again" / "images"
    restore(file, url, images, actor="root")
    with Records.open(url, images) as again:
        assert normal(content(again)) == normal(before)
        assert list(again.pictures) == list(records.pictures)
        with again.database.read() as connection:
            found = verify(connection, again.pictures, anchors=[("the backup", made.anchor)])
        assert found.faults == ()
        last = again.log.events(per_page=1).items[0]
        assert (last.kind, last.actor) == (EventKind.RESTORE, "root")
        assert last.data["anchor"] == str(made.anchor)
        again.samples.create("S-9", actor="anna")


def normal(rows: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """SQLite's truth is a number."""
    return {t: [tuple(int(v) if v is True or v is False else v for v in r) for r in rs]
            for t, rs in rows.items()}  # fmt: skip


def test_a_backup_replaces_what_is_there_only_when_told(
    records: Records, place: Place, tmp_path: Path
) -> None:
    """Into the database it is from, which has gone on since."""
    fill(records)
    before = content(records)
    file = tmp_path / "b.zip"
    backup(records.database, records.pictures, file)
    graded_sample(records, "S-2")
    records.close()
    with pytest.raises(RecordsError, match="there are records already, and they are not overwr"):
        restore(file, place.url, place.images, actor="root")
    restore(file, place.url, place.images, actor="root", force=True)
    with Records.open(place.url, place.images) as again:
        assert content(again) == before
        # Ids go on behind those restored.
        assert graded_sample(again, "S-3")[0] == 2
        with again.database.read() as connection:
            assert verify(connection, again.pictures).faults == ()
    kept = [p for p in tmp_path.iterdir() if "replaced" in p.name]
    assert len(kept) == 1
    if place.is_sqlite:
        with Records.open(f"sqlite:///{kept[0]}", place.images) as earlier:
            assert earlier.samples.list().total == 2
    else:
        other = f"sqlite:///{tmp_path / 'other.db'}"
        restore(kept[0], other, place.images, actor="root")
        with Records.open(other, place.images) as earlier:
            assert earlier.samples.list().total == 2


def test_a_backup_is_of_one_moment_while_others_write(records: Records, tmp_path: Path) -> None:
    _, crops = graded_sample(records, crops=2)
    stop = threading.Event()

    def review() -> None:
        while not stop.is_set():
            records.reviews.accept(crops[0].id, actor="anna")

    thread = threading.Thread(target=review)
    thread.start()
    try:
        for number in range(2):
            backup(records.database, records.pictures, tmp_path / f"{number}.zip")
    finally:
        stop.set()
        thread.join()
    for number in range(2):
        url = f"sqlite:///{tmp_path / f'{number}.db'}"
        restore(tmp_path / f"{number}.zip", url, tmp_path / "images", actor="root")


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A backup of a filled store on SQLite."""
    with Records.open(f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "images") as records:
        fill(records)
        backup(records.database, records.pictures, tmp_path / "b.zip")
    return tmp_path / "b.zip"


def rewritten(path: Path, change: dict[str, bytes | None]) -> Path:
    """The same archive with members changed, added or left out."""
    made = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            given = change.pop(name, old.read(name))
            if given is not None:
                new.writestr(name, given)
        for name, given in change.items():
            new.writestr(name, given or b"")
    return made


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"tables/events.jsonl": b"[]\n"}, "tables/events.jsonl was altered", id="row"),
        pytest.param({"tables/jobs.jsonl": None}, "members are missing or too much", id="missing"),
        pytest.param({"images/x.png": b"x"}, "members are missing or too much", id="too-much"),
        pytest.param({"manifest.json": b"{}"}, "expected a backup of format", id="other-format"),
        pytest.param({"manifest.json": b"no"}, "it is no backup of records", id="no-json"),
        pytest.param({"manifest.json": None}, "it is no backup of records", id="no-manifest"),
    ],
)
def test_a_damaged_backup_changes_nothing(
    whole: Path, tmp_path: Path, change: dict[str, bytes | None], said: str
) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'r.db'}"
    with pytest.raises(RecordsError, match=said):
        restore(rewritten(whole, dict(change)), url, tmp_path / "new" / "images", actor="root")
    assert not (tmp_path / "new").exists()


def test_a_cut_backup_changes_nothing(whole: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(RecordsError, match="the backup cannot be used: it cannot be read"):
        restore(cut, f"sqlite:///{tmp_path / 'n.db'}", tmp_path / "n", actor="root")
    with pytest.raises(RecordsError, match="there is no such backup"):
        restore(tmp_path / "no.zip", f"sqlite:///{tmp_path / 'n.db'}", tmp_path / "n", actor="root")


def test_a_backup_of_altered_records_is_restored_only_when_told(tmp_path: Path) -> None:
    url, images = f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "images"
    with Records.open(url, images) as records:
        fill(records)
        with records.database.engine.begin() as connection:
            connection.execute(text("UPDATE users SET role = 'viewer'"))
        backup(records.database, records.pictures, tmp_path / "b.zip")
    new = f"sqlite:///{tmp_path / 'new.db'}"
    with pytest.raises(RecordsError, match=r"holds records that were altered: user 'Anna': alter"):
        restore(tmp_path / "b.zip", new, images, actor="root")
    assert not (tmp_path / "new.db").exists()
    assert [p.name for p in tmp_path.iterdir() if "restoring" in p.name] == []
    restore(tmp_path / "b.zip", new, images, actor="root", accept_faults=True)
    with Records.open(new, images) as again:
        assert again.log.events(per_page=1).items[0].data["faults"] == 1


def test_a_backup_overwrites_no_file_and_holds_no_damaged_picture(tmp_path: Path) -> None:
    with Records.open(f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "images") as records:
        graded_sample(records)
        (tmp_path / "b.zip").write_bytes(b"x")
        with pytest.raises(RecordsError, match="a backup overwrites none"):
            backup(records.database, records.pictures, tmp_path / "b.zip")
        (sha256,) = records.pictures
        records.pictures.place(sha256).write_bytes(b"x")
        with pytest.raises(RecordsError, match="was altered: a backup of it would be of no use"):
            backup(records.database, records.pictures, tmp_path / "c.zip")
    assert not (tmp_path / "c.zip").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".c")] == []


def test_a_damaged_database_can_be_replaced(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "r.db").write_bytes(b"no database" * 100)
    with pytest.raises(RecordsError, match="the database cannot be used: file is not a database"):
        Records.open(f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "images")
    restore(whole, f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "images", actor="root", force=True)
    with Records.open(f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "images") as again:
        assert again.samples.list().total == 1


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_nobody_else_reads_the_files(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Records.open(f"sqlite:///{home / 'r.db'}", home / "images") as records:
        graded_sample(records)
        backup(records.database, records.pictures, tmp_path / "b.zip")
        copy_sqlite(records.database, "0001")
        assert [home.stat().st_mode & 0o77, (home / "images").stat().st_mode & 0o77] == [0, 0]
    restore(tmp_path / "b.zip", f"sqlite:///{tmp_path / 'n.db'}", tmp_path / "n", actor="root")
    files = [*home.glob("r.db*"), tmp_path / "b.zip", tmp_path / "n.db"]
    assert len(files) >= 4
    assert {file.name: file.stat().st_mode & 0o77 for file in files} == dict.fromkeys(
        (file.name for file in files), 0
    )


CELLS = (
    st.none() | st.booleans() | st.integers() | st.binary()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)))
)  # fmt: skip


@given(st.lists(CELLS, max_size=6))
def test_a_row_comes_back_from_its_line(row: list[object]) -> None:
    line = encode_row(iter(row))
    assert line.count(b"\n") == 1
    back = decode_row(line)
    assert back == row
    assert [type(cell) for cell in back] == [type(cell) for cell in row]


def test_corrections_are_a_set_to_learn_from(records: Records, tmp_path: Path) -> None:
    _, crops = graded_sample(records, "S-1", crops=5)
    before = crops[0].verdicts["head"]
    flipped = Verdict.NORMAL if before == Verdict.ABNORMAL else Verdict.ABNORMAL
    records.reviews.verdict(crops[0].id, "head", flipped, actor="anna")
    records.reviews.accept(crops[1].id, actor="bob")
    records.reviews.sperm(crops[2].id, False, actor="bob")
    records.reviews.accept(crops[3].id, actor="bob")
    records.reviews.undo(crops[3].id, actor="bob")
    _, others = graded_sample(records, "S-2", crops=2)
    records.reviews.accept(others[0].id, actor="bob")
    with records.database.read() as connection:
        done = export_labels(connection, tmp_path / "all")
        changed = export_labels(connection, tmp_path / "changed", changed_only=True)
        export_labels(connection, tmp_path / "one", samples=["S-2"])
        with pytest.raises(RecordMissingError, match="there is no sample 'S-7'"):
            export_labels(connection, tmp_path / "none", samples=["S-7"])
    assert (done.crops, done.samples, done.changed) == (3, 2, 1)
    assert changed.crops == 1
    listing = list_entries(tmp_path / "all")
    assert listing.problems == ()
    read, entries, problems = read_crops(listing.entries)
    assert problems == []
    assert [entry.patient for entry in entries] == ["S-1", "S-1", "S-2"]
    for number, crop in enumerate((crops[0], crops[1], others[0])):
        assert np.array_equal(read[number], records.crops.pixels(crop.id))
        stands = records.crops.get(crop.id).verdicts
        numbers = {Verdict.NORMAL: 0, Verdict.ABNORMAL: 1}
        assert {k: v for k, v in entries[number].labels.items() if v in (0, 1)} == {
            label: numbers[verdict] for label, verdict in stands.items() if verdict in numbers
        }
    credits = (tmp_path / "all" / "credits.csv").read_text().splitlines()
    assert len(credits) == 4
    assert ",yes,anna," in credits[1]
    assert ",no,bob," in credits[2]


def test_nothing_reviewed_is_nothing_to_export(records: Records, tmp_path: Path) -> None:
    graded_sample(records)
    with (
        records.database.read() as connection,
        pytest.raises(EmptyInputError, match="nobody has reviewed a crop"),
    ):
        export_labels(connection, tmp_path / "out")
    assert not (tmp_path / "out").exists()

"""What somebody alters behind the store's back is found and named, on both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from androscope.errors import RecordsError
from androscope.records.chain import chained, parsed
from androscope.records.clean import clean_file
from androscope.records.entries import Anchor, EventKind
from androscope.records.people import Role
from androscope.records.store import Records
from androscope.records.verify import parse_anchor, verify
from androscope.types import Verdict

from .conftest import Place, graded_sample, tiff


@contextmanager
def unguarded(place: Place) -> Iterator[Callable[[str], None]]:
    """Run SQL as an owner of the database could: without triggers and foreign keys."""
    if place.is_sqlite:
        raw = sqlite3.connect(place.url.removeprefix("sqlite:///"), isolation_level=None)
        triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'")
        kept = triggers.fetchall()
        for name, _ in kept:
            raw.execute(f"DROP TRIGGER {name}")
        yield lambda command: raw.execute(command) and None
        for _, sql in kept:
            raw.execute(sql)
        raw.close()
        return
    import psycopg

    with psycopg.connect(place.url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield lambda command: connection.execute(command) and None  # type: ignore[call-overload]


@pytest.fixture
def filled(records: Records) -> Records:
    """A store whose log has 16 entries; entry 4 is anna's verdict, 5 bob's acceptance.

    1 sample S-1, 2 image, 3 graded (crops 1 to 4), 4 verdict on crop 1, 5 accept crop 2, 6 verdict
    on crop 3, 7 undone, 8 observed, 9 signed, 10 user, 11 sample S-2, 12 an unreadable file,
    13 accept crop 4, 14 verdict on crop 2, 15 and 16 a token made and revoked.
    """
    sample_id, crops = graded_sample(records, crops=4)
    records.reviews.verdict(crops[0].id, "head", Verdict.UNDECIDED, actor="anna")
    records.reviews.accept(crops[1].id, actor="bob")
    records.reviews.verdict(crops[2].id, "head", Verdict.UNDECIDED, actor="anna")
    records.reviews.undo(crops[2].id, actor="anna")
    records.reviews.observe(crops[0].id, {"head": Verdict.NORMAL}, observer="eve")
    _, anchor = records.findings(sample_id)
    records.reports.sign(sample_id, '{"n": 1}', anchor=anchor, actor="anna", name="Anna")
    user = records.users.create("anna", Role.REVIEWER, "hash", actor="cli")
    other = records.samples.create("S-2", actor="anna")
    records.images.add(other.id, clean_file(b"junk", "junk.png"), actor="anna")
    records.reviews.accept(crops[3].id, actor="bob")
    records.reviews.verdict(crops[1].id, "head", Verdict.UNDECIDED, actor="bob")
    _, token = records.tokens.create(user.id, "script", Role.VIEWER, actor="anna")
    records.tokens.revoke(token.id, actor="anna")
    assert records.log.anchor().count == 16
    return records


def faults(records: Records, *anchors: tuple[str, Anchor]) -> list[str]:
    with records.database.read() as connection:
        found = verify(connection, records.pictures, anchors=anchors)
    assert found.ok == (not found.faults)
    return [f"{fault.record}: {fault.reason}" for fault in found.faults]


def test_what_was_not_altered_is_said_to_be_whole(filled: Records) -> None:
    with filled.database.read() as connection:
        found = verify(connection, filled.pictures)
    assert found.ok
    assert (found.events, found.crops, found.images, found.reports) == (16, 4, 1, 1)
    assert found.anchor == filled.log.anchor()


CROP = "crop {} (number {} of image 1 (field-0.tif of sample 'S-1'))"

#: What is done, and every fault that must be found, by its beginning.
TAMPERED = {
    "a verdict that stands": (
        ["UPDATE standings SET verdicts = replace(verdicts, 'undecided', 'normal') "
         "WHERE crop_id = 1"],
        [CROP.format(1, 1) + ": what stands of it was altered: verdicts is {"],
    ),
    "the model's opinion": (
        ["UPDATE crops SET opinion = replace(opinion, '\"threshold\":0.5', '\"threshold\":0.6') "
         "WHERE id = 3"],
        [CROP.format(3, 3) + ": altered: the model's opinion is not the one that was recorded"],
    ),
    "the order of review": (
        ["UPDATE crops SET need = 0 WHERE id = 1"],
        [CROP.format(1, 1) + ": altered: its place in the order of review"],
    ),
    "what a person said": (
        ["UPDATE events SET data = replace(data, '\"to\":\"undecided\"', '\"to\":\"abnormal\"') "
         "WHERE number = 4"],
        ["entry 4 of the log: altered (by anna, verdict, ",
         CROP.format(1, 1) + ": what stands of it was altered"],
    ),
    "who said it": (
        ["UPDATE events SET actor = 'mallory' WHERE number = 5"],
        ["entry 5 of the log: altered (by mallory, accept, "],
    ),
    "what is no JSON": (
        ["UPDATE events SET data = '{' WHERE number = 8"],
        ["entry 8 of the log: altered: it cannot be read"],
    ),
    "an entry deleted": (
        ["DELETE FROM events WHERE number = 4"],
        ["entry 4 of the log: missing: entry 5 comes next",
         CROP.format(1, 1) + ": what stands of it was altered"],
    ),
    "two entries changed places": (
        ["UPDATE events SET number = -1 WHERE number = 4",
         "UPDATE events SET number = 4 WHERE number = 5",
         "UPDATE events SET number = 5 WHERE number = -1"],
        ["entry 4 of the log: does not continue the entry before it",
         "entry 4 of the log: altered (by bob, accept, ",
         "entry 5 of the log: does not continue the entry before it",
         "entry 5 of the log: altered (by anna, verdict, ",
         "entry 6 of the log: does not continue the entry before it",
         CROP.format(1, 1) + ": what stands of it was altered: last_event is 4, by the log 5"],
    ),
    "the tail cut": (
        ["DELETE FROM events WHERE number > 12"],
        ["entries 13 to 16 of the log: missing at the end: 16 were written",
         CROP.format(2, 2) + ": what stands of it was altered",
         CROP.format(4, 4) + ": what stands of it was altered",
         "sample 'S-1': its summary was altered"],
    ),
    "the tail cut past a signature, and the end made to fit": (
        ["DELETE FROM events WHERE number > 7",
         "UPDATE head SET count = 7, sha256 = (SELECT sha256 FROM events WHERE number = 7)"],
        ["the log's end: cut: report 1 of sample 1 knows 8 entries; entries 8 to 8 are missing",
         "report 1 of sample 'S-1': put in past the log",
         "sample 'S-2': put in past the log",
         "user 'anna': put in past the log"],
    ),
    "an entry put in at the end": (
        ["INSERT INTO events SELECT 17, at, actor, kind, sample_id, crop_id, data, previous, "
         "sha256 FROM events WHERE number = 14"],
        ["entry 17 of the log: does not continue the entry before it",
         "entry 17 of the log: altered (by bob, verdict, ",
         "the log's end: altered: it says 16 entries",
         CROP.format(2, 2) + ": what stands of it was altered: last_event is 14, by the log 17",
         "sample 'S-1': its summary was altered: last_event is 14, by the records 17"],
    ),
    "the end deleted": (["DELETE FROM head"], ["the log's end: missing: how long the log is"]),
    "a crop's picture": (
        ["UPDATE crop_pictures SET png = (SELECT png FROM crop_pictures WHERE crop_id = 2) "
         "WHERE crop_id = 1"],
        [CROP.format(1, 1) + ": its picture is altered"],
    ),
    "a crop's picture deleted": (
        ["DELETE FROM crop_pictures WHERE crop_id = 1"],
        [CROP.format(1, 1) + ": its picture is missing"],
    ),
    "a crop deleted": (
        ["DELETE FROM crop_pictures WHERE crop_id = 4", "DELETE FROM standings WHERE crop_id = 4",
         "DELETE FROM crops WHERE id = 4"],
        [CROP.format(4, 4) + ": missing", "sample 'S-1': its summary was altered"],
    ),
    "a crop put in": (
        ["INSERT INTO crops SELECT 9, image_id, sample_id, 9, opinion, need, sha256 FROM crops "
         "WHERE id = 1"],
        [CROP.format(9, 9) + ": put in past the log",
         CROP.format(9, 9) + ": what stands of it is missing"],
    ),
    "two crops changed places": (
        ["UPDATE crops SET id = -1 WHERE id = 1", "UPDATE crops SET id = 1 WHERE id = 2",
         "UPDATE crops SET id = 2 WHERE id = -1"],
        [CROP.format(1, 1) + ": altered: the model's opinion",
         CROP.format(2, 2) + ": altered: the model's opinion",
         CROP.format(1, 2) + ": what stands of it was altered",
         CROP.format(2, 1) + ": what stands of it was altered"],
    ),
    "a pixel size": (
        ["UPDATE samples SET pixel_size_um = 0.2 WHERE id = 1"],
        ["sample 'S-1': altered: pixel_size_um is 0.2, recorded 0.1"],
    ),
    "a replicate": (
        ["UPDATE files SET replicate = 'B' WHERE id = 1"],
        ["field-0.tif of sample 'S-1': altered: replicate is \"B\", recorded \"A\""],
    ),
    "an image's size": (
        ["UPDATE images SET width = 61"],
        ["image 1 (field-0.tif of sample 'S-1'): altered: width is 61, recorded 60"],
    ),
    "why a file failed": (
        ["UPDATE failures SET reason = 'fine'"],
        ["failure 1: altered: reason is \"fine\", recorded "],
    ),
    "the model's card": (
        ["UPDATE models SET card = card || ' '"],
        ["model {model}: altered: its card has another hash"],
    ),
    "the model's name": (
        ["UPDATE models SET name = 'better'"],
        ["the grading of image 1 (field-0.tif of sample 'S-1'): altered: model is {"],
    ),
    "a head's length": (
        ["UPDATE gradings SET head_length_px = 50"],
        ["the grading of image 1 (field-0.tif of sample 'S-1'): altered: head_length_px is 50.0"],
    ),
    "a signed document": (
        ["UPDATE reports SET document = '{\"n\": 2}'"],
        ["report 1 of sample 'S-1': altered: the signed document has another hash"],
    ),
    "who signed": (
        ["UPDATE reports SET signed_name = 'Bob'"],
        ["report 1 of sample 'S-1': altered: signed_name is \"Bob\", recorded \"Anna\""],
    ),
    "a signed report deleted": (
        ["DELETE FROM reports"],
        ["report 1 of sample 'S-1': missing", "sample 'S-1': its summary was altered"],
    ),
    "a role raised": (
        ["UPDATE users SET role = 'admin'"],
        ["user 'anna': altered: role is \"admin\", recorded \"reviewer\""],
    ),
    "a password": (
        ["UPDATE users SET password_hash = 'other'"],
        ["user 'anna': altered: password is "],
    ),
    "a token's role": (
        ["UPDATE tokens SET role = 'admin'"],
        ["API token 1: altered: role is \"admin\", recorded \"viewer\""],
    ),
    "a token revived": (
        ["UPDATE tokens SET revoked = FALSE"],
        ["API token 1: altered: revoked is false, recorded true"],
    ),
    "a user put in": (
        ["INSERT INTO users SELECT 9, 'mallory', 'mallory', role, password_hash, created, "
         "disabled FROM users"],
        ["user 'mallory': put in past the log"],
    ),
    "how far a sample has come": (
        ["UPDATE states SET normal = 99 WHERE sample_id = 1"],
        ["sample 'S-1': its summary was altered: normal is 99, by the records "],
    ),
}  # fmt: skip


def test_every_alteration_is_found_and_named(filled: Records, place: Place) -> None:
    """One store for the whole table: each alteration is undone before the next."""
    import json

    with filled.database.read() as connection:
        name, version = connection.execute(text("SELECT name, version FROM models")).one()
    tables = [
        "events", "head", "samples", "files", "images", "failures", "models", "gradings", "crops",
        "crop_pictures", "reports", "users", "tokens", "standings", "states",
    ]  # fmt: skip
    with unguarded(place) as run:
        for table in tables:
            run(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
        wrong = {}
        for what, (commands, expected) in TAMPERED.items():
            for command in commands:
                run(command)
            found = [f for f in faults(filled) if not f.startswith("trigger ")]
            beginnings = [e.replace("{model}", f"{name} {version}") for e in expected]
            unsaid = [e for e in beginnings if not any(f.startswith(e) for f in found)]
            # A cut tail drags much behind it; every other alteration names itself alone.
            more = [f for f in found if not any(f.startswith(e) for e in beginnings)]
            if unsaid or (more and "tail" not in what):
                wrong[what] = {"not found": unsaid, "found too": more}
            for table in tables:
                run(f"DELETE FROM {table}")
                run(f"INSERT INTO {table} SELECT * FROM kept_{table}")
        for table in tables:
            run(f"DROP TABLE kept_{table}")
    assert wrong == {}, json.dumps(wrong, indent=1)
    assert faults(filled) == []


@pytest.mark.parametrize("what", ["altered", "cut", "deleted"])
def test_a_picture_on_the_disk(tmp_path: Path, what: str) -> None:
    with Records.open(f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "images") as records:
        sample = records.samples.create("S-1", actor="anna")
        (image,) = records.images.add(sample.id, clean_file(tiff(1), "a.tif"), actor="anna")
        path = records.images.path(image.sha256)
        content = bytearray(path.read_bytes())
        content[-20] ^= 1
        if what == "deleted":
            path.unlink()
        else:
            path.write_bytes(content if what == "altered" else content[:-5])
        said = "missing" if what == "deleted" else "altered: it has another hash"
        assert faults(records) == [
            f"the picture of image 1 (a.tif of sample 'S-1'): {said} ({image.sha256}.png)"
        ]
        # The same file given again puts it right.
        other = records.samples.create("S-2", actor="anna")
        records.images.add(other.id, clean_file(tiff(1), "a.tif"), actor="anna")
        assert faults(records) == []


def test_a_trigger_that_was_dropped(tmp_path: Path) -> None:
    with Records.open(f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "images") as records:
        with records.database.engine.begin() as connection:
            connection.execute(text("DROP TRIGGER events_no_update"))
        assert faults(records) == [
            "trigger events_no_update: missing: what is written once could be changed"
        ]


def test_a_log_rewritten_whole_is_told_by_an_anchor_alone(tmp_path: Path) -> None:
    """What the chain cannot prove by itself, and what a number on paper does."""
    place = Place(f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "images")
    with Records.open(place.url, place.images) as records:
        _, crops = graded_sample(records)
        records.reviews.accept(crops[0].id, actor="anna")
        records.reviews.accept(crops[1].id, actor="anna")
        anchor = records.log.anchor()
        events = list(records.log)
        with unguarded(place) as run:
            previous = events[3].previous
            for event in events[3:]:
                with records.database.read() as connection:
                    row = connection.execute(
                        text("SELECT * FROM events WHERE number = :n"), {"n": event.number}
                    ).one()
                sha256 = chained(
                    previous, number=event.number, at=row.at, actor="mallory",
                    kind=row.kind, sample_id=row.sample_id, crop_id=row.crop_id,
                    data=parsed(row.data),
                )  # fmt: skip
                run(
                    f"UPDATE events SET actor = 'mallory', previous = '{previous}', "
                    f"sha256 = '{sha256}' WHERE number = {event.number}"
                )
                previous = sha256
            run(f"UPDATE head SET sha256 = '{previous}'")
        assert faults(records) == []
        assert faults(records, ("monday's backup", anchor)) == [
            "the log: another one than monday's backup knows: entry 5 has another hash there, so "
            "it or one before it was rewritten"
        ]
        before = Anchor(3, events[2].sha256)
        assert faults(records, ("an earlier one", before)) == []
        longer = Anchor(9, "0" * 64)
        assert faults(records, ("the printed report", longer)) == [
            "the log's end: cut: the printed report knows 9 entries; entries 6 to 9 are missing"
        ]


def test_an_anchor_is_read_as_it_is_printed() -> None:
    anchor = Anchor(12, "ab" * 32)
    assert parse_anchor(f" {anchor}\n") == anchor


@pytest.mark.parametrize(
    "given", ["", "12", "12:ab", "-1:" + "a" * 64, "1:" + "G" * 64, "٣:" + "a" * 64]
)
def test_what_is_no_anchor(given: str) -> None:
    with pytest.raises(RecordsError, match="expected an anchor COUNT:HASH"):
        parse_anchor(given)


def test_kinds_of_entries_are_all_written_by_something() -> None:
    """A kind that nothing writes would be verified by nothing."""
    source = Path(__file__).parents[2] / "src" / "androscope" / "records"
    written = "".join(p.read_text(encoding="utf-8") for p in source.glob("*.py"))
    assert [k for k in EventKind if f"EventKind.{k.name}" not in written] == []

"""A store through its areas: what goes in comes out, and what must not happen is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from androscope.errors import (
    ImageUnreadableError,
    RecordConflictError,
    RecordExistsError,
    RecordMissingError,
    RecordsError,
)
from androscope.records.clean import clean_file
from androscope.records.entries import EventKind
from androscope.records.people import Reply, Role
from androscope.records.store import Records
from androscope.records.tables import FROZEN
from androscope.records.types import JobState, SampleStatus, StoredModel
from androscope.records.verify import verify
from androscope.types import Failure, Verdict

from .conftest import MODEL, Place, find, graded_sample, pixels, tiff


def faults(records: Records) -> list[str]:
    with records.database.read() as connection:
        return [f"{f.record}: {f.reason}" for f in verify(connection, records.pictures).faults]


def test_samples_are_made_listed_and_found(records: Records) -> None:
    made = [
        records.samples.create(name, actor="anna", comment=comment, settings={"model": "default"})
        for name, comment in (("S-1", ""), ("S%2", "Second wash"), ("T-3", ""))
    ]
    assert records.samples.get(made[0].id) == made[0]
    assert records.samples.named("S%2") == made[1]
    assert records.samples.named("s%2") is None
    listed = records.samples.list(per_page=2)
    assert [s.name for s in listed.items] == ["T-3", "S%2"]
    assert (listed.total, listed.pages) == (3, 2)
    assert [s.name for s in records.samples.list(page=2, per_page=2).items] == ["S-1"]
    # A search's percent sign is no wildcard.
    assert [s.name for s in records.samples.list(search="%").items] == ["S%2"]
    assert [s.name for s in records.samples.list(search="WASH").items] == ["S%2"]
    assert records.samples.list(status=SampleStatus.EMPTY).total == 3
    assert records.samples.list(status=SampleStatus.SIGNED).total == 0
    with pytest.raises(RecordExistsError, match="there is a sample 'S-1' already"):
        records.samples.create(" S-1 ", actor="bob")
    with pytest.raises(RecordMissingError, match="there is no sample 99"):
        records.samples.get(99)


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        pytest.param(" ", None, "1 to 200 printable", id="blank"),
        pytest.param("a\nb", None, "1 to 200 printable", id="line-feed"),
        pytest.param("x" * 201, None, "1 to 200 printable", id="long"),
        pytest.param("x", 0.0, "above 0 um", id="no-size"),
        pytest.param("x", float("nan"), "above 0 um", id="nan"),
    ],
)
def test_a_sample_that_cannot_be(
    records: Records, name: str, size: float | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        records.samples.create(name, actor="anna", pixel_size_um=size)
    assert records.log.anchor().count == 0


def test_an_image_is_kept_once_and_its_name_is_no_path(records: Records) -> None:
    first = records.samples.create("S-1", actor="anna")
    other = records.samples.create("S-2", actor="anna")
    file = clean_file(tiff(1), "../../etc/passwd")
    (image,) = records.images.add(first.id, file, actor="anna")
    assert records.images.add(first.id, file, actor="bob") == (image,)
    (same,) = records.images.add(other.id, file, actor="anna")
    assert (image.name, image.original_sha256) == ("../../etc/passwd", file.sha256)
    assert same.sha256 == image.sha256
    assert list(records.pictures) == [image.sha256]
    assert records.images.path(image.sha256).is_relative_to(records.pictures.folder)
    assert records.images.get(image.id) == image
    assert records.images.list(first.id) == (image,)
    with pytest.raises(RecordExistsError, match=r"another file '\.\./\.\./etc/passwd'"):
        records.images.add(first.id, clean_file(tiff(2), file.name), actor="anna")
    with pytest.raises(RecordMissingError, match="there is no sample 77"):
        records.images.add(77, file, actor="anna")
    with pytest.raises(ValueError, match="64 hex digits"):
        records.images.path("../../etc/passwd")
    assert records.samples.get(first.id).status == SampleStatus.GRADING
    assert faults(records) == []


def test_what_cannot_be_read_is_listed(records: Records) -> None:
    sample = records.samples.create("S-1", actor="anna")
    assert records.images.add(sample.id, clean_file(b"text", "a.png"), actor="anna") == ()
    (image,) = records.images.add(sample.id, clean_file(tiff(1), "b.tif"), actor="anna")
    job = records.jobs.claim("w")
    assert job is not None
    assert job.image_id == image.id
    records.jobs.fail(job, ImageUnreadableError("no head in it", advice="Take another"))
    (replicate, unread), (_, refused) = records.images.failures(sample.id)
    assert (replicate, unread.source, unread.code) == ("1", "a.png", "image-unreadable")
    assert refused == Failure("b.tif", None, "image-unreadable", "no head in it", "Take another")
    failed = records.jobs.get(job.id)
    assert (failed.state, failed.reason) == (JobState.FAILED, "no head in it")
    # Graded at a later try, it is no failure any more; the log keeps both.
    assert records.jobs.retry(sample.id) == 1
    again = records.jobs.claim("w")
    assert again is not None
    records.crops.add(image.id, [find(1)], MODEL, kind="field", job=again)
    assert [failure.source for _, failure in records.images.failures(sample.id)] == ["a.png"]
    assert records.samples.get(sample.id).failures == 1
    assert faults(records) == []


def test_opinions_come_back_as_they_went_in(records: Records) -> None:
    sample_id, crops = graded_sample(records)
    for seed, crop in enumerate(crops):
        given = find(seed)
        assert crop.opinion == given  # all but the pixels
        assert crop.verdicts == {part.label: part.verdict for part in given.parts}
        assert crop.model == f"{MODEL.name} {MODEL.version}"
        kept = records.crops.pixels(crop.id)
        assert kept is not None
        assert np.array_equal(kept, pixels(seed))
    listed = records.crops.list(sample_id)
    assert listed.items == crops
    assert records.crops.get(crops[2].id) == crops[2]
    needs = [crop.need for crop in records.crops.list(sample_id, order="need").items]
    assert needs == sorted(needs, reverse=True)
    assert needs[0] >= 2  # the one out of focus
    records.reviews.accept(records.crops.list(sample_id, order="need").items[0].id, actor="bob")
    by_need = records.crops.list(sample_id, order="need")
    assert by_need.items[-1].reviewed
    assert records.crops.list(sample_id, reviewed=False).total == len(crops) - 1


def test_an_opinion_is_never_overwritten(records: Records) -> None:
    sample_id, crops = graded_sample(records)
    with pytest.raises(RecordExistsError, match="an opinion is never overwritten"):
        records.crops.add(crops[0].image_id, [find(9)], MODEL, kind="field")
    (image,) = records.images.add(sample_id, clean_file(tiff(9), "more.tif"), actor="anna")
    other = StoredModel("other", "2", MODEL.sha256, MODEL.card_json + " ")
    with pytest.raises(RecordConflictError, match="now by other 2 with None: a report speaks of"):
        records.crops.add(image.id, [find(9)], other, kind="field")
    assert records.crops.list(sample_id).items == crops


def test_crops_that_were_left_out(records: Records) -> None:
    sample = records.samples.create("S-1", actor="anna")
    (image,) = records.images.add(sample.id, clean_file(tiff(1), "a.tif"), actor="anna")
    debris = find(1, pixels=None, parts=(), flags=(), excluded="too small", is_sperm=False)
    edge = find(2, pixels=None, parts=(), flags=(), excluded="cut by the edge")
    kept = records.crops.add(image.id, [debris, edge, find(3)], MODEL, kind="field")
    state = records.samples.get(sample.id)
    assert (state.found, state.assessed) == (2, 1)
    assert records.crops.png(kept[0].id) is None
    assert records.crops.list(sample.id, graded_only=True).total == 1
    with pytest.raises(ValueError, match="none: it was not graded"):
        records.reviews.verdict(kept[0].id, "head", Verdict.NORMAL, actor="a")
    assert records.reviews.sperm(kept[0].id, True, actor="a").is_sperm
    assert records.samples.get(sample.id).found == 3
    assert faults(records) == []


def test_a_review_and_what_is_taken_back(records: Records) -> None:
    sample_id, crops = graded_sample(records)
    crop = crops[1]
    before = crop.verdicts["head"]
    flipped = Verdict.NORMAL if before == Verdict.ABNORMAL else Verdict.ABNORMAL
    changed = records.reviews.verdict(
        crop.id, "head", flipped, actor="anna", why="thick neck", expected=before
    )
    assert (changed.verdicts["head"], changed.reviewed) == (flipped, True)
    assert changed.opinion == crop.opinion
    with pytest.raises(RecordConflictError, match=f"is {flipped} by now, not {before}"):
        records.reviews.verdict(crop.id, "head", flipped, actor="bob", expected=before)
    with pytest.raises(ValueError, match="'nose' is no graded part"):
        records.reviews.verdict(crop.id, "nose", flipped, actor="bob")
    with pytest.raises(RecordMissingError, match="there is no crop 999"):
        records.reviews.accept(999, actor="bob")
    records.reviews.sperm(crop.id, False, actor="bob")
    last = records.crops.get(crop.id).last_event
    with pytest.raises(RecordConflictError, match="is not the last change of crop"):
        records.reviews.undo(crop.id, actor="anna", number=last - 1)
    assert records.reviews.undo(crop.id, actor="anna", number=last).is_sperm
    back = records.reviews.undo(crop.id, actor="anna")
    assert (back.verdicts, back.reviewed) == (crop.verdicts, False)
    with pytest.raises(RecordConflictError, match="nothing was said of crop"):
        records.reviews.undo(crop.id, actor="anna")
    history = records.reviews.history(crop.id)
    assert [event.kind for event in history] == [
        EventKind.VERDICT, EventKind.SPERM, EventKind.UNDO, EventKind.UNDO,
    ]  # fmt: skip
    assert history[0].data == {
        "part": "head", "from": before.value, "to": flipped.value, "why": "thick neck",
    }  # fmt: skip
    assert history[3].data["undoes"] == history[0].number
    assert history[3].data["to"] == before.value
    assert records.samples.get(sample_id).status == SampleStatus.GRADED


def test_observers_stay_apart(records: Records) -> None:
    sample_id, crops = graded_sample(records)
    for verdict in (Verdict.NORMAL, Verdict.ABNORMAL):
        records.reviews.observe(crops[0].id, {"head": verdict}, observer="eve")
    records.reviews.observe(crops[1].id, {"head": Verdict.NORMAL}, observer="eve", is_sperm=False)
    records.reviews.observe(crops[0].id, {"head": Verdict.UNDECIDED}, observer="bob")
    seen = [
        (o.observer, o.crop_id, o.verdicts["head"], o.is_sperm)
        for o in records.reviews.observations(sample_id)
    ]
    assert seen == [
        ("bob", crops[0].id, Verdict.UNDECIDED, True),
        ("eve", crops[0].id, Verdict.ABNORMAL, True),
        ("eve", crops[1].id, Verdict.NORMAL, False),
    ]
    assert len(records.reviews.observations(sample_id, "bob")) == 1
    assert records.crops.list(sample_id).items == crops
    with pytest.raises(ValueError, match="nose: no graded part"):
        records.reviews.observe(crops[0].id, {"nose": Verdict.NORMAL}, observer="eve")


def test_a_signed_report_is_frozen(records: Records) -> None:
    sample_id, crops = graded_sample(records)
    findings, anchor = records.findings(sample_id)
    assert findings.settings["log of the records"].startswith(f"{anchor.count} entries, the last ")
    signed = records.reports.sign(
        sample_id, '{"a": 1}', anchor=anchor, actor="anna", name="Dr Anna", comment="ok"
    )
    assert (signed.version, signed.document, signed.anchor) == (1, '{"a": 1}', anchor)
    assert records.samples.get(sample_id).status == SampleStatus.SIGNED
    # Another observer's opinion changes nothing of what was signed.
    records.reviews.observe(crops[0].id, {"head": Verdict.NORMAL}, observer="eve")
    assert records.samples.get(sample_id).status == SampleStatus.SIGNED
    records.reviews.accept(crops[0].id, actor="bob")
    assert records.samples.get(sample_id).status == SampleStatus.CHANGED
    with pytest.raises(RecordConflictError, match="was changed after the report was built"):
        records.reports.sign(sample_id, "{}", anchor=anchor, actor="anna", name="Dr Anna")
    _, anchor = records.findings(sample_id)
    second = records.reports.sign(sample_id, "{}", anchor=anchor, actor="anna", name="Dr Anna")
    assert second.version == 2
    assert records.reports.list(sample_id) == (signed, second)
    assert records.reports.get(sample_id) == second
    assert records.reports.get(sample_id, 1) == signed
    with pytest.raises(RecordMissingError, match="no version 3"):
        records.reports.get(sample_id, 3)
    assert faults(records) == []


def test_what_cannot_be_signed(records: Records) -> None:
    sample_id, _ = graded_sample(records)
    _, anchor = records.findings(sample_id)
    sign: Callable[..., object] = records.reports.sign
    with pytest.raises(ValueError, match="with a name"):
        sign(sample_id, "{}", anchor=anchor, actor="anna", name=" ")
    with pytest.raises(ValueError, match="a JSON object"):
        sign(sample_id, "[]", anchor=anchor, actor="anna", name="A")
    records.images.add(sample_id, clean_file(tiff(5), "late.tif"), actor="anna")
    _, anchor = records.findings(sample_id)
    with pytest.raises(RecordConflictError, match="1 images wait to be graded"):
        sign(sample_id, "{}", anchor=anchor, actor="anna", name="A")
    empty = records.samples.create("S-2", actor="anna")
    with pytest.raises(RecordConflictError, match="nothing of sample 'S-2' was graded"):
        records.findings(empty.id)
    with pytest.raises(RecordConflictError, match="nothing was graded"):
        sign(empty.id, "{}", anchor=records.log.anchor(), actor="anna", name="A")


def test_jobs_go_to_one_worker_each_and_come_back(records: Records) -> None:
    sample = records.samples.create("S-1", actor="anna")
    for seed in range(3):
        records.images.add(sample.id, clean_file(tiff(seed), f"{seed}.tif"), actor="anna")
    first, second = records.jobs.claim("a"), records.jobs.claim("b", lease_s=-1)
    assert first is not None
    assert second is not None
    assert (first.worker, second.worker, second.attempts) == ("a", "b", 1)
    assert records.jobs.beat(first, progress=0.5)
    assert records.jobs.get(first.id).progress == 0.5
    # b was not heard of for its lease: another worker takes over, and b is told.
    taken = records.jobs.claim("c")
    assert taken is not None
    assert (taken.id, taken.worker, taken.attempts) == (second.id, "c", 2)
    assert not records.jobs.beat(second)
    with pytest.raises(RecordConflictError, match="given to another worker"):
        records.jobs.done(second)
    assert second.image_id is not None
    with pytest.raises(RecordConflictError, match="given to another worker"):
        records.crops.add(second.image_id, [find(1)], MODEL, kind="field", job=second)
    assert records.crops.list(sample.id).total == 0
    # A server that starts anew takes up what was going on.
    assert records.jobs.requeue() == 2
    assert records.jobs.waiting() == 3
    assert records.jobs.cancel(sample.id) == 3
    assert records.jobs.claim("a") is None
    assert records.jobs.counts(sample.id)[JobState.CANCELLED] == 3
    assert records.samples.get(sample.id).status == SampleStatus.EMPTY
    assert faults(records) == []


def test_a_job_that_takes_its_worker_down_is_given_up(records: Records) -> None:
    sample = records.samples.create("S-1", actor="anna")
    records.images.add(sample.id, clean_file(tiff(1), "a.tif"), actor="anna")
    for _ in range(5):
        assert records.jobs.claim("w", lease_s=-1) is not None
    assert records.jobs.claim("w") is None
    ((_, failure),) = records.images.failures(sample.id)
    assert failure.reason == "it was begun 5 times and broken off each time"


def test_other_work_is_queued_too(records: Records) -> None:
    job = records.jobs.add("adapt", detail={"samples": ["S-1"]})
    assert records.jobs.claim("w") is None
    claimed = records.jobs.claim("w", kind="adapt")
    assert claimed is not None
    assert (claimed.id, claimed.detail) == (job.id, {"samples": ["S-1"]})
    records.jobs.done(claimed)
    assert [j.state for j in records.jobs.list(kind="adapt")] == [JobState.DONE]


def test_many_at_once_lose_nothing(records: Records) -> None:
    sample_id, crops = graded_sample(records, crops=4)
    raised: list[Exception] = []

    def review(number: int) -> None:
        try:
            for crop in crops:
                records.reviews.verdict(crop.id, "head", Verdict.ABNORMAL, actor=f"r{number}")
                records.samples.get(sample_id)
        except RecordsError as error:
            raised.append(error)

    threads = [threading.Thread(target=review, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    said = records.log.events(sample_id=sample_id, per_page=1000).items
    assert sum(event.kind == EventKind.VERDICT for event in said) == 4 * 4
    assert faults(records) == []


def test_users_sessions_and_tokens(records: Records) -> None:
    anna = records.users.create("Anna", Role.REVIEWER, "hash", actor="cli")
    assert records.users.get("ANNA ") == anna
    with pytest.raises(RecordExistsError, match="there is a user 'anna'"):
        records.users.create("anna", Role.ADMIN, "x", actor="cli")
    secret, session = records.sessions.create(anna.id)
    assert records.sessions.get(secret) == session
    assert records.sessions.get("other") is None
    over, _ = records.sessions.create(anna.id, lasts_s=-1)
    assert records.sessions.get(over) is None
    assert records.sessions.clear() == 1
    with pytest.raises(ValueError, match="can be no more"):
        records.tokens.create(anna.id, "script", Role.ADMIN, actor="Anna")
    token, listed = records.tokens.create(anna.id, "script", Role.VIEWER, actor="Anna")
    found = records.tokens.user(token)
    assert found == (anna, listed)
    assert records.tokens.user(token + "x") is None
    (used,) = records.tokens.list(anna.id)
    assert used.last_used is not None
    # Neither secret nor token is anywhere in the store.
    with records.database.read() as connection:
        for table in ("sessions", "tokens", "events"):
            assert all(
                secret not in str(row) and token not in str(row)
                for row in connection.execute(text(f"SELECT * FROM {table}"))
            )
    records.tokens.revoke(listed.id, actor="Anna")
    assert records.tokens.user(token) is None
    changed = records.users.change("anna", actor="root", role=Role.VIEWER, disabled=True)
    assert (changed.role, changed.disabled) == (Role.VIEWER, True)
    assert records.sessions.get(secret) is None
    with pytest.raises(ValueError, match="who may come in"):
        records.sessions.create(anna.id)
    assert records.users.list() == (changed,)
    assert faults(records) == []


def test_attempts_and_replies(records: Records) -> None:
    for name, address in (("Anna", "1"), ("anna", "2"), ("bob", "1")):
        records.attempts.add(name, address)
    assert records.attempts.count(name="ANNA", address="1", within_s=60) == (2, 2)
    assert records.attempts.count(name="ANNA", address="1", within_s=-60) == (0, 0)
    records.attempts.clear(name="anna")
    assert records.attempts.count(name="anna", address="1", within_s=60) == (0, 1)
    first = Reply("a" * 64, 201, "{}")
    assert records.replies.put("key", first, user="anna") == first
    assert records.replies.put("key", Reply("b" * 64, 201, "[]"), user="anna") == first
    assert records.replies.get("key", user="bob") is None
    assert records.replies.clear(older_than_s=-60) == 1
    assert records.replies.get("key", user="anna") is None


def test_what_is_written_once_cannot_be_changed(records: Records, place: Place) -> None:
    sample_id, _ = graded_sample(records)
    records.images.add(sample_id, clean_file(b"junk", "junk.png"), actor="anna")
    job = records.jobs.claim("w")
    assert job is None
    _, anchor = records.findings(sample_id)
    records.reports.sign(sample_id, "{}", anchor=anchor, actor="anna", name="A")
    column = {"events": "actor", "gradings": "kind", "crop_pictures": "png", "crops": "opinion",
              "failures": "code", "models": "name", "reports": "comment"}  # fmt: skip
    for table in FROZEN:
        what = column.get(table, "sample_id" if table in ("files", "images") else "name")
        commands = [f"UPDATE {table} SET {what} = {what}", f"DELETE FROM {table}"]
        if not place.is_sqlite:
            commands.append(f"TRUNCATE {table} CASCADE")
        for command in commands:
            with (
                pytest.raises(Exception, match="append-only"),
                records.database.engine.begin() as connection,
            ):
                connection.execute(text(command))
    assert faults(records) == []


def test_sqlite_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    with (
        Records.open(f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "images") as records,
        records.database.read() as connection,
    ):
        pragmas = {
            name: connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000,
    }  # fmt: skip


def test_an_entry_says_who(records: Records) -> None:
    with pytest.raises(ValueError, match="needs to say who"):
        records.samples.create("S-1", actor=" ")
    assert records.samples.list().total == 0


def test_a_store_that_is_gone_is_named(records: Records, place: Place) -> None:
    with records.database.engine.begin() as connection:
        connection.execute(text("DROP TABLE head"))
    with pytest.raises(RecordsError, match=r"the database cannot be used: .*head"):
        records.log.anchor()

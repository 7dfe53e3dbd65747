"""SIGKILL in the middle of an upload, a review or a migration loses nothing acknowledged.

Twenty children for each database, really killed, at times drawn by chance.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from sqlalchemy import text

from androscope.errors import RecordsNewerError
from androscope.records.database import Database, url_of
from androscope.records.migrate import SCRIPTS, bring_up, revision_of
from androscope.records.store import Records
from androscope.records.types import JobState
from androscope.records.verify import verify

from .conftest import CARD, Place

NURSERY = Path(__file__).with_name("nursery.py")

#: A migration of many steps; each says that it was done, so that death can come between two.
LATER = """
import os
import time

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer(), primary_key=True))
    for number in range(40):
        op.execute(f"INSERT INTO later (id) VALUES ({number + 1})")
        if number % 8 == 0:
            op.add_column("jobs", sa.Column(f"later_{number}", sa.Text(), nullable=True))
        os.write(1, b'["step"]\\n')
        time.sleep(0.005)  # as long as a table with something in it takes
"""


class Nursery:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self.orders: IO[str] = process.stdin
        self.said: IO[str] = process.stdout
        assert self.hear() == ["ready"]

    def hear(self) -> list[Any]:
        heard: list[Any] = json.loads(self.said.readline())
        return heard

    def killed_child(self, lines: int, wait_s: float, **order: object) -> list[list[Any]]:
        """Let a child work, kill it a moment after it said so many lines; gives all it said."""
        self.orders.write(json.dumps(order) + "\n")
        self.orders.flush()
        said: list[list[Any]] = []
        child = 0
        while True:
            heard = self.hear()
            if heard[0] == "child":
                child = int(heard[1])
            elif heard[0] == "dead":
                return said
            else:
                said.append(heard)
            if child and len(said) == lines:
                lines = -1
                time.sleep(wait_s)
                os.kill(child, signal.SIGKILL)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "ANDROSCOPE_"))}
    with subprocess.Popen(
        [sys.executable, str(NURSERY)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environ,
    ) as process:  # fmt: skip
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()


def test_twenty_deaths_lose_nothing_acknowledged(
    place: Place, nursery: Nursery, tmp_path: Path
) -> None:
    chance = random.Random(6)
    scripts = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "0002_later.py").write_text(LATER)
    with Records.open(place.url, place.images) as records:
        sample_id = records.samples.create("S-1", actor="anna").id
    order: dict[str, object] = {
        "url": place.url, "images": str(place.images), "sample": sample_id, "card": CARD.to_json(),
        "scripts": str(scripts),
    }  # fmt: skip
    kept: dict[str, dict[int, Any]] = {"image": {}, "graded": {}, "said": {}}
    stands: dict[int, tuple[int, str]] = {}
    works = ["upload"] * 8 + ["review"] * 8
    for seed, work in enumerate(works):
        # The first two lines of "begun" and an image are there before any review.
        lines, wait_s = 2 + chance.randrange(6), chance.random() * 0.03
        for what, *facts in nursery.killed_child(lines, wait_s, work=work, seed=seed, **order):
            if what == "image":
                kept["image"][facts[0]] = facts[1]
            elif what == "graded":
                kept["graded"][facts[0]] = facts[1]
            elif what in ("said", "undone"):
                kept["said"][facts[0]] = facts[1:]
                stands[facts[1]] = (facts[0], facts[2])
        check(place, sample_id, kept, stands)
    revisions = set()
    for lines in (1 + chance.randrange(10), 11 + chance.randrange(10), 25, 41):
        nursery.killed_child(lines, 0.0, work="migrate", **order)
        revisions.add(check_migrated_or_not(place))
        check(place, sample_id, kept, stands, migrated="0002" in revisions)
    assert "0001" in revisions  # death came before its end at least once
    database = Database(url_of(place.url))
    bring_up(database, head="0002", scripts=scripts)
    database.close()
    assert check_migrated_or_not(place) == "0002"
    assert kept["image"]
    assert kept["graded"]
    assert kept["said"]


def check(
    place: Place,
    sample_id: int,
    kept: dict[str, dict[int, Any]],
    stands: dict[int, tuple[int, str]],
    *,
    migrated: bool = False,
) -> None:
    """Everything acknowledged is there, and nothing is half there."""
    if migrated:
        with pytest.raises(RecordsNewerError, match="of schema 0002, which this androscope does"):
            Records.open(place.url, place.images)
        return
    with Records.open(place.url, place.images) as records:
        images = {image.id: image.sha256 for image in records.images.list(sample_id)}
        assert kept["image"].items() <= images.items()
        crops = {crop.id: crop for crop in records.crops.list(sample_id, per_page=10_000).items}
        graded: dict[int, list[int]] = {}
        for crop in crops.values():
            graded.setdefault(crop.image_id, []).append(crop.id)
        for image_id, ids in kept["graded"].items():
            assert graded[image_id] == ids
        assert all(len(ids) == 3 for ids in graded.values())
        numbers = {event.number for event in records.log}
        assert kept["said"].keys() <= numbers
        for crop_id, (number, verdict) in stands.items():
            crop = crops[crop_id]
            # The child may have said one thing more, whose answer it did not live to hear.
            assert crop.last_event >= number
            if crop.last_event == number:
                assert crop.verdicts["head"] == verdict
        # An image is graded or waits to be: none is forgotten between the two.
        records.jobs.requeue()
        waiting = {j.image_id for j in records.jobs.list() if j.state == JobState.QUEUED}
        assert waiting == images.keys() - graded.keys()
        with records.database.read() as connection:
            assert verify(connection, records.pictures).faults == ()


def check_migrated_or_not(place: Place) -> str:
    """The revision, and that the tables are whole of that one."""
    database = Database(url_of(place.url))
    with database.read() as connection:
        revision = revision_of(connection, database.name)
        columns = set(connection.execute(text("SELECT * FROM jobs LIMIT 0")).keys())
        added = {name for name in columns if name.startswith("later_")}
        if revision == "0002":
            assert len(added) == 5
            assert connection.scalar(text("SELECT count(*) FROM later")) == 40
        else:
            assert added == set()
    database.close()
    assert revision is not None
    return revision

"""Children that work on a store and are killed: run as ``python nursery.py``, one order a line.

It imports everything once and forks a child for each order, so that twenty deaths take seconds. A
child says on one line each what was acknowledged to it, after the store's call returned.
"""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from androscope.records.clean import clean_file
from androscope.records.database import Database, url_of
from androscope.records.migrate import bring_up
from androscope.records.store import Records
from androscope.records.types import Find, StoredModel
from androscope.types import PartVerdict, Verdict


def say(*what: object) -> None:
    os.write(1, (json.dumps(what) + "\n").encode())  # at once and whole, past any buffer


def upload(records: Records, sample_id: int, model: StoredModel, seed: int) -> None:
    """Keep pictures, then grade them: as the page does."""
    rng = np.random.default_rng(seed)
    for number in range(10_000):
        stream = io.BytesIO()
        pixels = rng.integers(0, 256, (32, 48), dtype=np.uint8)
        Image.fromarray(pixels).save(stream, "PNG")
        file = clean_file(stream.getvalue(), f"{seed}-{number}.png")
        (image,) = records.images.add(sample_id, file, actor="anna")
        say("image", image.id, image.sha256)
        job = records.jobs.claim("child")
        assert job is not None
        assert job.image_id is not None
        part = PartVerdict("head", 0.25, 0.5, Verdict.NORMAL)
        find = Find(pixels=pixels[:32, :32], parts=(part,))
        crops = records.crops.add(job.image_id, [find] * 3, model, kind="crop", job=job)
        say("graded", job.image_id, [crop.id for crop in crops])


def review(records: Records, sample_id: int, seed: int) -> None:
    """Say things of crops, and take some of them back."""
    rng = np.random.default_rng(seed)
    ids = [crop.id for crop in records.crops.list(sample_id).items]
    while True:
        crop_id = int(rng.choice(ids))
        to = list(Verdict)[int(rng.integers(3))]
        crop = records.reviews.verdict(crop_id, "head", to, actor="anna")
        say("said", crop.last_event, crop_id, to)
        if rng.random() < 0.3:
            crop = records.reviews.undo(crop_id, actor="anna", number=crop.last_event)
            say("undone", crop.last_event, crop_id, crop.verdicts["head"])


def work(order: dict[str, object]) -> None:
    url, images = str(order["url"]), Path(str(order["images"]))
    if order["work"] == "migrate":
        database = Database(url_of(url))
        say("begun")
        bring_up(database, head="0002", scripts=Path(str(order["scripts"])))
        say("migrated")
        return
    seed, sample_id = int(str(order["seed"])), int(str(order["sample"]))
    with Records.open(url, images) as records:
        say("begun")
        if order["work"] == "upload":
            upload(records, sample_id, StoredModel("m", "1", "0" * 64, str(order["card"])), seed)
        else:
            review(records, sample_id, seed)


if __name__ == "__main__":
    say("ready")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                work(json.loads(line))
            finally:
                os._exit(0)
        say("child", child)
        os.waitpid(child, 0)
        say("dead", child)

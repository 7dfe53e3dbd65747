"""Stores for the tests of records: on SQLite and on PostgreSQL, empty or with a sample in them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

pytest.importorskip("sqlalchemy", reason="needs the web extra: SQLAlchemy is not installed")

from androscope.model.bundle import load_bundle
from androscope.records.clean import clean_file
from androscope.records.store import Records
from androscope.records.types import CropRecord, Find, StoredModel
from androscope.types import Flag, PartVerdict, UInt8Array, Verdict

TINY = Path(__file__).parent.parent / "data" / "tiny-bundle"
CARD = load_bundle(TINY).card
MODEL = StoredModel(CARD.name, CARD.version, CARD.model_sha256, CARD.to_json())


@dataclass(frozen=True)
class Place:
    """Where a store is to be: not yet there."""

    url: str
    images: Path

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each test that asks for it runs on both."""
    if request.param == "postgresql":
        return Place(request.getfixturevalue("postgres_url"), tmp_path / "images")
    return Place(f"sqlite:///{tmp_path / 'records.db'}", tmp_path / "images")


@pytest.fixture
def records(place: Place) -> Iterator[Records]:
    with Records.open(place.url, place.images) as opened:
        yield opened


def pixels(seed: int, height: int = 64, width: int = 64) -> UInt8Array:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def tiff(seed: int, height: int = 40, width: int = 60) -> bytes:
    """A file with a tag that could name a patient."""
    stream = io.BytesIO()
    Pillow.fromarray(pixels(seed, height, width)).save(stream, "TIFF", description="Jane Doe")
    return stream.getvalue()


def find(seed: int, **other: object) -> Find:
    """A graded sperm; its opinion depends on the seed."""
    rng = np.random.default_rng(seed)
    parts = []
    for label in CARD.labels:
        probability = round(float(rng.random()), 6)
        verdict = Verdict.ABNORMAL if probability >= 0.5 else Verdict.NORMAL
        if abs(probability - 0.5) < 0.05:
            verdict = Verdict.UNDECIDED
        parts.append(PartVerdict(label, probability, 0.5, verdict))
    flags = (Flag("focus", 0.1, 0.2, "out of focus"),) if seed % 5 == 0 else ()
    values: dict[str, object] = {
        "x": 3.5 * seed, "y": 2.0, "length": 9.0, "width": 5.0, "angle_deg": 30.0,
        "pixels": pixels(seed), "parts": tuple(parts), "flags": flags, "notes": ("cut",),
    }  # fmt: skip
    return Find(**(values | other))  # type: ignore[arg-type]


def graded_sample(
    records: Records, name: str = "S-1", *, crops: int = 6, files: int = 1
) -> tuple[int, tuple[CropRecord, ...]]:
    """A sample of some files, each graded; gives its id and its crops."""
    sample = records.samples.create(name, actor="anna", pixel_size_um=0.1)
    kept: list[CropRecord] = []
    for number in range(files):
        file = clean_file(tiff(len(name) * 100 + number), f"field-{number}.tif")
        (image,) = records.images.add(sample.id, file, replicate="AB"[number % 2], actor="anna")
        job = records.jobs.claim("worker")
        assert job is not None
        finds = [find(100 * number + seed) for seed in range(crops)]
        kept += records.crops.add(
            image.id, finds, MODEL, kind="field", job=job, head_length_px=45.0,
            scale_origin="pixel size",
        )  # fmt: skip
    return sample.id, tuple(kept)

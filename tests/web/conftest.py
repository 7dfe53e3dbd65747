"""A server's parts for its tests: records with a graded sample, browsers of each kind of user."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from argon2 import PasswordHasher
from PIL import Image as Pillow

pytest.importorskip("fastapi", reason="needs the web extra: FastAPI is not installed")

from starlette.testclient import TestClient

from androscope.model.bundle import load_bundle
from androscope.model.card import Card
from androscope.records.clean import clean_file
from androscope.records.people import Role
from androscope.records.store import Records
from androscope.records.types import CropRecord, Find, StoredModel
from androscope.types import Flag, PartVerdict, Verdict
from androscope.web.app import create_app
from androscope.web.options import ServeOptions
from androscope.web.security import passwords

TINY = Path(__file__).parent.parent / "data" / "tiny-bundle"
#: Of every user here.
PASSWORD = "correct horse battery"
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@lru_cache(maxsize=1)
def _card() -> Card:
    return load_bundle(TINY).card


@pytest.fixture(scope="session")
def _empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as it is when new: migrated once."""
    folder = tmp_path_factory.mktemp("empty")
    Records.open(f"sqlite:///{folder / 'records.db'}", folder / "images").close()
    return folder


@pytest.fixture(scope="session")
def password_hash() -> str:
    return _QUICK.hash(PASSWORD)


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing takes a tenth of a second on purpose; here it need not."""
    monkeypatch.setattr(passwords, "_HASHER", _QUICK)


@pytest.fixture
def home(_empty: Path, tmp_path: Path) -> Path:
    """Where the server's files are."""
    folder = tmp_path / "home"
    shutil.copytree(_empty, folder)
    return folder


@pytest.fixture
def records(home: Path) -> Iterator[Records]:
    """Records without a user and without a sample."""
    with Records.open(f"sqlite:///{home / 'records.db'}", home / "images") as opened:
        yield opened


@pytest.fixture
def options(home: Path) -> ServeOptions:
    """A server that grades nothing by itself."""
    return ServeOptions(incoming=home / "incoming", model=str(TINY), threads=1, work=False)


@dataclass(frozen=True)
class Graded:
    """A sample in the records: a field with three sperm and a round cell, and a crop."""

    id: int
    field: int
    field_sha256: str
    crops: tuple[CropRecord, ...]


def png(seed: int, height: int = 64, width: int = 64) -> bytes:
    """A picture's file."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def find(place: tuple[float, float] | None, *verdicts: Verdict, **other: object) -> Find:
    """A graded sperm, its parts' verdicts as given."""
    card = _card()
    chance = {Verdict.NORMAL: 0.1, Verdict.ABNORMAL: 0.9, Verdict.UNDECIDED: 0.5}
    values: dict[str, object] = {
        "pixels": np.full((64, 64), 90, np.uint8),
        "parts": tuple(
            PartVerdict(label, chance[said], 0.5, said)
            for label, said in zip(card.labels, verdicts, strict=True)
        ),
    }
    if place is not None:
        values |= {"x": place[0], "y": place[1], "length": 20.0, "width": 12.0, "angle_deg": 0.0}
    return Find(**(values | other))  # type: ignore[arg-type]


@pytest.fixture
def graded(records: Records) -> Graded:
    card = _card()
    model = StoredModel(card.name, card.version, card.model_sha256, card.to_json())
    n, a, u = Verdict.NORMAL, Verdict.ABNORMAL, Verdict.UNDECIDED
    sample = records.samples.create("S-1", actor="anna", pixel_size_um=0.1, comment="first")
    rest = [n] * (len(card.labels) - 1)
    flag = Flag("focus", 0.1, 0.2, "out of focus: 0.1, at least 0.2 is needed")
    round_cell = Find(
        x=90.0, y=20.0, length=30.0, width=30.0, angle_deg=0.0,
        excluded="a round cell by its size and shape, not a sperm", is_sperm=False,
    )  # fmt: skip
    finds = {
        "field.png": [
            find((20, 20), n, *rest),
            find((60, 40), a, *rest, flags=(flag,)),
            find((100, 70), u, *rest),
            round_cell,
        ],
        "crop.png": [find(None, n, *rest)],
    }
    images, crops = [], []
    for seed, (name, items) in enumerate(finds.items()):
        size = (90, 120) if name == "field.png" else (64, 64)
        (image,) = records.images.add(
            sample.id, clean_file(png(seed, *size), name), replicate="1", actor="anna"
        )
        kind = "field" if name == "field.png" else "crop"
        job = records.jobs.claim("test")
        crops += records.crops.add(image.id, items, model, kind=kind, job=job)
        images.append(image)
    return Graded(sample.id, images[0].id, images[0].sha256, tuple(crops))


class Browser(TestClient):
    """A client that holds the form token of the last page, as a browser's page does."""

    def token(self, page: str = "/samples") -> str:
        found = re.search(r'"X-CSRF-Token": "([^"]+)"', self.get(page).text)
        assert found is not None
        return found[1]

    def submit(self, path: str, page: str = "/samples", **fields: str):
        """Post a form as a page would; redirects are not followed."""
        data = {"csrf": self.token(page), **fields}
        return self.post(path, data=data, follow_redirects=False)


OpenBrowser = Callable[..., Browser]


@pytest.fixture
def browser(records: Records, options: ServeOptions) -> Iterator[OpenBrowser]:
    """Open a browser at a server of these records; options may be changed."""
    opened: list[Browser] = []

    def open_it(**changes: object) -> Browser:
        app = create_app(records, replace(options, **changes))  # type: ignore[arg-type]
        client = Browser(app, base_url="https://127.0.0.1")
        client.__enter__()
        opened.append(client)
        return client

    yield open_it
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def users(records: Records, password_hash: str) -> dict[str, str]:
    """A user of each role, by role; with them, everybody has to log in."""
    for role in Role:
        records.users.create(f"a {role.value}", role, password_hash, actor="test")
    return {role.value: f"a {role.value}" for role in Role}


@pytest.fixture
def logged_in(browser: OpenBrowser, records: Records, users: dict[str, str]) -> OpenBrowser:
    """Open a browser in which a user of a role is in."""

    def open_it(role: str, **changes: object) -> Browser:
        client = browser(**changes)
        user = records.users.get(users[role])
        assert user is not None
        secret, _ = records.sessions.create(user.id)
        client.cookies.set("androscope", secret, domain="127.0.0.1")
        return client

    return open_it

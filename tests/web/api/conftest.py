"""A server's application with records of its own, and a sample that was really graded."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="needs the web extra: fastapi is not installed")

from fastapi.testclient import TestClient

from androscope.imaging.phantom_set import phantom_set
from androscope.records.store import Records
from androscope.web.app import create_app
from androscope.web.options import ServeOptions

TINY = Path(__file__).resolve().parents[2] / "data" / "tiny-bundle"
PROGRAM = {"x-androscope-client": "tests"}


def png(pixels: np.ndarray) -> bytes:
    """A PNG file's bytes."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return stream.getvalue()


def files(count: int = 3, *, broken: bool = False) -> list[tuple[str, tuple[str, bytes]]]:
    """A form's files: phantoms, and one that is no picture."""
    made = [
        ("files", (f"{number}.png", png(phantom.pixels)))
        for number, phantom in enumerate(phantom_set(count, 7, size=32))
    ]
    return [*made, ("files", ("broken.png", b"no picture"))] if broken else made


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A program's way to a server that runs, on its own machine and without users."""
    folder = tmp_path_factory.mktemp("lab")
    options = ServeOptions(incoming=folder / "incoming", model=str(TINY), threads=1)
    with (
        Records.open(f"sqlite:///{folder / 'records.db'}", folder / "images") as records,
        TestClient(create_app(records, options), base_url="https://127.0.0.1") as client,
    ):
        client.headers.update(PROGRAM)
        yield client


@pytest.fixture(scope="module")
def graded(client: TestClient) -> int:
    """Number of a sample with three graded crops and one broken file."""
    sample_id: int = client.post("/api/v1/samples", json={"name": "graded"}).json()["id"]
    path = f"/api/v1/samples/{sample_id}"
    assert client.post(f"{path}/images", files=files(broken=True)).status_code == 202
    wait(client, sample_id)
    return sample_id


def wait(client: TestClient, sample_id: int) -> None:
    """Wait until all of a sample is graded."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if client.get(f"/api/v1/samples/{sample_id}/progress").json()["over"]:
            return
        time.sleep(0.05)
    pytest.fail("grading did not end")

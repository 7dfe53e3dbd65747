"""The client against a real server on a real socket."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from PIL import Image

pytest.importorskip("fastapi", reason="needs the web extra: fastapi is not installed")

import androscope
from androscope.client import ApiError, Client
from androscope.errors import EmptyInputError
from androscope.imaging.phantom_set import phantom_set
from androscope.records.people import Role
from androscope.records.store import Records
from androscope.types import Verdict

from .running import running


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    folder = tmp_path_factory.mktemp("lab")
    with Records.open(f"sqlite:///{folder / 'records.db'}", folder / "images") as records:
        yield records


@pytest.fixture(scope="module")
def url(records: Records, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(records, tmp_path_factory.mktemp("incoming")) as url:
        yield url


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    paths = []
    for number, phantom in enumerate(phantom_set(3, 7, size=32)):
        paths.append(folder / f"{number}.png")
        Image.fromarray(phantom.pixels).save(paths[-1])
    return paths


def test_assess(url: str, pictures: list[Path]) -> None:
    client = androscope.Client(url)
    said = client.assess(pictures, taken_as="crops")
    assert [picture.name for picture in said.pictures] == ["0.png", "1.png", "2.png"]
    part = said.pictures[0].found[0].parts[0]
    assert isinstance(part.verdict, Verdict)
    assert 0 <= part.probability <= 1
    assert "dmtl-lite0" in [model.name for model in client.models()]


def test_a_sample_from_its_images_to_its_signature(url: str, pictures: list[Path]) -> None:
    client = Client(url)
    sample = client.create_sample("A-17", pixel_size_um=0.1)
    (queued,) = client.add_images(sample.id, pictures, replicate="1")
    assert queued.files == ["0.png", "1.png", "2.png"]
    assert client.wait(sample.id, every=0.05).over
    assert client.failures(sample.id) == []
    first, *_ = client.crops(sample.id, order="need")
    part = next(iter(first.verdicts))
    assert client.change(first.id, part, Verdict.UNDECIDED).verdicts[part] == "undecided"
    assert client.undo(first.id).verdicts == first.verdicts
    assert client.heat(first.id).startswith(b"\x89PNG")
    assert client.heat(first.id) in [client.heat(first.id, part) for part in first.verdicts]
    assert client.accept(first.id).reviewed
    assert client.sample(sample.id).reviewed == 1
    assert client.sign(sample.id, "Dr A").version == 1
    assert json.loads(client.report(sample.id, "json"))["sample"] == "A-17"
    assert [found.name for found in client.samples(search="A-17")] == ["A-17"]


def test_lists_are_fetched_page_by_page(url: str, records: Records) -> None:
    for number in range(201):
        records.samples.create(f"many {number}", actor="tests")
    names = [sample.name for sample in Client(url).samples(search="many")]
    assert names == [f"many {number}" for number in range(200, -1, -1)]


def test_what_the_server_refuses(url: str) -> None:
    with pytest.raises(ApiError, match=r"^there is no sample 4711 \(404\)") as caught:
        Client(url).sample(4711)
    assert caught.value.problem is not None
    assert caught.value.problem.code == "record-missing"


def test_no_files(url: str) -> None:
    for call in (Client(url).assess, lambda files: Client(url).add_images(1, files)):
        with pytest.raises(EmptyInputError, match="no files were given"):
            call([])


def test_nobody_answers() -> None:
    with pytest.raises(ApiError, match=r"cannot be reached.*androscope serve"):
        Client("http://127.0.0.1:9", timeout=1).create_sample("x")


def test_a_lost_answer_is_asked_for_again(
    url: str, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(url)
    sample = client.create_sample("lost")
    real, calls = requests.Session.request, []

    def lossy(self: requests.Session, method: str, where: str, **given: object) -> object:
        answer = real(self, method, where, **given)  # type: ignore[arg-type]
        calls.append(method)
        if len(calls) == 1:
            raise requests.ConnectionError("the answer was lost")
        return answer

    monkeypatch.setattr("androscope.client.connection._PAUSE_S", 0.0)
    monkeypatch.setattr(requests.Session, "request", lossy)
    client.add_images(sample.id, pictures)
    assert calls == ["POST", "POST"]
    client.wait(sample.id, every=0.05)
    assert client.sample(sample.id).images == 3


def test_a_token_comes_in_where_there_are_users(url: str, records: Records) -> None:
    user = records.users.create("ann", Role.REVIEWER, "no hash", actor="tests")
    token, _ = records.tokens.create(user.id, "script", Role.VIEWER, actor="tests")
    with pytest.raises(ApiError, match=r"\(401\)"):
        Client(url).models()
    client = Client(url, token=token)
    assert client.models()
    with pytest.raises(ApiError, match=r"\(403\)"):
        client.create_sample("no")


def test_it_needs_no_extra() -> None:
    code = (
        "import sys, androscope; androscope.Client();"
        "print([m for m in ('fastapi', 'sqlalchemy', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

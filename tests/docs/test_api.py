"""The Python of docs/api.md is run against a server, its commands and its table are the API's."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="needs the web extra: fastapi is not installed")

from androscope.imaging.phantom_set import phantom_set
from androscope.records.store import Records
from androscope.web.api import API_ROUTERS

from ..client.running import running  # noqa: TID252  (tests are no package)

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "api.md").read_text("utf-8")
ADDRESS = "http://127.0.0.1:8311"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    (phantom,) = phantom_set(1, 7, size=64)
    Image.fromarray(phantom.pixels).save("crop.png")
    with (
        Records.open(f"sqlite:///{tmp_path / 'records.db'}", tmp_path / "images") as records,
        running(records, tmp_path / "incoming") as url,
    ):
        yield url


def test_the_example(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = PAGE.partition("```python\n")[2].partition("```")[0]
    assert "Client()" in code
    known: dict[str, Any] = {}
    exec(code.replace("Client()", f"Client({url!r})"), known)
    assert re.fullmatch(r"(\w+ (normal|abnormal) [0-9.e-]+\n)+", capsys.readouterr().out)
    assert known["report"].startswith(b"<!DOCTYPE html>")
    assert known["client"].sample(known["sample"].id).status == "signed"


def test_the_commands(url: str) -> None:
    commands = re.findall(r"^\$ (curl .*)$", PAGE, re.M)
    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(
            command.replace(ADDRESS, url), shell=True, capture_output=True, check=True
        )
        said = json.loads(done.stdout)
        assert "status" not in said, said


def test_every_path_is_named() -> None:
    table = PAGE.partition("| | |\n")[2].partition("\n\n")[0]
    paths = {route.path for router in API_ROUTERS for route in router.routes}
    for path in paths:
        last = [part for part in path.split("/") if part and not part.startswith("{")][-1]
        assert last.partition(".")[0] in table, path

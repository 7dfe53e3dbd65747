from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from androscope.model import bundle as bundles
from androscope.model.card_text import card_text


@pytest.fixture
def shipped(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(tiny_model, tmp_path / "shipped" / "tiny")
    index = tmp_path / "shipped" / "index.json"
    index.write_text(json.dumps({"default": "tiny"}), encoding="utf-8")
    monkeypatch.setattr(bundles, "SHIPPED", tmp_path / "shipped")
    return tmp_path / "shipped"


def test_list(run: Any, shipped: Path) -> None:
    done = run("models", "list")
    assert done.code == 0
    assert [line.split() for line in done.out.splitlines()] == [
        ["name", "version", "method", "labels", "size"],
        ["tiny", "0.0.1", "dmtl", "head,", "acrosome,", "vacuole", "0.0", "MB", "default"],
    ]


def test_list_of_none(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "SHIPPED", tmp_path / "none")
    done = run("models", "list")
    assert done.code == 0
    assert done.out.startswith("No model is shipped with this installation")


def test_show_prints_the_card(run: Any, shipped: Path) -> None:
    done = run("models", "show")
    assert (done.code, done.err) == (0, "")
    assert done.out == card_text(bundles.load_bundle("tiny").card)
    assert run("models", "show", "tiny").out == done.out
    assert run("models", "show", shipped / "tiny").out == done.out


def test_show_as_json(run: Any, shipped: Path) -> None:
    done = run("models", "show", "tiny", "--json")
    assert json.loads(done.out) == json.loads(bundles.load_bundle("tiny").card.to_json())


def test_show_on_a_terminal(
    run: Any, shipped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    done = run("models", "show", "tiny")
    assert done.code == 0
    assert "Intended use" in done.out
    assert "## Intended use" not in done.out


def test_verify_a_whole_bundle(run: Any, shipped: Path) -> None:
    done = run("models", "verify", "default")
    assert done.code == 0
    sha256 = bundles.load_bundle("tiny").card.model_sha256
    assert done.out.splitlines() == [
        "ok    card.json: tiny 0.0.1, dmtl",
        f"ok    model.onnx: SHA-256 {sha256}",
        "ok    labels and shapes: head, acrosome, vacuole; crops 64 px, embedding 6",
        "ok    the model runs",
        "ok    MODEL_CARD.md is made from card.json",
    ]


def test_verify_notes_what_is_beside(run: Any, shipped: Path) -> None:
    (shipped / "tiny" / "weights.pkl").write_bytes(b"")
    (shipped / "tiny" / "MODEL_CARD.md").write_text("better than it is", encoding="utf-8")
    done = run("models", "verify", "tiny")
    assert done.code == 0
    assert "note  MODEL_CARD.md is not what this version makes of card.json" in done.out
    assert "note  weights.pkl is no part of a bundle and is never read" in done.out
    (shipped / "tiny" / "MODEL_CARD.md").unlink()
    assert "note  MODEL_CARD.md is missing" in run("models", "verify", "tiny").out


def test_no_such_model(run: Any, shipped: Path) -> None:
    for command in ("show", "verify"):
        done = run("models", command, "none")
        assert done.code == 2
        assert "no such model: neither a shipped one (there are: tiny) nor a folder" in done.err

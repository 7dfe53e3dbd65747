"""The models that a server offers, their pages, and which one grades."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from androscope.errors import BundleError
from androscope.model.bundle import default_name, shipped_names
from androscope.web.offered import Offer

TINY = Path(__file__).parent.parent / "data" / "tiny-bundle"


@pytest.fixture
def offer(tmp_path: Path) -> Offer:
    """A lab with a model of its own, and one that is broken."""
    shutil.copytree(TINY, tmp_path / "models" / "lab-1")
    shutil.copytree(TINY, tmp_path / "models" / "broken")
    (tmp_path / "models" / "broken" / "model.onnx").write_bytes(b"no model")
    return Offer(tmp_path / "models")


def test_shipped_ones_then_the_labs_own(offer: Offer) -> None:
    assert offer.names() == (*shipped_names(), "broken", "lab-1")
    assert offer.default() == default_name()
    assert offer.where("lab-1") == str(offer.folder / "lab-1")
    assert offer.where(None) == default_name()
    described = {model.name: model for model in offer.models()}
    assert described["lab-1"].card is not None
    assert described["broken"].card is None
    assert "SHA-256" in (described["broken"].fault or "")


@pytest.mark.parametrize("name", ["../lab-1", "/etc", "", ".", "lab-2", "chosen.json"])
def test_a_name_is_no_path(offer: Offer, name: str) -> None:
    with pytest.raises(BundleError, match="there is no model"):
        offer.where(name)


def test_one_is_chosen_and_stays_so(offer: Offer) -> None:
    offer.choose("lab-1", actor="anna")
    assert Offer(offer.folder).default() == "lab-1"
    assert json.loads((offer.folder / "chosen.json").read_text())["by"] == "anna"
    shutil.rmtree(offer.folder / "lab-1")
    assert offer.default() == default_name()


def test_a_broken_one_cannot_be_chosen(offer: Offer) -> None:
    with pytest.raises(BundleError):
        offer.choose("broken", actor="anna")
    assert offer.default() == default_name()


def test_what_the_server_was_started_with_stays(offer: Offer) -> None:
    offer.choose("lab-1", actor="anna")
    fixed = Offer(offer.folder, str(TINY))
    assert fixed.default() == fixed.where(None) == str(TINY)
    assert fixed.names()[0] == str(TINY)
    with pytest.raises(ValueError, match="was started with --model"):
        fixed.choose("lab-1", actor="anna")


def test_the_list_and_a_card(browser) -> None:
    client = browser(model=None)
    text = client.get("/models").text
    assert f'href="/models/{default_name()}"' in text
    assert "graded by this one" in text
    card = client.get(f"/models/{default_name()}").text
    assert "<h2>Intended use</h2>" in card
    assert "<table>" in card
    assert client.get("/models/none").status_code == 404


def test_an_admin_chooses(browser, home: Path) -> None:
    shutil.copytree(TINY, home / "models" / "lab-1")
    client = browser(model=None)
    assert client.submit("/models/lab-1/choose").status_code == 303
    text = client.get("/models").text
    assert text.index("lab-1") < text.index("graded by this one")
    assert client.submit("/models/none/choose").status_code == 400
    assert ">lab-1</option>" in client.get("/samples/new").text


def test_a_fixed_server_says_so(browser) -> None:
    client = browser()
    assert "The server was started with --model" in client.get("/models").text
    assert client.submit(f"/models/{default_name()}/choose").status_code == 409


def test_the_leaderboard(browser) -> None:
    text = browser().get("/models/leaderboard").text
    for shown in ("Head", "Acrosome", "Vacuole", "normal", "verified", "84.00"):
        assert shown in text

"""The locator trained for a moment: the loss falls, a seed is an answer, ONNX computes the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: it comes with the train extra")
pytest.importorskip("onnxscript", reason="onnxscript is not installed: the train extra brings it")

import torch

from androscope.errors import ConfigError, DatasetMissingError, TrainingError
from androscope.learning.locator_config import LocatorConfig, load_locator_config
from androscope.learning.locator_export import check_locator, export_locator, locator_onnx
from androscope.learning.locator_network import LocatorNetwork, locator_loss
from androscope.learning.locator_training import (
    Learned,
    Samples,
    choose_threshold,
    learn,
    make_samples,
    padded,
)
from androscope.model.locator import CHANNELS, Locator
from androscope.model.locator_bundle import load_locator

pytestmark = pytest.mark.train

SMALL = LocatorConfig(
    phantoms=8, phantom_size=128, sketches=20, crop=64, steps=25, batch_size=4, widths=(4, 6, 8)
)


@cache
def made() -> tuple[Samples, Learned]:
    samples = make_samples(SMALL)
    return samples, learn(SMALL, samples)


def test_the_loss_falls() -> None:
    _, learned = made()
    assert len(learned.losses) == SMALL.steps
    assert np.mean(learned.losses[-5:]) < 0.9 * np.mean(learned.losses[:5])
    assert set(learned.chosen_f1) == {"bright-field", "phase-positive", "phase-negative", "sketch"}


def test_the_same_seed_gives_the_same_weights() -> None:
    samples, learned = made()
    again = learn(SMALL, samples)
    for name, value in learned.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name


def test_the_maps_have_a_quarter_of_the_size() -> None:
    network = LocatorNetwork((4, 6, 8)).eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 1, 64, 96)).shape == (2, CHANNELS, 16, 24)
    assert padded(np.zeros((63, 90), np.float32)).shape == (1, 1, 64, 96)


def test_the_loss_is_least_where_the_maps_are_right() -> None:
    heat = torch.zeros(1, 3, 8, 8)
    heat[0, 0, 4, 4] = 1
    known, axes, near = torch.ones_like(heat), torch.zeros(1, 6, 8, 8), torch.ones(1, 6, 8, 8)
    right = torch.full((1, CHANNELS, 8, 8), -12.0)
    right[:, 3:] = 0
    right[0, 0, 4, 4] = 12
    wrong = right.clone()
    wrong[0, 0, 4, 4] = -3
    assert locator_loss(right, heat, known, axes, near) < 1e-4
    assert locator_loss(wrong, heat, known, axes, near) > 1
    # What is not known is not asked for.
    known[0, 0] = 0
    assert locator_loss(wrong, heat, known, axes, near) < 1e-4


def test_onnx_computes_the_same_at_any_size() -> None:
    samples, learned = made()
    model = locator_onnx(learned.network)
    assert check_locator(learned.network, model, samples.choosing) < 1e-4
    other = LocatorNetwork(SMALL.widths).eval()
    with pytest.raises(TrainingError, match="torch and ONNX disagree by"):
        check_locator(other, model, samples.choosing)


def test_a_locator_is_written_with_its_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANDROSCOPE_DATA", str(tmp_path / "none"))
    samples, learned = made()
    said: list[str] = []
    bundle = export_locator(SMALL, samples, learned, tmp_path / "l", report=said.append)
    assert "svia is not here: the card has no score on it" in said
    card = bundle.card
    assert (card.scores, card.frames) == ((), ())
    assert card.licence == "Apache-2.0"
    assert card.thresholds["sperm"] == learned.thresholds["sperm"]
    assert card.config["steps"] == 25
    assert str(tmp_path) not in (tmp_path / "l" / "card.json").read_text(encoding="utf-8")
    found = Locator(load_locator(tmp_path / "l"), threads=1)(np.zeros((50, 60), np.uint8), 16.0)
    assert found.head_length == 16.0


def test_a_threshold_that_finds_nothing_is_not_chosen() -> None:
    samples, learned = made()
    threshold, scores = choose_threshold(learned.network, samples.choosing)
    assert threshold == learned.thresholds["sperm"]
    assert scores == learned.chosen_f1


def test_visem_is_asked_for_and_not_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANDROSCOPE_DATA", str(tmp_path))
    with pytest.raises(DatasetMissingError, match="visem is not on this machine"):
        make_samples(SMALL.model_copy(update={"visem_frames": 2, "phantoms": 8}))


@pytest.mark.parametrize("name", ["locator", "phantoms-only"])
def test_shipped_configurations_are_read(name: str) -> None:
    config = load_locator_config(name, ("steps=3",))
    assert (config.name, config.steps) == (name, 3)


@pytest.mark.parametrize(
    ("source", "overrides", "message"),
    [
        pytest.param("nowhere", (), "neither a file nor a shipped configuration", id="no file"),
        pytest.param("runs/locator.yaml", (), "no such file: expected a conf", id="no such path"),
        pytest.param("locater", (), "the nearest is 'locator'", id="misspelt"),
        pytest.param("locator", ("step=3",), "step", id="unknown key"),
        pytest.param("locator", ("crop=100",), "crop", id="no multiple of 8"),
    ],
)
def test_wrong_configurations_are_refused(
    source: str, overrides: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_locator_config(source, overrides)

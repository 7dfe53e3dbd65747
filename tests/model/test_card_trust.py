# ruff: noqa: E501  a row of a table of cases stays on one line
"""What a card may say of calibration and conformal data, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from androscope.errors import BundleError
from androscope.model.card import read_card
from androscope.model.card_text import card_text
from androscope.model.card_trust import Calibration, Conformal

FACTS: dict[str, Any] = {"data": "x valid", "crops": 20, "abnormal": 5}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"method": "platt"}, r"parameters of platt: expected \['slope', 'intercept'\], got \[\]", id="none given"),
        pytest.param({"method": "identity", "parameters": {"a": 1}}, r"parameters of identity: expected \[\], got \['a'\]", id="too many"),
        pytest.param({"method": "temperature", "parameters": {"temperature": 0}}, "temperature must be above 0, got 0", id="no temperature"),
        pytest.param({"method": "platt", "parameters": {"slope": -1, "intercept": 0}}, "slope must be above 0, got -1", id="falling"),
        pytest.param({"method": "beta", "parameters": {"a": -0.1, "b": 1, "c": 0}}, "a must not be below 0, got -0.1", id="falling on one side"),
        pytest.param({"method": "beta", "parameters": {"a": 0, "b": 0, "c": 0}}, "a and b must not both be 0", id="flat"),
        pytest.param({"method": "temperature", "parameters": {"temperature": float("inf")}}, "finite", id="not finite"),
        pytest.param({"method": "identity", "abnormal": 21}, "21 of 20 crops cannot be abnormal", id="more than all"),
        pytest.param({"method": "isotonic"}, "'identity', 'temperature', 'platt' or 'beta'", id="another method"),
    ],
)  # fmt: skip
def test_calibrations_that_are_none(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Calibration(**FACTS | fields)


@pytest.mark.parametrize(
    ("normal", "abnormal", "said"),
    [
        pytest.param((0.2, 0.1), (0.5,), "normal must rise", id="falling"),
        pytest.param((0.1,), (0.9, 0.8), "abnormal must rise", id="falling, abnormal"),
        pytest.param((), (0.9,), "at least 1 item", id="a class is missing"),
        pytest.param((0.1,), (1.1,), "less than or equal to 1", id="no probability"),
    ],
)
def test_conformal_data_that_are_none(
    normal: tuple[float, ...], abnormal: tuple[float, ...], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        Conformal(data="x", normal=normal, abnormal=abnormal)


@pytest.fixture
def fields(tiny: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((tiny / "card.json").read_text(encoding="utf-8"))
    labels = card["labels"]
    temperature = {"method": "temperature", "parameters": {"temperature": 1.5}, **FACTS}
    temperature["log_loss"] = {"identity": 0.5, "temperature": 0.4}
    card["calibration"] = dict.fromkeys(labels, temperature)
    data = {"data": "x valid", "normal": [0.1, 0.2], "abnormal": [0.7]}
    card["conformal"] = dict.fromkeys(labels, data)
    return card


def test_both_survive_being_written_and_read_and_are_told(fields: dict[str, Any]) -> None:
    card = read_card(json.dumps(fields))
    assert read_card(card.to_json()) == card
    text = card_text(card)
    assert "| head | x valid: 20 | 5 | temperature (temperature 1.5) | 0.5000 | 0.4000 |" in text
    assert "| head | x valid | 2 | 1 |" in text


def test_a_card_from_before_has_neither(tiny: Path) -> None:
    card = read_card((tiny / "card.json").read_bytes())
    assert (card.calibration, card.conformal) == (None, None)
    text = card_text(card)
    assert "## Calibration" not in text
    assert "## Undecided" not in text


@pytest.mark.parametrize("name", ["calibration", "conformal"])
def test_labels_that_do_not_match_are_refused(fields: dict[str, Any], name: str) -> None:
    fields[name] = {"head": fields[name]["head"]}
    with pytest.raises(BundleError, match=f"{name} must name exactly the labels: expected"):
        read_card(json.dumps(fields))

# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.errors import BundleError
from androscope.model.card import Card, read_card


@pytest.fixture
def fields(tiny: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((tiny / "card.json").read_text(encoding="utf-8"))
    return card


def test_a_card_survives_being_written_and_read(fields: dict[str, Any]) -> None:
    fields["config"] = {"seed": 0, "nested": {"list": [1, 2.5, "x", None, True]}}
    fields["metrics"] = {
        "test": {
            "head": {
                "accuracy": {"value": 0.8, "low": 0.75, "high": 0.85},
                "auc": {"value": None, "low": None, "high": None},
            }
        }
    }
    card = read_card(json.dumps(fields))
    again = read_card(card.to_json(), path="card.json")
    assert again == card
    assert again.to_json() == card.to_json()
    assert again.labels == ("head", "acrosome", "vacuole")
    assert again.threshold_list() == (0.4, 0.5, 0.6)


@given(
    labels=st.lists(
        st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True), min_size=1, max_size=8, unique=True
    ),
    threshold=st.floats(0, 1, exclude_min=True, exclude_max=True),
    hours=st.integers(-23, 23),
    text=st.text(min_size=1).filter(lambda s: not any(0xD800 <= ord(c) < 0xE000 for c in s)),
)
def test_round_trip_of_any_card(labels: list[str], threshold: float, hours: int, text: str) -> None:
    card = Card.model_validate(
        {
            "name": "m",
            "version": "1.2.3",
            "created": datetime(2024, 5, 6, 7, 8, tzinfo=timezone(timedelta(hours=hours))),
            "method": "dmtl",
            "labels": labels,
            "thresholds": dict.fromkeys(labels, threshold),
            "network": {"backbone": "b", "pretrained": "p", "input_size": 64, "embedding_dim": 3},
            "training": {
                "name": text,
                "licence": text,
                "citation": text,
                "source": text,
                "splits": {"train": {"crops": 3}},
                "patients": text,
            },
            "protocol": text,
            "software": {"x": text},
            "intended_use": text,
            "out_of_scope": text,
            "limitations": [text],
            "licence": text,
            "model_sha256": "0" * 64,
            "model_bytes": 1,
        }
    )
    assert card.created.tzinfo is UTC
    assert read_card(card.to_json()) == card


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"labels": ["head", "head", "vacuole"]}, "labels: labels must differ, got ['head', 'head', 'vacuole']", id="label twice"),
        pytest.param({"labels": []}, "labels: Tuple should have at least 1 item", id="no labels"),
        pytest.param({"labels": ["Head", "acrosome", "vacuole"]}, "labels.0: String should match pattern", id="label spelt wrong"),
        pytest.param({"thresholds": {"head": 0.5}}, "thresholds must name exactly the labels: expected ['head', 'acrosome', 'vacuole'], got ['head']", id="threshold missing"),
        pytest.param({"thresholds": {"head": 0.5, "acrosome": 0.5, "vacuole": 0.5, "tail": 0.5}}, "got ['head', 'acrosome', 'vacuole', 'tail']", id="threshold too many"),
        pytest.param({"thresholds": {"head": 0.0, "acrosome": 0.5, "vacuole": 0.5}}, "thresholds.head: Input should be greater than 0", id="threshold 0"),
        pytest.param({"thresholds": {"head": 1, "acrosome": 0.5, "vacuole": 0.5}}, "thresholds.head: Input should be less than 1", id="threshold 1"),
        pytest.param({"thresholds": ...}, "thresholds: Field required", id="no thresholds"),
        pytest.param({"metrics": {"test": {"tail": {}}}}, "metrics.test names ['tail'], which are no labels of the model", id="metric of another label"),
        pytest.param({"schema_version": 2}, "schema_version: expected 1, got 2: it was made by another version of androscope", id="schema from the future"),
        pytest.param({"created": "2021-01-01T00:00:00"}, "created: Input should have timezone info", id="time without zone"),
        pytest.param({"model_sha256": "abc"}, "model_sha256: String should match pattern", id="hash too short"),
        pytest.param({"surprise": 1}, "surprise: Extra inputs are not permitted", id="unknown field"),
        pytest.param({"input": {"size": 64, "dtype": "float32"}}, "input.dtype: Input should be 'uint8'", id="dtype"),
        pytest.param({"input": {"pixel_size_um": -1}}, "input.pixel_size_um: Input should be greater than 0", id="negative pixel size"),
        pytest.param({"version": "new"}, "version: String should match pattern", id="version"),
        pytest.param({"limitations": []}, "limitations: Tuple should have at least 1 item", id="no limits stated"),
    ],
)  # fmt: skip
def test_a_faulty_card_is_refused_with_its_field(
    fields: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    for key, value in change.items():
        if value is ...:
            del fields[key]
        else:
            fields[key] = value
    with pytest.raises(BundleError) as caught:
        read_card(json.dumps(fields), path="some/card.json")
    text = str(caught.value)
    assert text.startswith("some/card.json: is not a model card this version reads: ")
    assert message in text
    assert text.endswith("Get the bundle again from where it came from, or export it anew")


def test_all_faults_are_listed_at_once(fields: dict[str, Any]) -> None:
    fields |= {"model_bytes": 0, "method": "magic"}
    del fields["licence"]
    with pytest.raises(BundleError) as caught:
        read_card(json.dumps(fields))
    for field in ("model_bytes:", "method:", "licence:"):
        assert field in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00", b"\xff\xfe"], ids=repr)
def test_what_is_no_card_is_refused(text: str | bytes) -> None:
    with pytest.raises(BundleError, match="is not a model card this version reads"):
        read_card(text)

# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from androscope.benchmark.entries import Board, Entry, Protocol

from .conftest import board, entry, info

SEEN: dict[str, Any] = {
    "predictions_sha256": "a" * 64,
    "labels_sha256": {"head": "b" * 64},
    "thresholds": {"head": 0.5},
    "interval": "95 % percentile bootstrap over crops",
    "resamples": 2000,
    "seed": 0,
    "androscope": "0.1.0",
    "checked": "2024-05-06",
}


def test_a_status_says_how_far_to_trust_it() -> None:
    assert entry().status == "unverified"
    assert entry(verification=SEEN).status == "verified"
    assert entry(kind="baseline").status == "baseline"
    assert [p.words for p in Protocol] == ["official split", "folds", "unknown"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"name": "two\nlines"}, "name.*expected one line without control characters", id="line break"),
        pytest.param({"name": " net"}, "name.*without control characters or outer blanks", id="blank"),
        pytest.param({"name": "x\x1b[2J"}, "name.*without control characters", id="escape"),
        pytest.param({"code": "javascript:alert(1)"}, "code.*expected an address that begins with https://", id="script"),
        pytest.param({"code": "https://a.b/\"><b>"}, "code.*expected an address", id="quote in address"),
        pytest.param({"paper": {"text": "p", "url": "file:///etc/passwd"}}, "paper.url.*expected an address", id="file"),
        pytest.param({"date": "20-1-1"}, "date.*expected YYYY, YYYY-MM or YYYY-MM-DD", id="date"),
        pytest.param({"date": "2023-02-30"}, "date.*day.*range", id="no such day"),
        pytest.param({"protocol": "mine"}, "protocol.*'official', 'folds' or 'unknown'", id="protocol"),
        pytest.param({"scores": {}}, "scores.*at least 1", id="no score"),
        pytest.param({"scores": {"head": {}}}, "head: expected at least one score", id="label without score"),
        pytest.param({"scores": {"head": {"auc": {"value": 0.5}}}}, "head: expected one of accuracy, precision, .*, got 'auc'", id="metric"),
        pytest.param({"scores": {"head": {"accuracy": {"value": 84.0}}}}, "head accuracy: expected 0 to 1, got 84; percentages are divided by 100", id="percent"),
        pytest.param({"scores": {"head": {"mcc": {"value": -1.1}}}}, "head mcc: expected -1 to 1, got -1.1", id="MCC"),
        pytest.param({"scores": {"head": {"accuracy": {"value": 0.5, "low": -0.2}}}}, "head accuracy: expected 0 to 1, got -0.2", id="interval"),
        pytest.param({"scores": {"head": {"accuracy": {"value": float("nan")}}}}, "finite number", id="NaN"),
        pytest.param({"verification": SEEN | {"thresholds": {"tail": 0.5}}}, "a verified entry has a threshold for each of its labels", id="threshold"),
        pytest.param({"verification": SEEN | {"predictions_sha256": "x"}}, "predictions_sha256.*pattern", id="hash"),
        pytest.param({"accuracy": 1}, "Extra inputs are not permitted", id="unknown field"),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        entry(**changes)
    assert re.search(message, " ".join(str(caught.value).split()))


def test_a_correlation_may_be_negative() -> None:
    found = entry(scores={"head": {"mcc": {"value": -0.2, "low": -0.4, "high": 0.1}}})
    assert found.scores["head"]["mcc"].low == -0.4


def test_counts_must_be_of_the_split() -> None:
    with pytest.raises(ValidationError, match=r"head: \(10, 20\) do not sum to 40 crops"):
        info(labels={"head": (10, 20)})
    with pytest.raises(ValidationError, match=r"head: \(41, -1\) do not sum to 40 crops"):
        info(labels={"head": (41, -1)})


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        pytest.param([entry(), entry()], "two entries on discs are named 'net'", id="name"),
        pytest.param([entry(dataset="rings")], "net: there is no data set 'rings'", id="data set"),
        pytest.param([entry(scores={"wing": {"mcc": {"value": 0}}})], "net: discs has no label 'wing'", id="label"),
        pytest.param([entry(verification=SEEN), entry("other", verification=SEEN)], "other and net are of one file", id="file"),
    ],
)  # fmt: skip
def test_entries_that_cannot_stand_together(entries: list[Entry], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        board(*entries)


def test_a_data_set_is_there_once() -> None:
    with pytest.raises(ValidationError, match="two data sets have one name"):
        Board(datasets=(info(), info()), entries=())


def test_another_format_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"Input should be 'androscope.leaderboard/1'"):
        Board.model_validate({"format": "androscope.leaderboard/2", "datasets": [], "entries": []})


def test_nothing_is_changed_in_place() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        entry().name = "other"  # type: ignore[misc]

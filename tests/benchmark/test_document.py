from __future__ import annotations

import json

from androscope import __version__
from androscope.benchmark.document import FORMAT, leaderboard_document, leaderboard_json
from androscope.report.names import NOTICE

from .conftest import N, board, entry
from .test_entries import SEEN

THERE = board(
    entry("a", 0.7, date="2019", remarks=["one", "two"]),
    entry(
        "b",
        date="2021",
        verification=SEEN,
        scores={"head": {"accuracy": {"value": 0.9, "low": 0.8, "high": 1.0}}},
    ),
    entry("base", 0.6, kind="baseline"),
)


def test_the_rankings() -> None:
    found = leaderboard_document(THERE, "discs", ["head"], ["accuracy", "mcc"])
    assert (found["format"], found["androscope"], found["notice"]) == (FORMAT, __version__, NOTICE)
    assert found["task"] == "Is it round?"
    assert (found["dataset"]["name"], found["dataset"]["crops"]) == ("discs", N)
    accuracy, mcc = found["rankings"]
    assert accuracy == {
        "label": "head",
        "metric": "accuracy",
        "results": [
            {"rank": 1, "name": "b", "value": 0.9, "low": 0.8, "high": 1.0},
            {"rank": 2, "name": "a", "value": 0.7, "low": None, "high": None},
            {"rank": None, "name": "base", "value": 0.6, "low": None, "high": None},
        ],
        "best_over_time": [
            {"date": "2019", "name": "a", "best": 0.7},
            {"date": "2021", "name": "b", "best": 0.9},
        ],
    }
    assert (mcc["results"], mcc["best_over_time"]) == ([], [])


def test_who_and_from_where() -> None:
    found = leaderboard_document(THERE, "discs", ["head"], ["accuracy"])["entries"]
    assert list(found) == ["a", "b", "base"]
    assert [facts["status"] for facts in found.values()] == ["unverified", "verified", "baseline"]
    assert found["a"] == {
        "status": "unverified",
        "kind": "result",
        "paper": None,
        "code": None,
        "date": "2019",
        "protocol": "official",
        "source": {"text": "a paper", "url": None},
        "remarks": ["one", "two"],
        "verification": None,
    }
    assert found["b"]["verification"]["predictions_sha256"] == "a" * 64


def test_text() -> None:
    text = leaderboard_json(THERE, "discs", ["head"], ["accuracy"])
    assert json.loads(text) == leaderboard_document(THERE, "discs", ["head"], ["accuracy"])
    assert text.endswith("}\n")

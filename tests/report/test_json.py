from __future__ import annotations

import dataclasses
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from androscope import __version__
from androscope.report.json import json_document, json_text, write_json
from androscope.types import Assessment, Results

WHEN = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_the_whole_document(results: Results) -> None:
    document = json.loads(json_text(results, created=WHEN))
    interval = {"count": 1, "of": 2, "fraction": 0.5, "undecided": 0}
    assert document["summary"]["abnormal"]["head"] == pytest.approx(
        interval | {"low": 0.0945312057, "high": 0.9054687943}
    )
    del document["summary"]["abnormal"], document["summary"]["all_normal"]
    assert document == {
        "schema": "androscope.results/1",
        "notice": "For research use only: not a medical device.",
        "androscope": __version__,
        "created": "2024-01-02T03:04:05+00:00",
        "model": {
            "name": "tiny",
            "version": "1.2.3",
            "sha256": "ab" * 32,
            "labels": ["head", "tail"],
            "thresholds": {"head": 0.5, "tail": 0.5},
        },
        "verdicts": {"error_rate": None, "promise": None, "cuts": {}},
        "extra": {"pixel_size_um": "0.1"},
        "summary": {
            "assessed": 2,
            "failed": 1,
            "undecided": 0,
            "all_normal_bounds": [0.0, 0.0],
        },
        "assessments": [
            {
                "image": "day 3/a.png",
                "index": None,
                "parts": {
                    "head": {"verdict": "normal", "probability": 0.25, "threshold": 0.5},
                    "tail": {"verdict": "abnormal", "probability": 0.75, "threshold": 0.5},
                },
                "flags": [],
                "notes": [],
            },
            {
                "image": '<script>alert("x")</script>&\'.png',
                "index": 4,
                "parts": {
                    "head": {"verdict": "abnormal", "probability": 0.5, "threshold": 0.5},
                    "tail": {"verdict": "normal", "probability": 0.125, "threshold": 0.5},
                },
                "flags": [],
                "notes": ["16-bit scaled to 8"],
            },
        ],
        "failures": [
            {
                "image": "=cmd|' /C calc'!A0.png",
                "index": None,
                "code": "image-unreadable",
                "reason": "is empty",
                "advice": "Export again",
                "flags": [],
            }
        ],
        "fields": [],
    }


def test_names_come_back_byte_for_byte(results: Results, tmp_path: Path) -> None:
    raw = b"\xff\xc3\xa4.png"
    odd = dataclasses.replace(
        results, assessments=(Assessment(os.fsdecode(raw), None, ()),), labels=()
    )
    write_json(tmp_path / "r.json", odd)
    content = (tmp_path / "r.json").read_bytes()
    assert content.isascii()
    assert os.fsencode(json.loads(content)["assessments"][0]["image"]) == raw


def test_nothing_assessed_has_no_fractions(nothing: Results) -> None:
    summary = json_document(nothing)["summary"]
    none = {"count": 0, "of": 0, "fraction": None, "low": None, "high": None}
    part = none | {"undecided": 0}
    assert summary == {
        "assessed": 0, "failed": 0, "undecided": 0, "abnormal": {"head": part, "tail": part},
        "all_normal": none, "all_normal_bounds": None,
    }  # fmt: skip


def test_an_error_rate_is_recorded_with_its_promise(undecided: Results) -> None:
    document = json_document(undecided)
    assert document["verdicts"]["error_rate"] == 0.1
    assert document["verdicts"]["promise"].startswith("Of each part, at most 10% of the truly")
    assert document["verdicts"]["cuts"]["head"] == {"abnormal_from": 0.2, "normal_to": 0.6}
    summary = document["summary"]
    assert summary["undecided"] == 1
    assert [summary["abnormal"][label]["undecided"] for label in ("head", "tail")] == [2, 0]
    assert (summary["all_normal"]["count"], summary["all_normal"]["of"]) == (1, 2)
    assert summary["all_normal_bounds"] == (1 / 3, 2 / 3)
    assert document["assessments"][0]["parts"]["head"]["verdict"] == "undecided"


def test_the_time_is_now(nothing: Results) -> None:
    created = datetime.fromisoformat(json_document(nothing)["created"])
    assert abs((datetime.now(UTC) - created).total_seconds()) < 60

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from androscope.learning.metrics import METRICS
from androscope.protocol.record import Score, read_benchmark, write_benchmark
from androscope.protocol.tables import benchmark_document, published, tried_on_test
from androscope.protocol.text import cell, markdown, plain

from .made import benchmark


def rows(document: dict[str, Any], part: str, label: str) -> dict[str, dict[str, Any]]:
    table = next(t for t in document["tables"] if (t["part"], t["label"]) == (part, label))
    return {row["name"]: row for row in table["rows"]}


def test_the_rows_of_a_table() -> None:
    found = rows(benchmark_document(benchmark()), "test", "head")
    assert list(found) == [
        "all called normal",
        "DTL, paper",
        "DMTL, paper",
        "dmtl",
        "dmtl minus the paper's best",
        "ensemble",
        "ensemble minus the paper's best",
        "gone",
        "gone minus the paper's best",
    ]
    # Abbasi, Miahi & Mirroshandel 2021: DTL 84.00, DMTL 82.00 for the head.
    assert found["DTL, paper"]["scores"]["accuracy"]["value"] == 0.84
    more = found["dmtl minus the paper's best"]["scores"]["accuracy"]
    assert more == {
        "value": pytest.approx(0.81 - 0.84),
        "low": pytest.approx(0.77 - 0.84),
        "high": pytest.approx(0.85 - 0.84),
        "best": 0.84,
    }
    assert (found["dmtl"]["runs"], found["dmtl"]["planned"]) == (2, 3)
    # For each score the better one: DMTL's recall is 95.43, DTL's 91.78.
    assert found["dmtl minus the paper's best"]["scores"]["recall"]["best"] == 0.9543


def test_the_paper_stands_beside_its_own_test_set_alone() -> None:
    assert list(rows(benchmark_document(benchmark()), "distinct", "head")) == [
        "all called normal",
        "dmtl",
        "ensemble",
        "gone",
    ]
    found = benchmark()
    other = found.model_copy(
        update={"protocol": found.protocol.model_copy(update={"dataset": "mine.csv"})}
    )
    assert published(other, "head") == {}
    head = found.baseline["test"]["head"].model_copy(update={"normal": 218})
    fewer = found.model_copy(update={"baseline": {"test": {"head": head}}})
    assert published(fewer, "head") == {}


def test_which_tables_there_are() -> None:
    test = benchmark_document(benchmark())
    assert [(t["part"], t["label"]) for t in test["tables"]] == [
        ("test", "head"),
        ("test", "vacuole"),
        ("distinct", "head"),
        ("distinct", "vacuole"),
        ("crossval", "head"),
    ]
    valid = benchmark_document(benchmark(), "valid")
    assert [t["part"] for t in valid["tables"]] == ["valid", "valid", "crossval"]
    assert not any("paper" in row["name"] for table in valid["tables"] for row in table["rows"])


def test_what_was_tried_on_test() -> None:
    assert tried_on_test(benchmark()) == [
        "dmtl: 2 runs, each read test once.",
        "ensemble: 1 ensemble read test once.",
        "gone: 1 run read test 2 times (no longer in the protocol).",
        "crossval/cv: 5 folds over train+valid+test, each of whose test crops the fold that held "
        "it out graded once.",
        "Before this protocol: An older recipe, once.",
    ]
    assert tried_on_test(benchmark(recipes={}, crossval={}, tried_before=())) == []


CELLS = [
    ("baseline", "accuracy", {"value": 0.73}, "73.00"),
    ("published", "mcc", {"value": 0.578}, "0.578"),
    ("baseline", "mcc", {"value": None}, "-"),
    (
        "recipe",
        "accuracy",
        {"mean": 0.81, "sd": 0.008, "n": 5, "low": 0.765, "high": 0.86},
        "81.00 (0.80) [76.5, 86.0]",
    ),
    ("recipe", "mcc", {"mean": 0.5, "sd": None, "n": 1, "low": None, "high": None}, "0.500"),
    ("recipe", "mcc", {"mean": None, "sd": None, "n": 0, "low": None, "high": None}, "-"),
    ("difference", "roc_auc", {"value": 0.012, "low": -0.01, "high": 0.03}, "+1.20 [-1.0, 3.0]"),
    ("difference", "mcc", {"value": -0.1, "low": -0.2, "high": 0.0}, "-0.100 [-0.200, 0.000]"),
    (
        "crossval",
        "accuracy",
        {"mean": 0.8, "sd": 0.02, "pooled": 0.81, "low": 0.78, "high": 0.84},
        "80.00 (2.00); 81.00 [78.0, 84.0]",
    ),
]


@pytest.mark.parametrize(("kind", "metric", "score", "text"), CELLS)
def test_cells(kind: str, metric: str, score: dict[str, Any], text: str) -> None:
    assert cell(kind, metric, score) == text


def test_markdown() -> None:
    text = markdown(benchmark_document(benchmark()))
    lines = text.splitlines()
    assert lines[0] == "**Head, test** (300 crops, 81 abnormal)"
    assert lines[2] == "|  | accuracy | precision | recall | F0.5 | G-mean | ROC AUC | MCC |"
    assert lines[3] == "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    assert lines[4].startswith("| all called normal | 73.00 | 73.00 |")
    mine = next(line for line in lines if line.startswith("| dmtl, 2 of 3 runs |"))
    assert mine.count("81.00 (1.00) [77.0, 85.0]") == len(METRICS) - 1
    assert "| gone, 1 of 5 runs (no longer in the protocol) |" in text
    assert "| ensemble | 83.00 [79.0, 87.0] |" in text
    assert (
        "**Head, 5-fold cross-validation over train+valid+test** (300 crops, 81 abnormal)" in text
    )
    assert (
        "- 46 of the 300 test crops show a sperm that train or valid shows too (similarity from "
        "0.955); they are left out where it says so." in lines
    )
    assert "- Fewer than 5 seeds, so not a result yet: dmtl." in lines
    assert "- dmtl: 10.0 minutes of training a run, at most 1.5 GB of memory." in lines
    assert lines[-1] == "- Before this protocol: An older recipe, once."
    assert "the same draw for every run; the runs' scores on a draw are averaged" in text
    assert "its score is taken as a constant" in text


def test_plain() -> None:
    lines = plain(benchmark_document(benchmark(), "valid")).splitlines()
    assert lines[0] == "Head, validation  (300 crops, 81 abnormal)"
    at = lines.index("  dmtl, 2 of 3 runs")
    assert lines[at + 1] == "    accuracy  80.00 (1.00) [76.0, 84.0]"
    assert lines[at + 7] == "    MCC       0.800 (0.010) [0.760, 0.840]"


def test_nothing_read_yet() -> None:
    empty = benchmark(recipes={}, crossval={}, tried_before=(), baseline={}, near_duplicates=None)
    assert markdown(benchmark_document(empty)).endswith("Tried on test:\n\n- nothing yet.\n")


def test_the_record_alone_is_enough(tmp_path: Path) -> None:
    write_benchmark(tmp_path, benchmark())
    again = read_benchmark(tmp_path)
    assert again == benchmark()
    assert isinstance(again.recipes["dmtl"].runs[0].scores["test"]["head"]["mcc"], Score)
    document = benchmark_document(read_benchmark(tmp_path / "benchmark.json"))
    assert json.loads(json.dumps(document, allow_nan=False)) == json.loads(
        json.dumps(benchmark_document(benchmark()))
    )

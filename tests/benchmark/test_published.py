"""The shipped data file against its sources: nothing in it without one."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from androscope.benchmark.board import read_board
from androscope.benchmark.entries import Entry, Kind, Protocol
from androscope.datasets.mhsma import PUBLISHED_COUNTS
from androscope.learning.metrics import METRICS, from_counts, scores

BOARD = read_board()
INFO = BOARD.by_name["mhsma"]
ENTRIES = {entry.name: entry for entry in BOARD.of("mhsma")}
CLAIMS = [e for e in ENTRIES.values() if e.kind is Kind.RESULT and not e.verified]

#: Names in the published table to names here.
NAMES = {
    "deep CNN": "Deep CNN",
    "DTL": "DTL",
    "DMTL": "DMTL",
    "neural architecture search": "GeNAS",
    "sequential deep network": "SDNN",
}


def test_the_data_set_is_the_published_one() -> None:
    assert INFO.labels == {
        label: (count.normal, count.abnormal) for label, count in PUBLISHED_COUNTS["test"].items()
    }


def test_every_claim_has_a_source_a_paper_and_a_remark() -> None:
    assert {entry.name for entry in CLAIMS} == set(NAMES.values())
    for entry in CLAIMS:
        assert entry.source.url is not None
        assert entry.paper is not None
        assert entry.paper.url is not None
        assert entry.remarks


def test_the_claims_are_the_published_table(mhsma_dir: Path) -> None:
    path = mhsma_dir / "published_results.csv"
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    shown = {(entry.name, label) for entry in CLAIMS for label in entry.scores}
    assert {(NAMES[row["method"]], row["label"]) for row in rows} == shown
    for row in rows:
        entry = ENTRIES[NAMES[row["method"]]]
        found = entry.scores[row["label"]]
        assert entry.date[:4] == row["year"]
        published = {"f_half": row["f0.5"], **row}
        assert set(found) == {name for name in METRICS if published[name]}
        for name, measured in found.items():
            scale = 1 if name == "mcc" else 100
            assert measured.value is not None
            assert measured.value * scale == pytest.approx(float(published[name]), abs=1e-9)
        said = row["protocol"].startswith("official split")
        assert (entry.protocol is Protocol.OFFICIAL) == said


def test_the_baseline_is_what_calling_all_normal_scores() -> None:
    baseline = ENTRIES["All called normal"]
    assert baseline.kind is Kind.BASELINE
    assert set(baseline.scores) == set(INFO.labels)
    for label, (normal, abnormal) in INFO.labels.items():
        truth = [0] * normal + [1] * abnormal
        expected = scores(truth, np.zeros(len(truth)), 0.5)
        for name in METRICS:
            measured = baseline.scores[label][name]
            if np.isnan(expected[name]):
                assert (measured.value, measured.why) == (None, expected.undefined[name])
            else:
                assert measured.value == pytest.approx(expected[name], abs=1e-6)


def _confusion(entry: Entry, label: str) -> tuple[int, int, int, int]:
    """Of the published accuracy and recall: normal right and wrong, abnormal wrong and right."""
    normal, abnormal = INFO.labels[label]
    accuracy, recall = (entry.scores[label][name].value for name in ("accuracy", "recall"))
    assert accuracy is not None
    assert recall is not None
    tp = round(recall * normal)
    tn = round(accuracy * INFO.crops) - tp
    return tp, normal - tp, abnormal - tn, tn


FULL = [(e, label) for e in CLAIMS for label, found in e.scores.items() if len(found) == 7]
IDS = [f"{entry.name} {label}" for entry, label in FULL]


@pytest.mark.parametrize(("entry", "label"), FULL, ids=IDS)
def test_the_remark_on_one_confusion_matrix_is_true(entry: Entry, label: str) -> None:
    assert any(r.startswith("Accuracy, precision, recall, F0.5") for r in entry.remarks)
    expected = from_counts(*_confusion(entry, label))
    for name, value in expected.items():
        # Some tables round after two decimals of a percentage, some cut.
        assert entry.scores[label][name].value == pytest.approx(float(value), abs=1.01e-4)


@pytest.mark.parametrize(("entry", "label"), FULL, ids=IDS)
def test_the_remark_on_roc_auc_is_true(entry: Entry, label: str) -> None:
    # Of verdicts, the area is the mean of the two classes' recalls.
    tp, fn, fp, tn = _confusion(entry, label)
    of_verdicts = (tp / (tp + fn) + tn / (tn + fp)) / 2
    published = entry.scores[label]["roc_auc"].value
    assert published is not None
    assert published - of_verdicts > 0.03
    said = any("takes it from verdicts" in remark for remark in entry.remarks)
    assert said == (entry.name in {"DTL", "DMTL"})


def test_the_remark_on_genas_is_true() -> None:
    for found in ENTRIES["GeNAS"].scores.values():
        value = found["accuracy"].value
        assert value is not None
        assert 0 <= round(value * INFO.crops) / INFO.crops - value < 1e-4

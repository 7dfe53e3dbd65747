from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from androscope.errors import BundleError, TrainingError
from androscope.learning.subject import Subject, open_subject, record_test_read
from androscope.model.bundle import load_bundle
from androscope.model.session import Session

TINY = Path(__file__).resolve().parent.parent / "data" / "tiny-bundle"


def subject(folder: Path, sha256: str = "a" * 64) -> Subject:
    return Subject(
        name="mine",
        kind="run",
        sha256=sha256,
        thresholds={"head": 0.5},
        crop_size=64,
        dataset="mhsma",
        reads=folder / "test_reads.jsonl",
        grade=lambda crops: np.zeros((len(crops), 1), np.float32),
    )


def test_a_bundle() -> None:
    found = open_subject(TINY)
    bundle = load_bundle(TINY)
    assert (found.kind, found.name, found.crop_size) == ("bundle", bundle.card.name, 64)
    assert found.sha256 == bundle.card.model_sha256
    assert found.thresholds == {n: bundle.card.thresholds[n] for n in bundle.card.labels}
    crops = np.random.default_rng(0).integers(0, 256, (3, 64, 64), dtype=np.uint8)
    expected = Session(bundle).predict(crops).probabilities
    assert np.array_equal(found.probabilities(crops), expected)


def test_a_bundles_readings_are_kept_outside_it() -> None:
    assert TINY not in open_subject(TINY).reads.parents


def test_what_is_neither(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such model"):
        open_subject(tmp_path / "none")
    pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
    with pytest.raises(TrainingError, match="is no run"):
        open_subject(tmp_path)


def test_readings_are_counted_per_model_and_data(tmp_path: Path) -> None:
    def read(model: str, data: str) -> int:
        return record_test_read(subject(tmp_path, model * 64), data="d", data_sha256=data * 64)

    assert [read("a", "1"), read("a", "1"), read("a", "2"), read("b", "1"), read("a", "1")] == [
        1,
        2,
        1,
        1,
        3,
    ]
    lines = (tmp_path / "test_reads.jsonl").read_text().splitlines()
    assert len(lines) == 5
    first = json.loads(lines[0])
    assert set(first) == {"date", "model", "model_sha256", "data", "data_sha256", "androscope"}
    assert (first["model"], first["data"]) == ("mine", "d")
    assert first["date"].endswith("+00:00")


def test_a_damaged_record_is_evidence_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "test_reads.jsonl"
    record_test_read(subject(tmp_path), data="d", data_sha256="1" * 64)
    damaged = path.read_text() + "not json\n"
    path.write_text(damaged)
    with pytest.raises(TrainingError, match="line 2 of the record of test readings cannot be read"):
        record_test_read(subject(tmp_path), data="d", data_sha256="1" * 64)
    assert path.read_text() == damaged


def test_a_record_without_a_last_line_break_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "test_reads.jsonl"
    record_test_read(subject(tmp_path), data="d", data_sha256="1" * 64)
    path.write_text(path.read_text().rstrip("\n"))
    assert record_test_read(subject(tmp_path), data="d", data_sha256="1" * 64) == 2
    assert len(path.read_text().splitlines()) == 2

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")
pytest.importorskip("matplotlib", reason="needs the train extra: matplotlib is not installed")

from androscope.datasets import Dataset
from androscope.errors import TrainingError
from androscope.learning.subject import Subject
from androscope.protocol.read import evaluate_once

from .small import LABELS

pytestmark = pytest.mark.train


class Model:
    """Grades by the grey level of the middle, and counts how often it is asked."""

    def __init__(self, folder: Path, sha256: str = "a" * 64) -> None:
        self.asked = 0
        self.subject = Subject(
            name="grey",
            kind="run",
            sha256=sha256,
            thresholds=dict.fromkeys(LABELS, 0.5),
            crop_size=32,
            dataset="discs",
            reads=folder / "test_reads.jsonl",
            grade=self.grade,
        )

    def grade(self, crops: np.ndarray) -> np.ndarray:
        self.asked += 1
        level = crops[:, 12:20, 12:20].mean(axis=(1, 2)) / 255
        return np.stack([level, 1 - level], axis=1).astype(np.float32)


def read(model: Model, data: Dataset, folder: Path, split: str = "test") -> Path:
    return evaluate_once(model.subject, data, split, folder, seed=0, resamples=100)


def readings(folder: Path) -> int:
    path = folder / "test_reads.jsonl"
    return len(path.read_text().splitlines()) if path.is_file() else 0


def test_test_is_read_once_however_often_it_is_asked_for(data: Dataset, tmp_path: Path) -> None:
    model = Model(tmp_path)
    out = read(model, data, tmp_path)
    assert out == tmp_path / "evaluation" / "discs-test"
    first = (out / "evaluation.json").read_bytes()
    for _ in range(3):
        assert read(model, data, tmp_path) == out
    assert (model.asked, readings(tmp_path)) == (1, 1)
    assert (out / "evaluation.json").read_bytes() == first


def test_validation_leaves_no_reading(data: Dataset, tmp_path: Path) -> None:
    model = Model(tmp_path)
    read(model, data, tmp_path, "valid")
    read(model, data, tmp_path, "valid")
    assert (model.asked, readings(tmp_path)) == (1, 0)


def test_a_reading_whose_evaluation_is_lost_is_not_repeated(data: Dataset, tmp_path: Path) -> None:
    model = Model(tmp_path)
    out = read(model, data, tmp_path)
    shutil.rmtree(out)
    with pytest.raises(TrainingError) as caught:
        read(model, data, tmp_path)
    assert str(caught.value) == (
        f"{out}: test has been read with these weights, and what came of it is not here; it is not "
        "read again. Restore the folder; or remove the run's, and say so where you report results"
    )
    assert (model.asked, readings(tmp_path)) == (1, 1)


def test_killed_before_the_reading_was_recorded(data: Dataset, tmp_path: Path) -> None:
    model = Model(tmp_path)
    read(model, data, tmp_path)
    (tmp_path / "test_reads.jsonl").unlink()  # as a kill between the two leaves it
    read(model, data, tmp_path)
    assert (model.asked, readings(tmp_path)) == (1, 1)


def test_killed_before_the_evaluation_was_whole(data: Dataset, tmp_path: Path) -> None:
    model = Model(tmp_path)
    out = read(model, data, tmp_path)
    (tmp_path / "test_reads.jsonl").unlink()
    (out / "evaluation.json").unlink()
    read(model, data, tmp_path)
    assert (model.asked, readings(tmp_path)) == (2, 1)


def test_what_androscope_evaluate_read_is_not_read_again(data: Dataset, tmp_path: Path) -> None:
    # The same folder, the same ledger: one reading for both commands.
    model = Model(tmp_path)
    out = read(model, data, tmp_path)
    entry = json.loads((tmp_path / "test_reads.jsonl").read_text())
    assert entry["data_sha256"] == data.splits["test"].sha256
    assert json.loads((out / "evaluation.json").read_text())["split"] == "test"


def test_other_weights_read_anew(data: Dataset, tmp_path: Path) -> None:
    read(Model(tmp_path), data, tmp_path)
    other = Model(tmp_path, "b" * 64)
    out = read(other, data, tmp_path)
    assert (other.asked, readings(tmp_path)) == (1, 2)
    assert json.loads((out / "evaluation.json").read_text())["model_sha256"] == "b" * 64


def test_no_such_split(data: Dataset, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="discs has no final split; there are train, valid"):
        read(Model(tmp_path), data, tmp_path, "final")

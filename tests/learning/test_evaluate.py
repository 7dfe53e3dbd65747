from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")
pytest.importorskip("matplotlib", reason="needs the train extra: matplotlib is not installed")

from PIL import Image

from androscope.errors import OutputError, TrainingError
from androscope.learning.evaluate import evaluate, measure
from androscope.learning.intervals import bootstrap
from androscope.learning.metrics import METRICS, scores
from androscope.learning.summary import read_summary

from .synthetic import LABELS, Brightness, crops

pytestmark = pytest.mark.train

THRESHOLDS = {"head": 0.5, "acrosome": 0.4, "tail": 0.6}


def test_scores_and_intervals_are_those_of_each_label() -> None:
    data = crops(120, gaps=0.1)
    found = evaluate(Brightness(), data, THRESHOLDS, name="synthetic", split="test", resamples=300)
    given = Brightness().probabilities(data.crops)
    assert found.summary.labels == LABELS
    for i, label in enumerate(LABELS):
        expected = scores(data.labels[:, i], given[:, i], THRESHOLDS[label])
        ends = bootstrap(data.labels[:, i], given[:, i], THRESHOLDS[label], resamples=300)
        one = found.summary.by_label[label]
        assert (one.n, one.normal, one.abnormal) == (expected.n, expected.normal, expected.abnormal)
        assert one.confusion == expected.counts.matrix
        assert one.threshold == THRESHOLDS[label]
        for name in METRICS:
            assert one.scores[name].value == pytest.approx(expected[name])
            assert one.scores[name].low == pytest.approx(ends[name].low)
            assert one.scores[name].high == pytest.approx(ends[name].high)
        assert one.scores["roc_auc"].value is not None
        assert one.scores["roc_auc"].value > 0.8


def test_baseline_calls_all_normal() -> None:
    data = crops(100)
    found = evaluate(Brightness(), data, THRESHOLDS, resamples=200).summary.by_label["head"]
    share = found.normal / found.n
    assert found.baseline["accuracy"] == pytest.approx(share)
    assert found.baseline["precision"] == pytest.approx(share)
    assert found.baseline["recall"] == 1
    assert found.baseline["roc_auc"] == 0.5
    assert found.baseline["mcc"] is None


def test_files(tmp_path: Path) -> None:
    data = crops(60, gaps=0.2)
    found = evaluate(Brightness(), data, THRESHOLDS, resamples=200, name="synthetic")
    files = found.write(tmp_path / "out")
    assert sorted(p.name for p in files) == sorted(p.name for p in (tmp_path / "out").iterdir())
    assert {p.name for p in files} == {
        "evaluation.json",
        "predictions.csv",
        "roc.png",
        "calibration.png",
        "confusion.png",
    }
    assert read_summary(tmp_path / "out") == found.summary
    for path in files[:3]:
        with Image.open(path) as picture:
            assert picture.format == "PNG"

    with (tmp_path / "out" / "predictions.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == list(data.ids)
    words = {0: "normal", 1: "abnormal", -1: ""}
    for i, row in enumerate(rows):
        for j, label in enumerate(LABELS):
            chance = np.float32(row[f"{label}_probability"])
            assert chance == found.probabilities[i, j]
            assert row[f"{label}_truth"] == words[int(data.labels[i, j])]
            wanted = "abnormal" if chance >= THRESHOLDS[label] else "normal"
            assert row[f"{label}_verdict"] == wanted
            assert float(row[f"{label}_threshold"]) == THRESHOLDS[label]


def test_the_same_evaluation_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        evaluate(Brightness(), crops(40), THRESHOLDS, resamples=200).write(tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        if path.name != "evaluation.json":
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_json_has_null_where_a_score_is_undefined(tmp_path: Path) -> None:
    data = crops(30).with_labels(("head",))
    normal = data.select(data.labels[:, 0] == 0)

    class Half:
        def probabilities(self, crops: np.ndarray) -> np.ndarray:
            return np.full((len(crops), 1), 0.5, np.float32)

    found = evaluate(Half(), normal, {"head": 0.4}, resamples=100)
    found.write(tmp_path)
    text = (tmp_path / "evaluation.json").read_text()
    assert "NaN" not in text
    values = json.loads(text)["by_label"]["head"]["scores"]
    assert values["precision"] == {
        "value": None,
        "low": None,
        "high": None,
        "why": "no crop was called normal",
    }
    assert values["roc_auc"]["why"] == "all crops are of one class"
    assert read_summary(tmp_path) == found.summary


def test_patients_are_what_the_intervals_draw() -> None:
    known = evaluate(Brightness(), crops(80, patients=10), THRESHOLDS, resamples=200).summary
    assert known.interval == "95 % percentile bootstrap over patients"
    assert known.patients == 10
    unknown = evaluate(Brightness(), crops(80), THRESHOLDS, resamples=200).summary
    assert unknown.interval == "95 % percentile bootstrap over crops"
    assert unknown.patients is None


def test_labels_that_the_data_lacks_are_left_out_and_named() -> None:
    data = crops(40).with_labels(("tail", "head"))
    found = evaluate(Brightness(), data, THRESHOLDS, resamples=200)
    assert found.summary.labels == ("head", "tail")
    assert found.summary.left_out == ("acrosome",)
    # Columns follow their labels, whatever order the data has them in.
    whole = evaluate(Brightness(), crops(40), THRESHOLDS, resamples=200)
    assert found.summary.by_label["tail"] == whole.summary.by_label["tail"]


def test_each_crop_may_have_its_own_threshold() -> None:
    data = crops(40)
    given = Brightness().probabilities(data.crops)
    limits = np.where(np.arange(40)[:, None] % 2 == 0, 0.3, 0.7) * np.ones((1, 3))
    found = measure(
        given, data, limits, model="m", model_sha256=None, name="d", split="s", resamples=100
    )
    head = found.summary.by_label["head"]
    assert head.threshold is None
    expected = scores(data.labels[:, 0], (given[:, 0] >= limits[:, 0]) * 1.0, 0.5)
    assert head.confusion == expected.counts.matrix
    row = found.predictions_csv().splitlines()[1].split(",")
    assert row[3:5] == ["abnormal" if given[0, 0] >= 0.3 else "normal", "0.3"]


def test_a_name_that_a_spreadsheet_would_run_is_harmless() -> None:
    data = crops(2)
    object.__setattr__(data, "ids", ("=cmd()", "b"))
    found = evaluate(Brightness(), data, THRESHOLDS, resamples=100)
    assert found.predictions_csv().splitlines()[1].startswith("./=cmd(),")


def test_nothing_to_compare() -> None:
    with pytest.raises(TrainingError) as caught:
        evaluate(Brightness(), crops(5).with_labels(("tail",)), {"head": 0.5})
    assert str(caught.value) == (
        "the model grades head, the data is labelled for tail: nothing to compare. "
        "Name the data's label columns as the model's"
    )
    with pytest.raises(TrainingError, match=r"^d valid holds no crop\. Choose another --split$"):
        evaluate(Brightness(), crops(5).select([]), THRESHOLDS, name="d", split="valid")
    with pytest.raises(TrainingError, match=r"expected probabilities \(5, 1\), got \(5, 3\)"):
        evaluate(Brightness(), crops(5), {"head": 0.5})


def test_reading_what_is_no_evaluation(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"evaluation\.json: cannot be read: No such file"):
        read_summary(tmp_path)
    (tmp_path / "evaluation.json").write_text('{"model": 3}')
    with pytest.raises(TrainingError, match="is no evaluation: model: input should be a valid"):
        read_summary(tmp_path)


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        evaluate(Brightness(), crops(20), THRESHOLDS, resamples=100).write(tmp_path / "file" / "x")

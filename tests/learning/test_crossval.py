from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")
pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from androscope.datasets import Dataset
from androscope.errors import LabelsError, TrainingError
from androscope.learning.config import Config
from androscope.learning.crossval import crossval, pool
from androscope.learning.metrics import METRICS, scores
from androscope.learning.thresholds import find_thresholds

from .synthetic import LABELS, Brightness, dataset

pytestmark = pytest.mark.train


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    # They take most of a quick learner's time, and test_evaluate.py looks at them.
    for name in ("plot_roc", "plot_calibration", "plot_confusion"):
        monkeypatch.setattr(f"androscope.learning.evaluate.{name}", lambda *a, **k: None)


CONFIG = Config(name="quick", method="dmtl", labels=LABELS, seed=5)


@dataclass
class Learned:
    thresholds: dict[str, float]

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        return Brightness().probabilities(crops)


class Learner:
    """Finds thresholds on the validation part, as training does, and counts its calls."""

    def __init__(self, stop_before: int | None = None) -> None:
        self.folders: list[str] = []
        self.stop_before = stop_before

    def __call__(self, config: Config, folder: Path, data: Dataset) -> Learned:
        if self.stop_before is not None and len(self.folders) == self.stop_before:
            raise KeyboardInterrupt
        self.folders.append(folder.name)
        valid = data.splits["valid"]
        given = Brightness().probabilities(valid.crops)
        found = find_thresholds(config.labels, valid.labels, given, config.threshold)
        return Learned({name: t.value for name, t in found.items()})


def test_result(tmp_path: Path) -> None:
    data = dataset()
    lines: list[str] = []
    found = crossval(CONFIG, data, tmp_path, 4, Learner(), resamples=200, report=lines.append)
    whole = pool(data, LABELS)
    assert len(whole) == 250
    assert sum(size[2] for size in found.sizes) == 250
    assert lines[0] == f"fold 1 of 4: {found.sizes[0][0]} to fit, {found.sizes[0][1]} to choose"

    with (tmp_path / "predictions.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == list(whole.ids)
    for i, label in enumerate(LABELS):
        by_fold = found.by_fold[label]
        for number in range(1, 5):
            mine = [k for k, row in enumerate(rows) if row["fold"] == str(number)]
            record = json.loads((tmp_path / f"fold-{number}" / "fold.json").read_text())
            expected = scores(
                whole.labels[mine, i],
                [float(rows[k][f"{label}_probability"]) for k in mine],
                record["thresholds"][label],
            )
            for name in METRICS:
                assert by_fold[name].folds[number - 1] == pytest.approx(expected[name], nan_ok=True)
        accuracy = by_fold["accuracy"]
        assert accuracy.mean == pytest.approx(np.mean(accuracy.folds))
        assert accuracy.sd == pytest.approx(np.std(accuracy.folds, ddof=1))
        pooled = found.pooled.summary.by_label[label]
        assert pooled.n == 250
        right = sum(row[f"{label}_truth"] == row[f"{label}_verdict"] for row in rows)
        assert pooled.scores["accuracy"].value == pytest.approx(right / 250)
        assert pooled.threshold is None
    saved = json.loads((tmp_path / "crossval.json").read_text())
    assert saved == json.loads(json.dumps(found.to_json()))
    assert saved["by_fold"]["head"]["accuracy"]["mean"] == found.by_fold["head"]["accuracy"].mean


@dataclass
class Remembered:
    """Knows by heart what it was shown, and nothing else."""

    seen: dict[bytes, list[float]]
    thresholds: dict[str, float]

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        unknown = [0.5] * len(LABELS)
        return np.array([self.seen.get(c.tobytes(), unknown) for c in crops], np.float32)


@pytest.mark.parametrize("patients", [None, 40], ids=["crops", "patients"])
def test_nothing_of_the_held_out_crops_is_shown(tmp_path: Path, patients: int | None) -> None:
    shown: list[set[str]] = []

    def learn(config: Config, folder: Path, data: Dataset) -> Remembered:
        assert set(data.splits) == {"train", "valid"}
        seen: dict[bytes, list[float]] = {}
        for split in data.splits.values():
            seen |= {
                c.tobytes(): row.tolist() for c, row in zip(split.crops, split.labels, strict=True)
            }
            shown.append(set(split.patients or ()))
        return Remembered(seen, dict.fromkeys(LABELS, 0.5))

    found = crossval(CONFIG, dataset(patients=patients), tmp_path, 3, learn, resamples=100)
    assert (found.pooled.probabilities == 0.5).all()
    if patients is not None:
        assert all(not a & b for a, b in zip(shown[::2], shown[1::2], strict=True))
        assert found.pooled.summary.interval == "95 % percentile bootstrap over patients"


def test_test_is_not_part_of_it() -> None:
    whole = pool(dataset(), LABELS)
    assert {name.split("/")[0] for name in whole.ids} == {"train", "valid"}


def test_test_is_pooled_where_it_is_asked_for(tmp_path: Path) -> None:
    splits = ("train", "valid", "test")
    assert len(pool(dataset(), LABELS, splits)) == 310
    found = crossval(CONFIG, dataset(), tmp_path / "cv", 2, Learner(), splits=splits, resamples=100)
    assert found.pooled.summary.split == "train+valid+test, 2 folds"
    assert sum(name.startswith("test/") for name in found.pooled.ids) == 60
    # The same folder is no cross-validation of two splits.
    with pytest.raises(TrainingError, match="holds a cross-validation of other data"):
        crossval(CONFIG, dataset(), tmp_path / "cv", 2, Learner(), resamples=100)


def test_finished_folds_are_kept(tmp_path: Path) -> None:
    first = Learner(stop_before=2)
    with pytest.raises(KeyboardInterrupt):
        crossval(CONFIG, dataset(), tmp_path, 4, first, resamples=100)
    assert not (tmp_path / "crossval.json").exists()
    second = Learner()
    found = crossval(CONFIG, dataset(), tmp_path, 4, second, resamples=100)
    assert first.folders == ["fold-1", "fold-2"]
    assert second.folders == ["fold-3", "fold-4"]
    straight = crossval(CONFIG, dataset(), tmp_path / "again", 4, Learner(), resamples=100)
    assert np.array_equal(found.pooled.probabilities, straight.pooled.probabilities)
    assert found.by_fold == straight.by_fold


OTHERS = {
    "configuration": (CONFIG.model_copy(update={"seed": 6}), dataset(), 4, "another configuration"),
    "folds": (CONFIG, dataset(), 5, "4 folds"),
    "data": (CONFIG, dataset(gaps=0.1), 4, "other data, other file names or patients"),
    "patients": (CONFIG, dataset(patients=60), 4, "other file names or patients"),
}


@pytest.mark.parametrize(("config", "data", "folds", "what"), OTHERS.values(), ids=OTHERS)
def test_another_cross_validation_is_not_mixed_in(
    tmp_path: Path, config: Config, data: Dataset, folds: int, what: str
) -> None:
    crossval(CONFIG, dataset(), tmp_path, 4, Learner(), resamples=100)
    with pytest.raises(TrainingError) as caught:
        crossval(config, data, tmp_path, folds, Learner(), resamples=100)
    assert str(caught.value) == (
        f"{tmp_path}: holds a cross-validation of {what}. "
        "Choose another folder with --out, or remove this one"
    )


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(TrainingError, match="holds files that are no cross-validation's"):
        crossval(CONFIG, dataset(), tmp_path, 4, Learner())
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_damaged_fold_is_not_taken_for_whole(tmp_path: Path) -> None:
    crossval(CONFIG, dataset(), tmp_path, 3, Learner(), resamples=100)
    path = tmp_path / "fold-2" / "fold.json"
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    with pytest.raises(TrainingError, match=r"fold\.json: cannot be read: .*Remove it"):
        crossval(CONFIG, dataset(), tmp_path, 3, Learner())
    path.write_text((tmp_path / "fold-1" / "fold.json").read_text())
    with pytest.raises(TrainingError, match=r"fold\.json: is of another cross-validation"):
        crossval(CONFIG, dataset(), tmp_path, 3, Learner())
    path.unlink()
    again = Learner()
    crossval(CONFIG, dataset(), tmp_path, 3, again, resamples=100)
    assert again.folders == ["fold-2"]


def test_crops_without_any_of_the_labels_are_left_out() -> None:
    data = dataset(gaps=0.5)
    whole = pool(data, ("tail",))
    known = sum(int((data.splits[n].labels[:, 2] >= 0).sum()) for n in ("train", "valid"))
    assert len(whole) == known


def test_patients_known_in_one_split_alone() -> None:
    data = dataset()
    some = replace(data, splits={**data.splits, "train": dataset(patients=9).splits["train"]})
    whole = pool(some, LABELS)
    assert whole.patients is not None
    assert set(whole.patients[200:]) == {""}


def test_data_that_does_not_do() -> None:
    with pytest.raises(LabelsError, match="no labels for vacuole"):
        pool(dataset(), ("vacuole",))
    only_test = replace(dataset(), splits={"test": dataset().splits["test"]})
    with pytest.raises(TrainingError, match="has none of the splits train, valid; there are test"):
        pool(only_test, LABELS)

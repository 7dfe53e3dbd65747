from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")
pytest.importorskip("cleanlab", reason="needs the train extra: cleanlab is not installed")

from androscope.errors import TrainingError
from androscope.learning.agreement import agreement
from androscope.learning.held_out import held_out_ids
from androscope.learning.run import Run
from androscope.learning.subject import TEST_READS
from androscope.protocol.limits import limits
from androscope.protocol.limits_text import lines

from .small import dataset, guarded

pytestmark = pytest.mark.train


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("plot_roc", "plot_calibration", "plot_confusion"):
        monkeypatch.setattr(f"androscope.learning.evaluate.{name}", lambda *a, **k: None)


def test_all_four_parts_without_a_look_at_test(runs: dict[str, Path]) -> None:
    data = guarded()
    before = {path: sorted(p.name for p in path.iterdir()) for path in runs.values()}
    found = limits(list(runs.values()), "valid", views=1, resamples=100, dataset=data)
    valid = dataset().splits["valid"]
    opened = {name: Run.load(path) for name, path in runs.items()}

    whole = [opened[name] for name in ("fold-0", "fold-1", "whole", "other")]
    for i, label in enumerate(("head", "vacuole")):
        given = np.stack([run.probabilities(valid.crops)[:, i] for run in whole])
        verdicts = (given >= np.array([[run.thresholds[label]] for run in whole])).astype(int)
        assert found.agreement[label] == agreement(valid.labels[:, i], verdicts)
        wrong = (verdicts != valid.labels[:, i]).all(axis=0)
        assert {c.id for c in found.missed_by_all[label]} == {
            valid.ids[row] for row in np.flatnonzero(wrong)
        }

    assert found.noise is not None
    assert (found.noise.runs, found.noise.crops, found.noise.of) == (2, 40, 40)
    assert set(found.noise.labels) == {"head", "vacuole"}

    (curve,) = found.curves
    assert [(p.crops, p.seeds) for p in curve.points] == [(20, (0, 0, 1, 1)), (40, (0,))]
    assert [run.recipe for run in found.runs] == [0, 0, 0, 0, 0, 1]
    assert [run.train_crops for run in found.runs] == [20, 20, 40, 20, 20, 40]
    assert [run.fold for run in found.runs][:3] == ["1 of 2", "2 of 2", None]
    assert found.missing == {}
    assert {run.test_readings for run in found.runs} == {None}
    assert {path: sorted(p.name for p in path.iterdir()) for path in runs.values()} == before


def test_opinions_are_of_those_that_had_not_learned(
    runs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[Path, set[bytes]] = {}
    plain = Run.probabilities

    def spied(self: Run, crops: np.ndarray) -> np.ndarray:
        seen.setdefault(self.folder, set()).update(crop.tobytes() for crop in crops)
        return plain(self, crops)

    monkeypatch.setattr(Run, "probabilities", spied)
    folders = [runs["fold-0"], runs["fold-1"]]
    limits(folders, "valid", views=1, resamples=100, dataset=guarded())
    splits = dataset().splits
    valid = {crop.tobytes() for crop in splits["valid"].crops}
    for folder in folders:
        held = held_out_ids(Run.load(folder))
        allowed = {
            crop.tobytes()
            for crop, name in zip(splits["train"].crops, splits["train"].ids, strict=True)
            if name in held
        }
        assert seen[folder] - valid == allowed - valid


def test_what_the_runs_cannot_tell_is_said(runs: dict[str, Path]) -> None:
    found = limits([runs["whole"]], "valid", dataset=guarded())
    assert found.noise is None
    assert found.curves == ()
    assert found.missing == {
        "agreement: head": "1 of the runs grades it and learned from all crops; 2 are needed",
        "agreement: vacuole": "1 of the runs grades it and learned from all crops; 2 are needed",
        "noise": "no run held out a part of train: train N with --set data.held_out_folds=N and N "
        "seeds in a row",
        "curves": "no runs of one recipe learned from different numbers of crops: train some with "
        "--set data.train_share=0.5, and less",
    }
    half = limits(
        [runs["fold-0"], runs["whole"]], "valid", views=1, resamples=100, dataset=guarded()
    )
    assert half.noise is not None
    assert (half.noise.crops, half.noise.of) == (20, 40)


def test_test_is_read_once_and_recorded(runs: dict[str, Path]) -> None:
    folders = [runs["part-0"], runs["other"]]
    data = dataset()
    first = limits(folders, "test", dataset=data)
    assert [run.test_readings for run in first.runs] == [1, 1]
    again = limits(folders, "test", dataset=data)
    assert again.curves == first.curves
    assert again.missing == first.missing
    for folder in folders:
        (line,) = (folder / TEST_READS).read_text().splitlines()
        assert json.loads(line)["data_sha256"] == data.splits["test"].sha256
        assert (folder / "evaluation" / "discs-test" / "predictions.csv").is_file()
    assert "Each run's reading of test is recorded in its folder." in lines(first)
    (folders[0] / "evaluation" / "discs-test" / "predictions.csv").unlink()
    with pytest.raises(TrainingError, match="test has been read with these weights"):
        limits(folders, "test", dataset=data)


def test_the_text_has_every_part(runs: dict[str, Path]) -> None:
    found = limits(list(runs.values()), "valid", views=1, resamples=100, dataset=guarded())
    told = lines(found, 1)
    assert told[0] == "6 runs on discs valid, 20 crops"
    for label in ("head", "vacuole"):
        missed, noise = found.missed_by_all[label], found.noise.labels[label]  # type: ignore[union-attr]
        assert f"{label}: {len(missed)} crops that every model gets wrong" in told
        assert f"{label}: {len(noise.suspects)} train crops to look at again" in told
        if len(missed) > 1:
            assert f"  and {len(missed) - 1} more, in the JSON" in told
    assert "tiny on valid by training size, %: mean (sd over seeds)" in told
    assert any(line.split()[:2] == ["40", "1"] for line in told)


@pytest.mark.parametrize(
    ("names", "split", "what"),
    [
        pytest.param([], "valid", "there is no run", id="none"),
        pytest.param(["whole"], "train", "the runs have learned train", id="train"),
        pytest.param(["whole"], "more", "discs has no more split; there are train", id="split"),
        pytest.param(["whole", "whole"], "valid", "is the same network as", id="twice"),
    ],
)
def test_what_is_refused(runs: dict[str, Path], names: list[str], split: str, what: str) -> None:
    with pytest.raises(TrainingError, match=what):
        limits([runs[name] for name in names], split, dataset=guarded())


def test_runs_on_other_crops_are_refused(runs: dict[str, Path]) -> None:
    data = dataset()
    data.splits["train"].labels[0, 0] ^= 1
    with pytest.raises(TrainingError, match="was trained on other train crops than discs has"):
        limits([runs["whole"]], "valid", dataset=data)

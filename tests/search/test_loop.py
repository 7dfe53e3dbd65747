from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs the train extra: optuna is not installed")
pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from optuna.trial import TrialState

from androscope.datasets import Dataset
from androscope.errors import ConfigError, TrainingError
from androscope.learning.config_file import load_config
from androscope.learning.run import Run
from androscope.search import trial as trials
from androscope.search.loop import loop
from androscope.search.record import describe, write_result
from androscope.search.run import facts_of
from androscope.search.score import objective_of
from androscope.search.study import lock_of, revive, room
from androscope.search.trial import Bench, folder_of

from ..learning import tiny  # noqa: TID252  (tests are no package)
from .small import SPACE, begin, go, loaded

pytestmark = [
    pytest.mark.train,
    # It says so of trials that are asked for by hand, as these tests do.
    pytest.mark.filterwarnings("ignore:Heartbeat of storage:UserWarning"),
]

GOOD = {
    "stage1.optimizer.lr": 0.01,
    "stage1.optimizer.name": "adam",
    "branch.dense.layers": 0,
    "branch.dense.width": 4,
}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that train nothing: the value follows from the learning rate."""

    def trained(config: Any, folder: Path, trial: Any, bench: Bench) -> Any:
        folder.mkdir(parents=True)
        value = 1 - abs(float(np.log10(config.stage1.optimizer.lr)) + 2) / 4
        return value, {"head": {"accuracy": 0.5, "roc_auc": value, "loss": 1.0}}

    monkeypatch.setattr(trials, "_trained", trained)


def test_the_best_trial_is_trained_on_validation_alone(tmp_path: Path) -> None:
    told: list[str] = []
    study = go(tmp_path, 2, report=told.append)
    assert [t.state for t in study.trials] == [TrialState.COMPLETE] * 2
    assert {len(t.intermediate_values) for t in study.trials} == {2}
    best = study.best_trial
    out = tmp_path / "out"
    # The other one's folder is gone.
    assert [p.name for p in (out / "trials").iterdir()] == [f"{best.number:04d}"]
    run = Run.load(folder_of(out, best.number))
    valid = tiny.dataset().splits["valid"]
    given = run.probabilities(valid.crops)
    assert best.value == pytest.approx(
        objective_of("roc_auc", run.labels, valid.labels, given), abs=1e-12
    )
    assert list(best.user_attrs["valid"]) == ["head", "vacuole"]
    write_result(study, out, "sqlite://")
    config = load_config(out / "best.yaml")
    assert config.name == "tiny-best"
    same = run.config.model_copy(update={"name": "tiny-best"})
    assert config == same
    assert (
        f"# The best of the search small: trial {best.number}, mean ROC AUC {best.value:.4f}"
        in (out / "best.yaml").read_text()
    )
    assert told[-1] == f"trial 1: roc_auc {study.trials[1].value:.4f} on valid"


def test_test_is_not_even_there() -> None:
    splits = dict(tiny.dataset().splits) | {"test": tiny.discs(4)}
    whole = Dataset(name="discs", splits=splits)
    assert set(Bench.__dataclass_fields__) >= {"dataset"}
    bench = Bench(None, None, whole, Path(), "")  # type: ignore[arg-type]
    assert set(bench.dataset.splits) == {"train", "valid"}


@pytest.mark.usefixtures("quick")
def test_the_same_seed_gives_the_same_search(tmp_path: Path) -> None:
    one, stopped, other = (tmp_path / name for name in ("one", "stopped", "other"))
    whole = go(one, 8, seed=3)
    go(stopped, 3, seed=3)
    again = go(stopped, 8, seed=3)
    assert len(again.trials) == 8
    assert [(t.params, t.value) for t in again.trials] == [
        (t.params, t.value) for t in whole.trials
    ]
    assert [t.params for t in go(other, 8, seed=4).trials] != [t.params for t in whole.trials]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("keep", ["best", "all", "none"])
def test_folders_that_are_kept(tmp_path: Path, keep: Any) -> None:
    study = go(tmp_path, 4, keep=keep)
    expected = {"best": [study.best_trial.number], "all": range(4), "none": []}[keep]
    there = [int(p.name) for p in (tmp_path / "out" / "trials").iterdir()]
    assert sorted(there) == list(expected)


def test_a_trial_that_fails_is_recorded_and_the_next_is_begun(tmp_path: Path) -> None:
    text = SPACE.replace(
        "  stage1.optimizer.name",
        "  backbone.name: {choices: [no_such_network, test_efficientnet]}\n  stage1.optimizer.name",
    )
    study, bench = begin(tmp_path, text)
    for name in ("no_such_network", "test_efficientnet"):
        study.enqueue_trial(GOOD | {"backbone.name": name})
    loop(study, bench, trials=2)
    assert [t.state for t in study.trials] == [TrialState.FAIL, TrialState.COMPLETE]
    record = describe(study, "sqlite://")
    assert record.best == 1
    assert [t.state for t in record.trials] == ["failed", "complete"]
    error = record.trials[0].error or ""
    assert error.startswith("ConfigError: backbone.name: timm "), error
    assert "has no model 'no_such_network'" in error
    assert not folder_of(bench.out, 0).exists()


def test_keys_that_do_not_go_together_fail_one_trial(tmp_path: Path) -> None:
    text = SPACE.replace(
        "space:\n",
        "space:\n  teacher.runs: {choices: [[], [runs/none]]}\n"
        "  stage1.balance: {choices: [none, smote]}\n",
    )
    study, bench = begin(tmp_path, text)
    study.enqueue_trial(GOOD | {"teacher.runs": '["runs/none"]', "stage1.balance": "smote"})
    loop(study, bench, trials=1)
    assert study.trials[0].state == TrialState.FAIL
    assert (
        "teacher.runs knows nothing of crops made by smote" in study.trials[0].user_attrs["error"]
    )


def test_a_trial_that_is_worse_than_most_is_given_up(tmp_path: Path) -> None:
    text = SPACE.replace("stage1.epochs: 2", "stage1.epochs: 4").replace(
        "pruning: {enabled: false}", "pruning: {startup_trials: 1, warmup_epochs: 1}"
    )
    text = text.replace("low: 1e-4", "low: 1e-9")
    told: list[str] = []
    study, bench = begin(tmp_path, text, report=told.append)
    study.enqueue_trial(GOOD)
    study.enqueue_trial(GOOD | {"stage1.optimizer.lr": 1e-9})
    loop(study, bench, trials=2)
    first, second = study.trials
    assert first.state == TrialState.COMPLETE
    assert sorted(first.intermediate_values) == [0, 1, 2, 3]
    assert second.state == TrialState.PRUNED
    assert sorted(second.intermediate_values) == [0, 1], "not in the warm-up, and no later"
    assert told[-1].startswith("trial 1: given up, epoch 2: roc_auc 0.")
    record = describe(study, "sqlite://")
    assert (record.trials[1].state, record.trials[1].epochs) == ("pruned", 2)
    assert record.best == 0


@pytest.mark.usefixtures("quick")
def test_a_trial_whose_process_died_is_tried_again_with_the_same_values(tmp_path: Path) -> None:
    study, bench = begin(tmp_path)
    loop(study, bench, trials=2)
    for number in (2, 3):  # It dies twice.
        trial = study.ask()
        assert trial.number == number
        trials.suggest(trial, bench.space)
        trial.set_user_attr("place", bench.place)
        if number == 2:
            trial.report(0.5, 0)
        with lock_of(bench.out, number):
            assert revive(study, bench.out, bench.place) == [], "it lives"
            assert not room(study, 3)
        assert revive(study, bench.out, "elsewhere") == []
        assert revive(study, bench.out, bench.place) == [number]
        assert room(study, 3)
    loop(study, bench, trials=3)
    states = [t.state.name for t in study.trials]
    assert states == ["COMPLETE", "COMPLETE", "FAIL", "FAIL", "COMPLETE"], states
    dead, again = study.trials[2], study.trials[4]
    assert again.params == dead.params
    assert again.intermediate_values == {0: 0.5}
    assert again.user_attrs["folder"] == "trials/0002"
    record = describe(study, "sqlite://")
    assert [t.state for t in record.trials][2:] == ["died", "died", "complete"]
    assert [t.retries for t in record.trials] == [None, None, None, 2, 2]


@pytest.mark.usefixtures("quick")
def test_after_two_more_tries_it_is_given_up(tmp_path: Path) -> None:
    study, bench = begin(tmp_path)
    for number in range(3):
        trial = study.ask()
        assert trial.number == number
        trial.set_user_attr("place", bench.place)
        assert revive(study, bench.out, bench.place) == [number]
    assert not room(study, 1)
    record = describe(study, "sqlite://")
    assert [t.state for t in record.trials] == ["died", "died", "failed"]
    assert record.trials[2].error == "the process died"


@pytest.mark.usefixtures("quick")
def test_no_trial_is_begun_after_the_time(tmp_path: Path) -> None:
    study = go(tmp_path, 5, until=time.time() - 1)
    assert study.trials == []


@pytest.mark.usefixtures("quick")
def test_a_search_for_something_else_is_not_joined(tmp_path: Path) -> None:
    go(tmp_path, 1)
    different = SPACE.replace("low: 1e-4", "low: 1e-5").replace("views: 1", "views: 2")
    different = different.replace("enabled: false", "enabled: true")
    with pytest.raises(TrainingError) as caught:
        begin(tmp_path, different, seed=1)
    assert str(caught.value) == (
        "the search 'small' was begun with something else; different are "
        "space.stage1.optimizer.lr, pruning, stage2.views, the search's seed. Go on with what it "
        "was begun with, or begin another with --out (or --name in a database)"
    )


def test_other_crops_are_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path)
    monkeypatch.setattr(tiny, "dataset", lambda: _with_valid(tiny.discs(32, seed=9)))
    with pytest.raises(TrainingError, match="different are the valid crops"):
        begin(tmp_path)


def _with_valid(valid: Any) -> Dataset:
    return Dataset(name="discs", splits={"train": tiny.discs(64, seed=1), "valid": valid})


def test_a_search_that_could_not_judge_is_not_begun(tmp_path: Path) -> None:
    normal = tiny.discs(8)
    normal.labels[:] = 0
    with pytest.raises(TrainingError) as caught:
        facts_of(loaded(tmp_path), _with_valid(normal), 0, 1)
    assert str(caught.value) == (
        "discs: no label has normal and abnormal crops in valid, which ROC AUC needs. "
        "Set objective: loss in the space, or label more crops"
    )
    by_loss = loaded(tmp_path, SPACE.replace("pruning:", "objective: loss\npruning:"))
    assert facts_of(by_loss, _with_valid(normal), 0, 3).base.trainer.threads == 1
    several = loaded(tmp_path, SPACE.replace("views: 1", "views: 1, trainer.devices: auto"))
    with pytest.raises(ConfigError, match=r"on one device, got trainer\.devices auto"):
        facts_of(several, tiny.dataset(), 0, 1)


@pytest.mark.usefixtures("quick")
def test_the_smallest_loss_is_the_best(tmp_path: Path) -> None:
    study = go(tmp_path, 3, SPACE.replace("pruning:", "objective: loss\npruning:"))
    values = [t.value for t in study.trials]
    record = describe(study, "sqlite://")
    assert record.best == int(np.argmin(np.array(values, float)))
    assert [t.value for t in record.ranked] == sorted(values)  # type: ignore[type-var]
    assert json.loads(record.model_dump_json())["importance_missing"] == (
        "3 trials were trained to their end; 4 are needed"
    )

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.datasets import Dataset
from androscope.errors import ConfigError, TrainingError
from androscope.files import sha256_of
from androscope.learning.metrics import METRICS, scores
from androscope.learning.run import Run
from androscope.learning.views import dihedral_views
from androscope.protocol.file import load_protocol
from androscope.protocol.follow import follow, plan_lines
from androscope.protocol.plan import plan
from androscope.protocol.record import read_benchmark

from .small import PROTOCOL, Here, guarded, write_protocol

pytestmark = pytest.mark.train

LABELS = ("head", "vacuole")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole small protocol, done once; tests that change anything copy it."""
    folder = tmp_path_factory.mktemp("protocol")
    patch = pytest.MonkeyPatch()
    try:
        use(patch)
        outcome = go(folder)
    finally:
        patch.undo()
    assert outcome.failed == {}
    assert outcome.waiting == {}
    return folder


def use(patch: pytest.MonkeyPatch) -> None:
    from .small import dataset

    found = dataset()
    patch.setattr(
        "androscope.datasets.load",
        lambda *a, labels=None, **k: found if labels is None else found.with_labels(labels),
    )
    for name in ("plot_roc", "plot_calibration", "plot_confusion"):
        patch.setattr(f"androscope.learning.evaluate.{name}", lambda *a, **k: None)


def go(folder: Path, *recipes: str, text: str = PROTOCOL, **options: object):
    loaded = load_protocol(write_protocol(folder / "p", text))
    options.setdefault("launch", Here())
    return follow(loaded, folder / "out", recipes, **options)  # type: ignore[arg-type]


def rows(folder: Path, split: str) -> list[dict[str, str]]:
    with (folder / "evaluation" / f"discs-{split}" / "predictions.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_run_is_on_record(finished: Path) -> None:
    found = read_benchmark(finished / "out")
    assert {name: len(e.runs) for name, e in found.recipes.items()} == {
        "dmtl": 2,
        "dtl": 2,
        "ensemble": 1,
        "taught": 1,
    }
    run = found.recipes["dmtl"].runs[1]
    folder = finished / "out" / "runs" / "dmtl" / "seed-1"
    record = json.loads((folder / "run.json").read_text())
    assert run.seed == 1
    assert run.model_sha256 == record["network_sha256"] == sha256_of(folder / "network.pt")
    assert run.data_sha256["train"] == record["data"]["splits"]["train"]["sha256"]
    assert set(run.data_sha256) == {"train", "valid", "test"}
    for split in ("valid", "test"):
        path = folder / "evaluation" / f"discs-{split}" / "predictions.csv"
        assert run.predictions_sha256[split] == sha256_of(path)
    assert run.seconds == record["seconds"]
    assert run.peak_memory_mb == record["peak_memory_mb"]
    assert found.software[run.software or ""] == record["software"]
    assert run.test_readings == 1
    evaluation = json.loads((folder / "evaluation/discs-test/evaluation.json").read_text())
    measured = evaluation["by_label"]["head"]["scores"]["accuracy"]
    assert run.scores["test"]["head"]["accuracy"].value == pytest.approx(
        measured["value"], abs=1e-6
    )
    assert [r.config_sha256 for r in found.recipes["dmtl"].runs] == [run.config_sha256] * 2
    assert found.recipes["taught"].runs[0].config_sha256 != run.config_sha256
    # Nothing of this machine, and no crop.
    text = (finished / "out" / "benchmark.json").read_text()
    assert str(finished) not in text
    assert len(text) < 40_000


def test_means_against_numpy(finished: Path) -> None:
    found = read_benchmark(finished / "out")
    folders = [finished / "out" / "runs" / "dmtl" / f"seed-{seed}" for seed in (0, 1)]
    for label in LABELS:
        each = []
        for folder in folders:
            table = rows(folder, "test")
            truth = [{"normal": 0, "abnormal": 1}[r[f"{label}_truth"]] for r in table]
            given = [float(r[f"{label}_probability"]) for r in table]
            each.append(scores(truth, given, float(table[0][f"{label}_threshold"])))
        for name in METRICS:
            values = np.array([s[name] for s in each])
            values = values[~np.isnan(values)]
            mean = found.recipes["dmtl"].means["test"][label][name]
            assert mean.n == len(values)
            if len(values):
                assert mean.mean == pytest.approx(values.mean(), abs=1e-6)
            if len(values) == 2:
                assert mean.sd == pytest.approx(abs(values[0] - values[1]) / np.sqrt(2), abs=1e-6)


def test_near_duplicates_are_left_out(finished: Path) -> None:
    found = read_benchmark(finished / "out")
    assert found.near_duplicates is not None
    kept = json.loads((finished / "out" / "near_duplicates.json").read_text())
    removed = kept["removed"]
    assert {"test/0", "test/5", "test/6"} <= set(removed)
    assert found.near_duplicates.removed == len(removed)
    assert (
        found.near_duplicates.removed_sha256
        == hashlib.sha256("\n".join(removed).encode()).hexdigest()
    )
    table = [r for r in rows(finished / "out/runs/dmtl/seed-0", "test") if r["id"] not in removed]
    baseline = found.baseline["distinct"]["head"]
    assert baseline.normal == sum(r["head_truth"] == "normal" for r in table)
    assert baseline.normal + baseline.abnormal == 24 - len(removed)
    one = found.recipes["taught"].means["distinct"]["head"]["accuracy"]
    table = [r for r in rows(finished / "out/runs/taught/seed-0", "test") if r["id"] not in removed]
    right = np.mean([r["head_truth"] == r["head_verdict"] for r in table])
    assert one.mean == pytest.approx(right, abs=1e-6)
    assert one.sd is None


def test_the_ensemble_is_the_mean_over_runs_and_views(finished: Path, data: Dataset) -> None:
    test = data.splits["test"]
    runs = [Run.load(finished / "out" / "runs" / "dmtl" / f"seed-{seed}") for seed in (0, 1)]
    expected = np.mean(
        [run.probabilities(view) for run in runs for view in dihedral_views(test.crops)], axis=0
    )
    table = rows(finished / "out" / "runs" / "ensemble", "test")
    for column, label in enumerate(LABELS):
        given = [float(row[f"{label}_probability"]) for row in table]
        assert given == pytest.approx(expected[:, column], abs=1e-6)
    entry = read_benchmark(finished / "out").recipes["ensemble"].runs[0]
    assert entry.test_readings == 1
    assert entry.config_sha256 is None
    assert entry.model_sha256 not in [run.record["network_sha256"] for run in runs]


def test_the_taught_run_knows_its_teachers(finished: Path) -> None:
    record = json.loads((finished / "out/runs/taught/seed-0/run.json").read_text())
    assert [teacher["seed"] for teacher in record["teachers"]] == [0, 1]


def test_cross_validation_is_over_all_three_splits(finished: Path) -> None:
    found = read_benchmark(finished / "out").crossval["cv"]
    assert found.crops == 84
    kept = json.loads((finished / "out" / "runs" / "crossval" / "cv" / "crossval.json").read_text())
    fold = kept["by_fold"]["head"]["accuracy"]
    assert found.scores["head"]["accuracy"].mean == pytest.approx(fold["mean"], abs=1e-6)
    pooled = kept["pooled"]["by_label"]["head"]["scores"]["accuracy"]["value"]
    assert found.scores["head"]["accuracy"].pooled == pytest.approx(pooled, abs=1e-6)


def test_called_again_nothing_is_trained_nor_read(
    finished: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*a: object, **k: object) -> int:
        raise AssertionError("test was read again")

    monkeypatch.setattr("androscope.protocol.read.record_test_read", never)
    monkeypatch.setattr("androscope.protocol.read.evaluate", never)
    before = read_benchmark(finished / "out")
    launch = Here()
    for _ in range(2):
        outcome = go(finished, launch=launch)
        assert len(outcome.done) == 7
    assert launch.jobs == []
    after = read_benchmark(finished / "out")
    same = {"updated": before.updated}
    assert after.model_copy(update=same) == before
    # Nor when a job is done again although all of it is there.
    path = finished / "out" / "jobs" / "dmtl-seed-0.json"
    assert launch(path, finished / "out" / "logs" / "again.log") == 0
    ledger = finished / "out" / "runs" / "dmtl" / "seed-0" / "test_reads.jsonl"
    assert len(ledger.read_text().splitlines()) == 1


ONE = "name: one\ndataset: discs\nlabels: [head, vacuole]\nseeds: [0, 1]\n" + (
    "bootstrap: {resamples: 100}\nrecipes:\n  dmtl: {config: tiny.yaml}\n"
)


def test_valid_alone_never_touches_test(
    tmp_path: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = guarded(data)
    monkeypatch.setattr(
        "androscope.datasets.load",
        lambda *a, labels=None, **k: (
            hidden
            if labels is None
            else replace(
                hidden,
                splits={n: data.splits[n].with_labels(labels) for n in ("train", "valid")},
            )
        ),
    )
    text = ONE + "crossval:\n  cv: {config: tiny.yaml, folds: 2}\n"
    outcome = go(tmp_path, text=text, split="valid", seeds=[1])
    assert outcome.done == ["dmtl/seed-1"]
    assert outcome.waiting == {
        "dmtl/seed-0": "its seed was not asked for",
        "crossval/cv": "its folds hold test crops",
    }
    found = read_benchmark(tmp_path / "out")
    assert list(found.baseline) == ["valid"]
    assert found.near_duplicates is None
    assert found.recipes["dmtl"].runs[0].test_readings == 0
    # Test is read afterwards, once, without training again.
    monkeypatch.setattr("androscope.datasets.load", lambda *a, **k: data)
    launch = Here()
    stamp = (tmp_path / "out/runs/dmtl/seed-1/network.pt").stat().st_mtime_ns
    go(tmp_path, text=ONE, seeds=[1], launch=launch)
    assert launch.done == ["dmtl/seed-1"]
    assert (tmp_path / "out/runs/dmtl/seed-1/network.pt").stat().st_mtime_ns == stamp
    found = read_benchmark(tmp_path / "out")
    assert found.recipes["dmtl"].runs[0].test_readings == 1
    assert set(found.recipes["dmtl"].means) == {"valid", "test", "distinct"}


def test_a_reading_that_was_not_recorded_is_recorded(tmp_path: Path, data: Dataset) -> None:
    go(tmp_path, text=ONE, seeds=[0])
    ledger = tmp_path / "out/runs/dmtl/seed-0/test_reads.jsonl"
    ledger.unlink()  # as a kill right after the evaluation leaves it
    evaluation = tmp_path / "out/runs/dmtl/seed-0/evaluation/discs-test/evaluation.json"
    stamp = evaluation.stat().st_mtime_ns
    go(tmp_path, text=ONE, seeds=[0])
    assert len(ledger.read_text().splitlines()) == 1
    assert evaluation.stat().st_mtime_ns == stamp
    assert read_benchmark(tmp_path / "out").recipes["dmtl"].runs[0].test_readings == 1


def test_an_evaluation_of_other_weights_is_told_of(tmp_path: Path, data: Dataset) -> None:
    go(tmp_path, text=ONE, seeds=[0])
    folder = tmp_path / "out/runs/dmtl/seed-0"
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**record, "network_sha256": "f" * 64}))
    with pytest.raises(TrainingError, match="is an evaluation of other weights than those in this"):
        go(tmp_path, text=ONE, seeds=[0])


def test_evaluations_on_other_data_are_left_aside(tmp_path: Path, data: Dataset) -> None:
    go(tmp_path, text=ONE, seeds=[0])
    folder = tmp_path / "out/runs/dmtl/seed-0/evaluation"
    (folder / "another-test").mkdir()
    (folder / "another-test" / "evaluation.json").write_text("{}")
    go(tmp_path, text=ONE, seeds=[0])
    assert read_benchmark(tmp_path / "out").recipes["dmtl"].runs[0].test_readings == 1


def test_a_failed_run_does_not_stop_the_others(tmp_path: Path, data: Dataset) -> None:
    text = ONE + "  two: {config: tiny.yaml, teachers: dmtl, seeds: [3]}\n"
    text += "  three: {config: dtl.yaml, seeds: [4]}\n"
    lines: list[str] = []
    outcome = go(tmp_path, text=text, launch=Here(bad=("dmtl/seed-0",)), report=lines.append)
    assert outcome.failed == {"dmtl/seed-0": "error: the loss is no number"}
    assert outcome.waiting == {"two/seed-3": "waits for dmtl/seed-0"}
    assert outcome.done == ["dmtl/seed-1", "three/seed-4"]
    log = tmp_path / "out" / "logs" / "dmtl-seed-0.log"
    assert f"dmtl/seed-0: failed, see {log}" in lines
    assert len(read_benchmark(tmp_path / "out").recipes["dmtl"].runs) == 1


def test_a_changed_recipe_takes_a_new_name(finished: Path, data: Dataset) -> None:
    text = PROTOCOL.replace(
        "dmtl: {config: tiny.yaml}", "dmtl: {config: tiny.yaml, set: {stage1.epochs: 9}}"
    )
    with pytest.raises(TrainingError) as caught:
        go(finished, text=text)
    assert str(caught.value) == (
        f"{finished / 'out' / 'runs' / 'dmtl' / 'seed-0'}: holds a finished run of another "
        "configuration than the protocol's; different are stage1.epochs. Give the changed recipe "
        "a name of its own: what was tried stays on record"
    )


def test_what_was_tried_stays_on_record(tmp_path: Path, data: Dataset) -> None:
    go(tmp_path, text=ONE, seeds=[0])
    text = ONE.replace("  dmtl: {", "  other: {")
    go(tmp_path, text=text, seeds=[1])
    found = read_benchmark(tmp_path / "out")
    assert [(n, e.in_protocol) for n, e in found.recipes.items()] == [
        ("other", True),
        ("dmtl", False),
    ]
    assert found.recipes["dmtl"].means["test"]
    with pytest.raises(TrainingError, match="holds a benchmark on discs; the protocol is about d2"):
        go(tmp_path, text=ONE.replace("dataset: discs", "dataset: d2"))


def test_the_plan_in_words(finished: Path, data: Dataset, tmp_path: Path) -> None:
    loaded = load_protocol(write_protocol(tmp_path))
    tasks = plan(loaded, finished / "out")
    lines = plan_lines(tasks, finished / "out", "test", loaded)
    assert lines[0] == (
        "Protocol small on discs: 5 runs to be trained, and 2 folds of cross-validation; "
        "5 of the runs are trained already"
    )
    cells = [line.split() for line in lines]
    assert cells[2] == ["tasks", "done", "trained", "begun", "missing"]
    assert cells[3] == ["dmtl", "tiny.yaml,", "2", "seeds", "2", "2", "0", "0", "0"]
    assert cells[5] == ["ensemble", "mean", "over", "dmtl,", "8", "views", "1", "1", "0", "0", "0"]
    assert lines[-1] == "Each model reads validation, and test once."
    fresh = plan_lines(plan(loaded, tmp_path / "new"), tmp_path / "new", "valid", loaded)
    assert fresh[0].endswith("5 runs to be trained, and 2 folds of cross-validation")
    assert fresh[-1] == "Each model reads validation; test is not read."


def test_a_seed_that_no_recipe_has(tmp_path: Path, data: Dataset) -> None:
    with pytest.raises(ConfigError, match="no recipe that was asked for has the seed 7"):
        go(tmp_path, text=ONE, seeds=[7])


def test_data_without_a_test_split(
    tmp_path: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    less = replace(data, splits={n: s for n, s in data.splits.items() if n != "test"})
    monkeypatch.setattr("androscope.datasets.load", lambda *a, **k: less)
    with pytest.raises(TrainingError, match="discs has no test split; there are train, valid"):
        go(tmp_path, text=ONE)

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")
pytest.importorskip("matplotlib", reason="needs the train extra: matplotlib is not installed")
pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

import androscope.datasets
import androscope.extras
from androscope.datasets import Dataset, LabelledCrops
from androscope.errors import MissingExtraError
from androscope.imaging.phantom_set import phantom_set
from androscope.learning.metrics import METRICS, scores
from androscope.learning.subject import open_subject

from .conftest import TINY, Run

pytestmark = pytest.mark.train

LABELS = ("head", "acrosome", "vacuole")


def crops(n: int, seed: int) -> LabelledCrops:
    draw = np.random.default_rng(seed)
    blocks = draw.integers(0, 256, (n, 8, 8), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    return LabelledCrops(
        crops=blocks,
        labels=(draw.random((n, 3)) < 0.3).astype(np.int8),
        label_names=LABELS,
        ids=tuple(f"{seed}/{i}" for i in range(n)),
    )


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    splits = {name: crops(40, i) for i, name in enumerate(("train", "valid", "test"))}
    found = Dataset(name="blocks", splits=splits)
    asked: list[object] = []

    def load(name: str, *, crop_size: int = 64, labels: object = None) -> Dataset:
        asked.append((name, crop_size))
        return found if labels is None else found.with_labels(labels)  # type: ignore[arg-type]

    monkeypatch.setattr(androscope.datasets, "load", load)
    return found


def test_table(run: Run, data: Dataset) -> None:
    done = run("evaluate", TINY, "--resamples", 200)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    subject = open_subject(TINY)
    assert lines[0] == f"{subject.name} on blocks test, 40 crops"
    test = data.splits["test"]
    given = subject.probabilities(test.crops)
    for i, label in enumerate(LABELS):
        found = scores(test.labels[:, i], given[:, i], subject.thresholds[label])
        heading = next(n for n, line in enumerate(lines) if line.startswith(f"{label}  "))
        assert lines[heading] == (
            f"{label}  n 40: {found.normal} normal, {found.abnormal} abnormal; "
            f"abnormal from {subject.thresholds[label]:g}"
        )
        assert lines[heading + 1].split() == ["value", "95", "%", "interval", "all", "normal"]
        accuracy = lines[heading + 2].split()
        assert accuracy[:2] == ["accuracy", f"{100 * found.accuracy:.1f}"]
        assert accuracy[2].startswith("[")
        assert accuracy[-1] == f"{100 * found.normal / 40:.1f}"
        mcc = lines[heading + 1 + len(METRICS)].split()
        assert mcc[:2] == ["MCC", f"{found.mcc:.3f}"]
        assert mcc[-1] == "-"
    assert (
        "Percent, MCC from -1 to 1. Normal is positive. 95 % percentile bootstrap over crops."
        in (done.out)
    )


def test_readings_of_test_are_counted_and_those_of_validation_are_not(
    run: Run, data: Dataset
) -> None:
    assert "has now been read once with these weights" in run("evaluate", TINY).out
    assert "has now been read" not in run("evaluate", TINY, "--split", "valid").out
    assert "has now been read 2 times with these weights" in run("evaluate", TINY).out
    assert json.loads(run("evaluate", TINY, "--json").out)["test_reads"] == 3


def test_json_and_files(run: Run, data: Dataset, tmp_path: Path) -> None:
    done = run("evaluate", TINY, "--split", "valid", "--json", "--out", tmp_path / "e")
    values = json.loads(done.out)
    assert values.pop("test_reads") is None
    assert values == json.loads((tmp_path / "e" / "evaluation.json").read_text())
    assert values["data_sha256"] == data.splits["valid"].sha256
    assert (tmp_path / "e" / "roc.png").is_file()


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A lab's own table of 12 phantoms, with head, acrosome and vacuole; of no split."""
    folder = tmp_path / "lab"
    folder.mkdir()
    rows = ["path,head,acrosome,vacuole"]
    for i, phantom in enumerate(phantom_set(12, 3)):
        Image.fromarray(phantom.pixels).save(folder / f"{i}.png")
        rows.append(f"{i}.png,{i % 2},{i % 3 == 0:d},{i % 4 == 0:d}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder / "labels.csv"


def test_a_bundle_is_scored_on_all_crops_of_own_data(run: Run, lab: Path) -> None:
    name = open_subject(TINY).name
    done = run("evaluate", TINY, "--data", lab, "--resamples", 100)
    assert done.code == 0, done.err
    assert done.out.startswith(f"{name} on labels all, 12 crops\n")
    assert "has now been read" not in done.out
    assert done.err == (
        "All crops are scored: that is fair if the model learned from none of them.\n"
    )
    test = run("evaluate", TINY, "--data", lab, "--resamples", 100, "--split", "test")
    assert test.code == 0, test.err
    assert test.out.startswith(f"{name} on labels test, ")


def test_two_crops_are_enough(run: Run, lab: Path) -> None:
    lab.write_text("".join(f"{line}\n" for line in lab.read_text().splitlines()[:3]))
    done = run("evaluate", TINY, "--data", lab, "--resamples", 100)
    assert done.code == 0, done.err
    assert "labels all, 2 crops" in done.out


def test_a_label_that_the_data_lacks_is_named(run: Run, lab: Path) -> None:
    lab.write_text(lab.read_text().replace("acrosome", "acrosom"))
    done = run("evaluate", TINY, "--data", lab, "--resamples", 100)
    assert "- Not labelled in this data: acrosome" in done.out
    assert "the column 'acrosom' is a label of its own, and there is no label acrosome" in done.err


def test_own_data_with_a_split_is_scored_on_its_test(run: Run, lab: Path) -> None:
    head, *rows = lab.read_text().splitlines()
    split = ["train"] * 6 + ["valid"] * 2 + ["test"] * 4
    lines = [f"{head},split", *(f"{r},{s}" for r, s in zip(rows, split, strict=True))]
    lab.write_text("\n".join(lines) + "\n")
    done = run("evaluate", TINY, "--data", lab, "--resamples", 100)
    assert "labels test, 4 crops" in done.out
    assert "has now been read once" in done.out
    # All of them hold the test split too: a reading of it.
    done = run("evaluate", TINY, "--data", lab, "--resamples", 100, "--split", "all")
    assert "labels all, 12 crops" in done.out
    assert "has now been read 2 times" in done.out


def test_what_a_bundle_may_have_learned_from_is_not_scored_unasked(
    run: Run, lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught = replace(open_subject(TINY), learned=("labels",))
    monkeypatch.setattr("androscope.learning.subject.open_subject", lambda _: taught)
    for data in (lab, lab.parent):
        done = run("evaluate", TINY, "--data", data, "--resamples", 100)
        assert f"{data.stem} test, " in done.out
    done = run("evaluate", TINY, "--data", lab, "--resamples", 100, "--split", "all")
    assert "labels all, 12 crops" in done.out
    assert f"{taught.name} learned from data named labels: if these are the same" in done.err


def test_unknown_split(run: Run, data: Dataset) -> None:
    done = run("evaluate", TINY, "--split", "final")
    assert done.code == 2
    assert done.err == (
        "error: blocks has no final split; there are train, valid, test. "
        "Choose one of these with --split, or all\n"
    )


@pytest.mark.parametrize("command", ["evaluate", "crossval", "config"])
def test_without_the_extra_it_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    def missing(module: str, *, extra: str, why: str) -> object:
        raise MissingExtraError(
            f"{module} is needed to {why}, and is not installed",
            advice=f"Run: pip install 'androscope[{extra}]'",
        )

    monkeypatch.setattr(androscope.extras, "require", missing)
    arguments = {
        "evaluate": (TINY,),
        "crossval": ("dmtl", "--out", tmp_path),
        "config": ("list",),
    }[command]
    done = run(command, *arguments)
    assert done.code == 2
    assert "yaml is needed to" in done.err
    assert "Run: pip install 'androscope[train]'" in done.err


def test_crossval(run: Run, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
    subject = open_subject(TINY)
    seen = []

    def learn(config: object, folder: Path, *, dataset: Dataset) -> object:
        assert set(dataset.splits) == {"train", "valid"}
        seen.append(folder.name)
        return subject

    monkeypatch.setattr("androscope.learning.run.train", learn)
    for name in ("plot_roc", "plot_calibration", "plot_confusion"):
        monkeypatch.setattr(f"androscope.learning.evaluate.{name}", lambda *a, **k: None)
    arguments = ("crossval", "dmtl", "--folds", 2, "--out", tmp_path / "cv")
    done = run(*arguments, "--set", "seed=3")
    assert done.code == 0, done.err
    assert seen == ["fold-1", "fold-2"]
    assert done.out.startswith("dmtl on blocks train+valid, 2 folds, 80 crops\n")
    assert "mean      sd    pooled  95 % interval" in done.out
    assert "fold 1 of 2" in done.err
    values = json.loads(run(*arguments, "--set", "seed=3", "--json").out)
    assert values == json.loads((tmp_path / "cv" / "crossval.json").read_text())
    other = run(*arguments)
    assert other.code == 2
    assert "holds a cross-validation of another configuration" in other.err


def test_crossval_of_one_label(run: Run, data: Dataset, tmp_path: Path) -> None:
    done = run("crossval", "dtl", "--label", "Tail", "--out", tmp_path / "cv")
    assert done.code == 2
    assert "override 'labels=[Tail]': labels[0]: expected a label" in done.err


QUICK = (
    "backbone.weights=random",
    "backbone.input_size=32",
    "stage1.epochs=1",
    "stage2.views=1",
    "stage2.default.epochs=1",
    "trainer.precision=32-true",
)


def test_a_run_from_training_to_test(run: Run, data: Dataset, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
    from androscope.learning.config_file import load_config
    from androscope.learning.run import train

    folder = tmp_path / "run"
    trained = train(load_config("dmtl", QUICK), folder, dataset=data, quiet=True)
    arguments = ("evaluate", folder, "--data", "blocks")
    assert "has now been read once" in run(*arguments).out
    assert "has now been read 2 times" in run(*arguments).out
    assert len((folder / "test_reads.jsonl").read_text().splitlines()) == 2
    values = json.loads((folder / "evaluation" / "blocks-test" / "evaluation.json").read_text())
    assert values["model_sha256"] == trained.record["network_sha256"]
    assert values["by_label"]["head"]["threshold"] == trained.thresholds["head"]


@pytest.mark.slow
def test_folds_are_really_trained(run: Run, data: Dataset, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
    arguments = ["crossval", "dmtl", "--folds", 2, "--out", tmp_path / "cv", "--json"]
    for change in QUICK:
        arguments += ["--set", change]
    first = run(*arguments)
    assert first.code == 0, first.err
    for number in (1, 2):
        assert (tmp_path / "cv" / f"fold-{number}" / "run.json").is_file()
    # Without the verdicts, a fold's trained run is read back, not trained again.
    before = (tmp_path / "cv" / "fold-2" / "network.pt").stat().st_mtime_ns
    (tmp_path / "cv" / "fold-2" / "fold.json").unlink()
    again = run(*arguments)
    assert (tmp_path / "cv" / "fold-2" / "network.pt").stat().st_mtime_ns == before
    assert json.loads(again.out)["by_fold"] == json.loads(first.out)["by_fold"]


def test_against_another(run: Run, data: Dataset) -> None:
    done = run("evaluate", TINY, "--against", TINY, "--resamples", 200)
    assert done.code == 0, done.err
    name = open_subject(TINY).name
    assert f"{name} against {name}: the first minus the second, the same draws" in done.out
    assert "accuracy       0.0  [0.0, 0.0]" in done.out
    assert f"has now been read 2 times with the weights of {name}." in done.out
    values = json.loads(run("evaluate", TINY, "--against", TINY, "--json").out)
    assert values["difference"]["head"]["mcc"]["value"] == 0
    assert values["against"]["model"] == name

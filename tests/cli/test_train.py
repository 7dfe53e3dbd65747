from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")
pytest.importorskip("onnxscript", reason="needs the train extra: onnxscript is not installed")

import androscope.extras
from androscope.errors import MissingExtraError
from androscope.imaging.phantom_set import write_phantoms
from androscope.learning.run import Run as TrainedRun

from .conftest import Run

pytestmark = pytest.mark.train

CONFIG = """
name: tiny
method: {method}
labels: {labels}
backbone: {{name: test_efficientnet, weights: random, input_size: 32}}
stage1: {{epochs: 2, batch_size: 16}}
stage2: {{views: 1, default: {{epochs: 2}}}}
trainer: {{accelerator: cpu, threads: 1}}
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with 60 phantoms, their table, and two configurations."""
    monkeypatch.chdir(tmp_path)
    write_phantoms(tmp_path / "crops", 60, 1)
    dmtl = CONFIG.format(method="dmtl", labels="[head, acrosome]")
    (tmp_path / "dmtl.yaml").write_text(dmtl)
    (tmp_path / "dtl.yaml").write_text(CONFIG.format(method="dtl", labels="[head]"))
    return tmp_path


def test_from_own_crops_to_a_bundle_that_grades_them(run: Run, work: Path) -> None:
    done = run("train", "dmtl.yaml", "--data", "crops/labels.csv", "--seed", "7")
    assert done.code == 0, done.err
    assert "epoch   1/2" in done.err
    lines = done.out.splitlines()
    assert lines[0].split() == ["on", "valid", "accuracy", "ROC", "AUC", "threshold"]
    assert [line.split()[0] for line in lines[1:3]] == ["head", "acrosome"]
    assert lines[-1] == "Written to runs/tiny"
    trained = TrainedRun.load("runs/tiny")
    assert trained.config.seed == 7
    assert trained.config.data.dataset == "crops/labels.csv"

    done = run("evaluate", "runs/tiny", "--resamples", "100")
    assert done.code == 0, done.err
    done = run("export", "runs/tiny", "--out", "bundle", "--name", "mine", "--version", "1.2.3",
               "--licence", "CC0", "--pixel-size", "0.2")  # fmt: skip
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("torch and ONNX agree on 60 crops: probabilities to ")
    assert lines[0].endswith("(crops/labels.csv)")
    assert lines[1:3] == [
        f"{label}: left as it is: fewer than 10 crops of a class" for label in ("head", "acrosome")
    ]
    assert lines[3].startswith("no conformal data: head has ")
    assert lines[4].startswith("its inputs are not checked: cannot fit checks: expected 100 ")
    assert lines[5].startswith("mine 1.2.3: head, acrosome; ")
    card = json.loads((work / "bundle" / "card.json").read_text())
    assert card["licence"] == "CC0"
    assert card["input"]["pixel_size_um"] == 0.2
    assert list(card["metrics"]) == ["test"]

    done = run("assess", "crops", "--model", "bundle", "--json", "out.json")
    assert done.code == 0, done.err
    assert len(json.loads((work / "out.json").read_text())["assessments"]) == 60

    again = run("train", "dmtl.yaml", "--data", "crops/labels.csv", "--seed", "7")
    assert again.code == 2
    assert "runs/tiny: holds a finished run, which is not overwritten" in again.err
    # Without its data, a run is still exported: phantoms stand in.
    (work / "crops" / "labels.csv").unlink()
    done = run("export", "runs/tiny", "--out", "bundle2")
    assert done.code == 0, done.err
    assert done.out.splitlines()[0].endswith("(phantoms; crops/labels.csv is not here)")


def test_dtl_for_one_label(run: Run, work: Path) -> None:
    done = run("train", "dtl.yaml", "--label", "vacuole", "--data", "crops/labels.csv", "--quiet",
               "--set", "stage1.epochs=1")  # fmt: skip
    assert done.code == 0, done.err
    assert done.err == ""
    assert done.out.splitlines()[1].split()[0] == "vacuole"
    trained = TrainedRun.load("runs/tiny-vacuole")
    assert trained.labels == ("vacuole",)
    assert trained.config.stage1.epochs == 1


def test_ctrl_c_says_how_to_go_on(run: Run, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("androscope.learning.run.train", interrupted)
    done = run("train", "dmtl.yaml", "--out", "runs/x")
    assert done.code == 130
    assert "Interrupted. The same command goes on with runs/x" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("train", "none"), "'none' is neither a file nor a shipped", id="no config"),
        pytest.param(
            ("train", "dmtl", "--set", "stage1.epoch=3"), "the nearest is 'epochs'", id="key"
        ),
        pytest.param(
            ("train", "dmtl", "--data", "no.csv"), "no.csv: no such file or folder", id="data"
        ),
        pytest.param(("export", "crops", "--out", "x"), "is no run: run.json is missing", id="run"),
    ],
)
def test_what_cannot_be_done(
    run: Run, work: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert message in done.err
    assert not (work / "runs").exists()


def test_without_the_extra(run: Run, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str, *, extra: str, why: str) -> None:
        raise MissingExtraError(f"{module} is needed to {why}, and is not installed",
                                advice=f"Run: pip install 'androscope[{extra}]'")  # fmt: skip

    monkeypatch.setattr(androscope.extras, "require", missing)
    for arguments in (("train", "dmtl"), ("export", "runs/x", "--out", "y")):
        done = run(*arguments)
        assert done.code == 2
        assert "and is not installed. Run: pip install 'androscope[train]'" in done.err

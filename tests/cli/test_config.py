from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from androscope.learning.config_file import CONFIGS, dump_config, load_config, parse_config
from androscope.learning.config_keys import all_keys, markdown

from .conftest import Run

pytestmark = pytest.mark.train


def test_list(run: Run) -> None:
    lines = run("config", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["dmtl", "dmtl-paper", "dtl", "dtl-paper"]
    assert lines[0].split()[1] == load_config("dmtl").backbone.name
    assert "128 px" in lines[3]


def test_show(run: Run, tmp_path: Path) -> None:
    assert run("config", "show", "dmtl-paper").out == CONFIGS.text("dmtl-paper")
    full = run("config", "show", "dmtl", "--full").out
    assert full == dump_config(load_config("dmtl"))
    changed = run("config", "show", "dmtl", "--set", "stage1.epochs=3").out
    assert parse_config(changed, "x").stage1.epochs == 3
    (tmp_path / "my.yaml").write_text("# mine\nname: my\nmethod: dmtl\n")
    assert run("config", "show", tmp_path / "my.yaml").out.startswith("# mine\n")


def test_check(run: Run, tmp_path: Path) -> None:
    done = run("config", "check", "dmtl")
    assert (done.code, done.out) == (
        0,
        "dmtl: good. dmtl for head, acrosome, vacuole\n"
        "not checked: backbone.weights: tf_efficientnet_lite0's are looked for when training "
        "starts\nnot checked: data.dataset: mhsma's files are looked for when training starts\n",
    )
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: x\nmethod: dmtl\nstage1: {epoch: 3}\n")
    done = run("config", "check", bad)
    assert (done.code, done.out) == (2, "")
    assert f"{bad}:3: stage1.epoch: unknown key; the nearest is 'epochs'" in done.err


def test_what_a_configuration_names_is_looked_for(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("timm", reason="needs the train extra: timm is not installed")
    changes = ("backbone.name=resnet51", "data.dataset=mhsam", "backbone.weights=nosuch.pt")
    done = run("config", "check", "dmtl", *(part for c in changes for part in ("--set", c)))
    assert (done.code, done.out) == (2, "")
    assert "has no model 'resnet51'. Nearest: resnet5" in done.err
    assert (
        "data.dataset: expected mhsma, or a table or folder that exists, got 'mhsam'. "
        "The nearest is 'mhsma'" in done.err
    )
    assert "backbone.weights: expected `imagenet`, `random` or a file that exists" in done.err
    for name in ("w.pt", "labels.csv"):
        (tmp_path / name).write_text("x")
    changes = (f"backbone.weights={tmp_path / 'w.pt'}", f"data.dataset={tmp_path / 'labels.csv'}")
    done = run("config", "check", "dmtl", *(part for c in changes for part in ("--set", c)))
    assert done.code == 0, done.err
    assert f"`androscope data check {tmp_path / 'labels.csv'}` looks at its crops" in done.out


def test_names_that_cannot_be_looked_up_are_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("androscope.learning.config_reach.find_spec", lambda _: None)
    done = run("config", "check", "dmtl", "--set", "backbone.name=resnet51")
    assert done.code == 0
    assert "not checked: backbone.name resnet51: timm is not installed\n" in done.out


def test_keys(run: Run) -> None:
    out = run("config", "keys").out
    for key in all_keys():
        assert f"{key.path}: {key.takes} [{key.default}]\n" in out
    assert run("config", "keys", "--markdown").out == markdown()

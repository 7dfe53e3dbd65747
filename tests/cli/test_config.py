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
    assert (done.code, done.out) == (0, "dmtl: good. dmtl for head, acrosome, vacuole\n")
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: x\nmethod: dmtl\nstage1: {epoch: 3}\n")
    done = run("config", "check", bad)
    assert (done.code, done.out) == (2, "")
    assert f"{bad}:3: stage1.epoch: unknown key; the nearest is 'epochs'" in done.err


def test_keys(run: Run) -> None:
    out = run("config", "keys").out
    for key in all_keys():
        assert f"{key.path}: {key.takes} [{key.default}]\n" in out
    assert run("config", "keys", "--markdown").out == markdown()

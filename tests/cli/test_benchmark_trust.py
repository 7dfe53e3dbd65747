# ruff: noqa: E501  a row of a table of cases stays on one line
"""``androscope calibrate`` and ``androscope benchmark trust`` as commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

from .conftest import Run

pytestmark = pytest.mark.train

TINY = Path(__file__).parent.parent / "data" / "tiny-bundle"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Own labelled crops: noise, each split with more than enough of both classes."""
    random = np.random.default_rng(0)
    rows = ["path,split,head,acrosome,vacuole"]
    for i in range(120):
        pixels = random.integers(0, 256, (64, 64), dtype=np.uint8) // (1 + i % 3)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
        split = ("train", "valid", "test")[i // 40]
        rows.append(f"{i}.png,{split}," + ",".join(str(int(random.random() < 0.5)) for _ in "123"))
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_calibrated_measured_and_graded(run: Run, labels: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    done = run("calibrate", str(TINY), "--data", str(labels), "--out", str(new), "--name", "mine")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["head", "acrosome", "vacuole"]
    assert lines[3].startswith("mine 0.0.1; abnormal from head ")

    arguments = ("benchmark", "trust", str(new), "--data", str(labels), "--resamples", "100")
    out = tmp_path / "out"
    done = run(*arguments, "--out", str(out), "--section", "selective", "--section", "conformal")
    assert done.code == 0, done.err
    assert "at 0.1, head: coverage of truly normal" in done.out
    assert "head: right of the surest 80%" in done.out
    assert "goals reached." in done.out
    assert "This test split has now been read once with these weights." in done.out
    document = json.loads((out / "trust.json").read_text(encoding="utf-8"))
    assert document["schema"] == "androscope.trust/1"
    assert document["model"]["name"] == "mine"
    assert list(document["sections"]) == ["conformal", "selective"]
    assert (out / "coverage-risk.png").is_file()

    done = run(*arguments, "--json", "--section", "selective")
    assert json.loads(done.out)["data"]["test_reads"] == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("calibrate", str(TINY), "--split", "test"), "it would measure nothing afterwards", id="calibrate on test"),
        pytest.param(("calibrate", str(TINY), "--split", "else"), "has no else split", id="no such split"),
        pytest.param(("benchmark", "trust", str(TINY), "--split", "else"), "has no else split", id="trust: no such split"),
        pytest.param(("benchmark", "trust", str(TINY), "--section", "all"), "no such section: all", id="no such section"),
    ],
)  # fmt: skip
def test_what_cannot_be_done(
    run: Run, labels: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    more = ("--out", str(tmp_path / "new")) if arguments[0] == "calibrate" else ()
    done = run(*arguments, "--data", str(labels), *more)
    assert done.code == 2
    assert said in done.err

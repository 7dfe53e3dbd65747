from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from androscope.model.bundle import load_bundle
from androscope.model.session import Session

from .conftest import TINY, Run

pytest.importorskip("sklearn", reason="adapting needs: pip install 'androscope[train]'")
pytest.importorskip("onnx", reason="adapting needs: pip install 'androscope[train]'")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Seventy crops whose acrosome is abnormal about as often as not, whatever the bundle says."""
    draw = np.random.default_rng(0)
    crops = draw.integers(0, 256, (70, 8, 8), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
    said = Session(load_bundle(TINY), threads=1).predict(crops).probabilities[:, 1]
    truth = np.argsort(np.argsort(said + draw.normal(0, 0.3, 70))) % 70 < 40
    with (tmp_path / "labels.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "acrosome"])
        for i, pixels in enumerate(crops):
            Image.fromarray(pixels).save(tmp_path / f"{i}.png")
            writer.writerow([f"{i}.png", int(truth[i])])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_before_and_after_are_printed(lab: Path, run: Run) -> None:
    done = run(
        "adapt", TINY, "--data", "labels.csv", "--out", "new", "--label", "acrosome",
        "--licence", "own data", "--resamples", 200, "--threads", 1,
    )  # fmt: skip
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("tiny 0.0.1, 70 crops of labels: 4")
    assert "head: kept as it was" in lines
    assert "acrosome: kept as it was" not in lines
    row = next(line for line in lines if line.lstrip().startswith("log loss"))
    before, after, change = row.split(")")[:3]
    assert float(after.split()[0]) < float(before.split()[2])
    assert change.split()[0].startswith("-")
    assert lines[-1].startswith("tiny-adapted 0.1.0 is written to ")
    assert "are held out" in done.err
    card = load_bundle("new").card
    assert card.parent.data.licence == "own data"
    assert run("models", "verify", "new").code == 0
    assert run("assess", "0.png", "--model", "new").code == 0


def test_what_is_lacking_is_listed(lab: Path, run: Run) -> None:
    done = run("adapt", TINY, "--data", "labels.csv", "--out", "new")
    assert done.code == 2
    assert "too little to adapt to:" in done.err
    assert "head: no crop is labelled for it" in done.err
    assert "vacuole: no crop is labelled for it" in done.err
    assert "--label" in done.err
    assert not Path("new").exists()


def test_nothing_to_gain_is_nothing_written(lab: Path, run: Run) -> None:
    draw = np.random.default_rng(5)
    with Path("labels.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    said = Session(load_bundle(TINY), threads=1).predict(
        np.stack([np.asarray(Image.open(row["path"])) for row in rows])
    )
    truth = draw.random(70) < said.probabilities[:, 0]
    lines = [f"{row['path']},{int(t)}" for row, t in zip(rows, truth, strict=True)]
    Path("fair.csv").write_text("path,head\n" + "\n".join(lines) + "\n")
    done = run("adapt", TINY, "--data", "fair.csv", "--out", "new", "--label", "head")
    assert done.code == 0, done.err
    assert "Nothing was written: tiny is best kept as it is" in done.out
    assert not Path("new").exists()

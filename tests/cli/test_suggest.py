from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from androscope.datasets.check import check
from androscope.datasets.suggest import suggest
from androscope.predict import Grader

from .conftest import Run

CROPS = 25


@pytest.fixture(autouse=True)
def _folder(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "crops" / "day1").mkdir(parents=True)
    draw = np.random.default_rng(0)
    for number in range(CROPS):
        pixels = draw.integers(0, 256, (8, 8), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        Image.fromarray(pixels).save(tmp_path / "crops" / "day1" / f"{number}.png")
    monkeypatch.chdir(tmp_path)


def sheet(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_sheet_to_label_in(run: Run) -> None:
    done = run("suggest", "crops", "--count", 8, "--out", "sheets/to-label.csv")
    assert (done.code, done.err) == (0, "")
    rows = sheet("sheets/to-label.csv")
    assert len(rows) == len({row["path"] for row in rows}) == 8
    assert all((Path("sheets") / row["path"]).is_file() for row in rows)
    assert set(rows[0]) == {"path", "head", "acrosome", "vacuole", "patient"}
    assert all(not value for row in rows for key, value in row.items() if key != "path")
    lines = done.out.splitlines()
    assert lines[0].split() == ["Image", "head", "acrosome", "vacuole", "doubt", "novelty"]
    assert lines[1].split()[:2] == ["1", str(Path("crops/day1") / Path(rows[0]["path"]).name)]
    assert lines[-2] == "8 of 25 crops. Numbers are probabilities of abnormal."
    assert lines[-1] == "The sheet to label them in: sheets/to-label.csv"


def test_once_filled_in_it_is_labelled_data(run: Run) -> None:
    run("suggest", "crops", "--count", 4, "--out", "to-label.csv")
    problems = check("to-label.csv")
    assert {problem.what for problem in problems} == {"no label at all"}
    filled = Path("to-label.csv").read_text().replace(",,,,", ",0,1,,p7")
    Path("labelled.csv").write_text(filled)
    assert check("labelled.csv") == []


def test_a_second_round_leaves_the_first_out(run: Run) -> None:
    run("suggest", "crops", "--count", 10, "--out", "first.csv")
    done = run("suggest", "crops", "--count", 10, "--labelled", "first.csv", "--out", "second.csv")
    assert "10 of 25 crops, 10 of them labelled already." in done.out
    first, second = ({row["path"] for row in sheet(f"{name}.csv")} for name in ("first", "second"))
    assert not first & second


def test_what_cannot_be_graded_is_listed(run: Run) -> None:
    Path("crops/bad.png").write_bytes(b"no picture")
    done = run("suggest", "crops", "--count", 3)
    assert done.code == 1
    assert "1 image could not be assessed" in done.err
    assert "bad.png" in done.err
    assert len(sheet("to-label.csv")) == 3


def test_pages_of_a_file_need_pictures(run: Run) -> None:
    stack = np.random.default_rng(1).integers(0, 256, (6, 64, 64), dtype=np.uint8)
    np.save("stack.npy", stack)
    done = run("suggest", "stack.npy", "--count", 2)
    assert done.code == 2
    assert "which is no file of its own" in done.err
    assert "--crops DIR" in done.err
    assert not Path("to-label.csv").exists()
    done = run("suggest", "stack.npy", "--count", 2, "--crops", "chosen")
    assert done.code == 0
    for number, row in enumerate(sheet("to-label.csv"), start=1):
        name = Path(row["path"]).name
        assert name.startswith(f"000{number}-stack-")
        index = int(name.removesuffix(".png").rpartition("-")[2])
        np.testing.assert_array_equal(np.asarray(Image.open(row["path"])), stack[index])


def test_a_sheet_that_is_filled_in_is_not_overwritten(run: Run) -> None:
    Path("to-label.csv").write_text("path,head\ncrops/day1/0.png,1\n")
    done = run("suggest", "crops")
    assert done.code == 2
    assert "exists already, and may hold labels" in done.err
    assert Path("to-label.csv").read_text().endswith(",1\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["nowhere.png"], "no crop is left to label: 0 graded", id="missing"),
        pytest.param(["crops", "--labelled", "no.csv"], "no labelled crop", id="no-labelled"),
        pytest.param(
            ["crops", "--out", "crops/day1/1.png"], "would overwrite", id="overwrites-an-image"
        ),
        pytest.param(["crops", "--count", "0"], "Invalid value for '--count'", id="count"),
    ],
)
def test_what_is_refused(run: Run, arguments: list[str], message: str) -> None:
    done = run("suggest", *arguments)
    assert done.code == 2
    assert message in " ".join(done.err.split())


def test_of_many_crops_some_are_drawn() -> None:
    found = suggest("crops", Grader(), 20, most=10, seed=1)
    assert (len(found.chosen), found.seen) == (10, CROPS)
    again = suggest("crops", Grader(), 20, most=10, seed=1)
    assert [s.pick for s in again.chosen] == [s.pick for s in found.chosen]


def test_the_slim_core_is_enough() -> None:
    code = (
        "import sys\nsys.argv = ['androscope', 'suggest', 'crops', '--count', '3']\n"
        "from androscope.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as stopped:\n    assert not stopped.code\n"
        "heavy = {'torch', 'scipy', 'sklearn', 'onnx', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

from __future__ import annotations

import csv
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from .conftest import Run

LABELS = ("head", "acrosome")


def table(path: Path, *flipped: int, patient: bool = True) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", *LABELS, *(["patient"] if patient else [])])
        for i in range(40):
            head = int(i % 4 == 0) ^ (i in flipped)
            row = [f"p{i % 4}/{i}.png", head, "" if i == 39 else int(i % 20 == 0)]
            writer.writerow([*row, *([f"P{i % 4}"] if patient else [])])
    return path


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.chdir(tmp_path)
    return [
        table(Path("anna.csv"), 1),
        table(Path("ben.csv"), 2, 4),
        table(Path("cleo.csv"), 3, 5, patient=False),
    ]


def test_two_observers_are_compared(run: Run, files: list[Path]) -> None:
    done = run("agree", *files[:2], "--json", "out.json", "--plot", "out.svg")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "40 sperm looked at by all of anna, ben."
    assert "ben (B) against anna (A)" in lines
    assert any(line.split() == ["head", "28", "1", "2", "9", "0"] for line in lines)
    assert "For research use only: not a medical device." in done.out
    found = json.loads(Path("out.json").read_text())
    (pair,) = found["pairs"]
    assert found["undecided"]["acrosome"] == [1, 1]
    assert pair["sperm_by_sperm"]["head"]["agreement"]["value"] == pytest.approx(37 / 40)
    assert pair["sperm_by_sperm"]["acrosome"]["kappa"] == {"value": 1.0, "low": None, "high": None}
    assert [s["name"] for s in pair["samples"]["head"]["samples"]] == ["P0", "P1", "P2", "P3"]
    svg = ET.parse("out.svg").getroot()
    titles = [t.text or "" for t in svg.iter("{http://www.w3.org/2000/svg}title")]
    assert "Agreement of anna, ben on 40 sperm" in titles
    assert sum(title.startswith("P") for title in titles) == 4


def test_three_observers_have_fleisss_kappa(run: Run, files: list[Path]) -> None:
    done = run("agree", *files, "--by", "folder")
    assert done.code == 0
    assert "Fleiss's kappa" in done.out
    assert done.out.count("(B) against") == 3


def test_a_rare_class_is_explained(run: Run, tmp_path: Path) -> None:
    for name, odd in (("a.csv", (3,)), ("b.csv", (7,))):
        rows = [f"{i}.png,{int(i in odd)}" for i in range(50)]
        (tmp_path / name).write_text("path,head\n" + "\n".join(rows) + "\n")
    done = run("agree", tmp_path / "a.csv", tmp_path / "b.csv")
    assert "Kappa is low beside a high agreement where one class is rare" in done.out
    assert "mean difference" not in done.out


def test_the_model_is_an_observer(run: Run, crops: Path, tiny_model: Path) -> None:
    assert run("assess", "crops", "--csv", "model.csv", "-q").code == 0
    lines = ["path,head,vacuole", "img1.png,0,1", "img2.png,1,0", "img3.png,1,0"]
    Path("crops/labels.csv").write_text("\n".join(lines) + "\n")
    done = run("agree", "crops/labels.csv", "model.csv")
    assert done.code == 0
    assert done.out.startswith("2 sperm looked at by all of labels, model.")
    assert "labels: 1 not in all files, left out: img3.png" in done.out
    assert "model: 1 not in all files, left out: crops/img10.png" in done.out
    assert "model: labels that not all have, left out: acrosome" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["anna.csv"], "expected two observers at least, got 1", id="one"),
        pytest.param(["anna.csv", "none.csv"], "none.csv: cannot be read", id="missing"),
        pytest.param(["anna.csv", "anna.csv"], "a file is named twice", id="twice"),
        pytest.param(["anna.csv", "ben.csv", "--plot", "x.png"], ".svg", id="ending"),
        pytest.param(["anna.csv", "ben.csv", "--json", "ben.csv"], "would overwrite", id="input"),
        pytest.param(["cleo.csv", "dora.csv", "--by", "patient"], "names patients", id="patients"),
    ],
)
def test_what_cannot_be_done_is_refused(
    run: Run, files: list[Path], arguments: list[str], message: str
) -> None:
    table(Path("dora.csv"), patient=False)
    before = Path("ben.csv").read_bytes()
    done = run("agree", *arguments)
    assert done.code == 2
    assert message in done.err
    assert Path("ben.csv").read_bytes() == before


def test_a_file_that_is_no_table_is_one_line(run: Run, files: list[Path]) -> None:
    assert run("agree", *files[:2], "--json", "out.json").code == 0
    done = run("agree", "anna.csv", "out.json")
    assert done.code == 2
    assert "out.json: no table: it begins with '{', as JSON does" in done.err
    assert len(done.err.splitlines()) <= 4


def test_many_bad_rows_are_cut_short(run: Run, files: list[Path]) -> None:
    rows = "\n".join(f"{i}.png,maybe" for i in range(758))
    Path("bad.csv").write_text(f"path,head\na.png,0\n{rows}\n")
    said = "\n".join(f"{i}.png,maybe" for i in range(30))
    Path("model.csv").write_text(f"image,head_verdict\n{said}\n")
    for name, more in (("bad.csv", "and 738 more"), ("model.csv", "and 10 more")):
        done = run("agree", "anna.csv", name)
        assert done.code == 2
        assert done.err.count("maybe") == 20
        assert more in done.err


def test_the_slim_core_is_enough(files: list[Path]) -> None:
    code = (
        "import sys\nsys.argv = ['androscope', 'agree', 'anna.csv', 'ben.csv', 'cleo.csv', "
        "'--plot', 'x.svg']\nfrom androscope.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as stopped:\n    assert not stopped.code\n"
        "heavy = {'torch', 'scipy', 'sklearn', 'matplotlib', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

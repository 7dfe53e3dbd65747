# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import androscope
from androscope.cli import assess as command

NOTICE = "For research use only: not a medical device."


@pytest.fixture(autouse=True)
def _here(crops: Path, tiny_model: Path) -> None:
    pass


def _rows(text: str) -> list[str]:
    """The image names of the printed table."""
    lines = text.splitlines()
    return [line.split()[0] for line in lines[1 : lines.index("")]]


def test_a_folder_is_graded_in_natural_order(run: Any) -> None:
    done = run("assess", "crops")
    assert (done.code, done.err) == (0, "")
    assert done.out.split("\n", 1)[0].split() == ["Image", "head", "acrosome", "vacuole"]
    assert _rows(done.out) == ["crops/img1.png", "crops/img2.png", "crops/img10.png"]
    assert "3 assessed by tiny 0.0.1." in done.out
    assert done.out.endswith(f"{NOTICE}\n")


def test_the_verdicts_are_those_of_the_python_api(run: Any) -> None:
    run("assess", "crops", "--json", "r.json")
    written = json.loads(Path("r.json").read_text(encoding="utf-8"))
    results = androscope.assess("crops")
    assert [
        {label: part["probability"] for label, part in row["parts"].items()}
        for row in written["assessments"]
    ] == [{part.label: part.probability for part in a.parts} for a in results.assessments]
    assert written["model"]["sha256"] == results.model_sha256


@pytest.mark.parametrize(
    ("arguments", "stdin", "images"),
    [
        pytest.param(["crops/img2.png"], "", ["crops/img2.png"], id="file"),
        pytest.param(["crops/*1*.png"], "", ["crops/img1.png", "crops/img10.png"], id="pattern"),
        pytest.param(["crops/img10.png", "crops"], "", ["crops/img10.png", "crops/img1.png", "crops/img2.png"], id="file then folder"),
        pytest.param(["-"], "crops/img2.png\ncrops/img1.png\n", ["crops/img2.png", "crops/img1.png"], id="lines from stdin"),
        pytest.param(["-"], "crops/img2.png\r\n\r\n", ["crops/img2.png"], id="lines of a Windows file"),
        pytest.param(["-"], "crops/img2.png\0crops/img1.png\0", ["crops/img2.png", "crops/img1.png"], id="find -print0"),
        pytest.param(["crops/img1.png", "-"], "crops/img2.png", ["crops/img1.png", "crops/img2.png"], id="both"),
    ],
)  # fmt: skip
def test_what_may_be_named(run: Any, arguments: list[str], stdin: str, images: list[str]) -> None:
    done = run("assess", *arguments, stdin=stdin)
    assert done.code == 0
    assert _rows(done.out) == images


def test_a_stack_is_graded_row_by_row(run: Any) -> None:
    stack = np.stack([np.asarray(Image.open(p)) for p in sorted(Path("crops").iterdir())])
    np.save("stack.npy", stack)
    done = run("assess", "stack.npy")
    assert done.code == 0
    assert _rows(done.out) == ["stack.npy[0]", "stack.npy[1]", "stack.npy[2]"]
    alone = run("assess", "crops/img1.png").out.splitlines()[1].split()[1:]
    assert done.out.splitlines()[1].split()[1:] == alone


def test_every_output_at_once(run: Any) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="needs the parquet extra")
    Path("crops/empty.png").write_bytes(b"")
    done = run(
        "assess", "crops", "--quiet", "--csv", "out/r.csv", "--json", "out/r.json",
        "--parquet", "out/r.parquet", "--html", "out/r.html", "--thumbnails", "out/crops",
    )  # fmt: skip
    assert done.code == 1
    assert done.out == ""
    assert done.err.startswith(
        "1 image could not be assessed:\n  crops/empty.png: the file is empty"
    )
    rows = list(csv.DictReader(io.StringIO(Path("out/r.csv").read_text(encoding="utf-8"))))
    document = json.loads(Path("out/r.json").read_text(encoding="utf-8"))
    table = pq.read_table("out/r.parquet").to_pylist()
    images = ["crops/img1.png", "crops/img2.png", "crops/img10.png"]
    assert [row["image"] for row in rows] == [*images, "crops/empty.png"]
    assert [row["image"] for row in document["assessments"]] == images
    assert [row["image"] for row in document["failures"]] == ["crops/empty.png"]
    assert [row["image"] for row in table] == [*images, "crops/empty.png"]
    assert [float(row["head_probability"]) for row in rows[:3]] == [
        row["parts"]["head"]["probability"] for row in document["assessments"]
    ]
    assert Path("out/r.html").read_text(encoding="utf-8").count("<img src=") == 3
    names = sorted(p.name for p in Path("out/crops").iterdir())
    assert names == ["000001-img1.png", "000002-img2.png", "000003-img10.png"]
    np.testing.assert_array_equal(
        np.asarray(Image.open("out/crops/000002-img2.png")),
        np.asarray(Image.open("crops/img2.png")),
    )


def test_many_images_print_a_part_of_the_table(run: Any) -> None:
    np.save("stack.npy", np.zeros((50, 64, 64), np.uint8))
    assert "... and 10 more images: --all shows them" in run("assess", "stack.npy").out
    done = run("assess", "stack.npy", "--all")
    assert "more images" not in done.out
    assert "stack.npy[49]" in done.out


def test_a_file_named_twice_is_graded_once(run: Any) -> None:
    done = run("assess", "crops/img1.png", "crops")
    assert done.err == "note: 1 named more than once; each is graded once\n"
    assert len(_rows(done.out)) == 3


def test_files_that_are_not_looked_at_are_counted(run: Any) -> None:
    Path("crops/labels.csv").write_text("path,head", encoding="utf-8")
    done = run("assess", "crops")
    assert (done.code, done.err) == (
        0, "note: files without an image's ending, not looked at: 1\n",
    )  # fmt: skip
    assert run("assess", "crops", "--quiet").err == ""


def test_a_pixel_size_that_cannot_be_used_is_said(run: Any) -> None:
    done = run("assess", "crops", "--pixel-size", "0.1", "--json", "r.json")
    assert done.code == 0
    assert "note: the pixel size (0.1 um) was not used: that of the crops tiny learned" in done.err
    extra = json.loads(Path("r.json").read_text(encoding="utf-8"))["extra"]
    assert extra["pixel_size_um"] == "0.1"
    assert "was not used" in extra["pixel_size_warning"]


def test_larger_pictures_are_fitted_and_it_is_noted(run: Any) -> None:
    Image.fromarray(np.full((128, 128), 90, np.uint8)).save("big.png")
    run("assess", "big.png", "--json", "a.json")
    run("assess", "big.png", "--fit", "centre", "--json", "b.json")
    notes = [
        json.loads(Path(name).read_text(encoding="utf-8"))["assessments"][0]["notes"]
        for name in ("a.json", "b.json")
    ]
    assert notes[0] == ["resized from 128 to 64 px"]
    assert notes[1] != notes[0]


@pytest.mark.parametrize("threads", [0, 1, 2])
@pytest.mark.parametrize("batch", [1, 2, 4096])
def test_threads_and_batches_change_nothing(run: Any, threads: int, batch: int) -> None:
    done = run("assess", "crops", "--threads", threads, "--batch-size", batch)
    assert done.out == run("assess", "crops").out


def test_a_model_may_be_named(run: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANDROSCOPE_MODEL")
    assert run("assess", "crops", "--model", tiny_model).code == 0
    assert run("assess", "crops", "-m", tiny_model).code == 0


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("count", "quiet", "shown"),
    [
        pytest.param(100, False, True, id="many"),
        pytest.param(3, False, False, id="few"),
        pytest.param(100, True, False, id="quiet"),
    ],
)
def test_a_bar_on_a_terminal_over_many(
    run: Any, monkeypatch: pytest.MonkeyPatch, count: int, quiet: bool, shown: bool
) -> None:
    np.save("stack.npy", np.zeros((count, 64, 64), np.uint8))
    terminal = _Terminal()
    monkeypatch.setattr(command.sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert run("assess", "stack.npy", *(["--quiet"] if quiet else [])).code == 0
    assert ("Assessing" in terminal.getvalue()) is shown


def test_no_bar_elsewhere(run: Any) -> None:
    np.save("stack.npy", np.zeros((100, 64, 64), np.uint8))
    assert run("assess", "stack.npy").err == ""

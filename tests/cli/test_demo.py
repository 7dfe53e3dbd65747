from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from androscope.imaging.phantom_set import phantom_set


@pytest.fixture(autouse=True)
def _here(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_grades_phantoms_and_shows_the_truth(run: Any) -> None:
    done = run("demo", "--out", "d", "-n", "5", "--seed", "3", "--fields", "0")
    assert (done.code, done.err) == (0, "")
    phantoms = phantom_set(5, 3)
    pictures = sorted(Path("d/phantoms").glob("*.png"))
    for picture, phantom in zip(pictures, phantoms, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(picture)), phantom.pixels)
    with Path("d/results.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [Path(row["image"]).name for row in rows] == [p.name for p in pictures]
    agree = sum(
        (row[f"{label}_verdict"] == "abnormal") == bool(phantom.labels[label])
        for row, phantom in zip(rows, phantoms, strict=True)
        for label in ("head", "acrosome", "vacuole")
    )
    assert f"{agree} of 15 verdicts agree with what is true of these images." in done.out
    page = Path("d/index.html").read_text(encoding="utf-8")
    assert page.count("<img src=") == 5
    assert page.count("truly ") == 15
    assert (
        json.loads(Path("d/results.json").read_text(encoding="utf-8"))["summary"]["assessed"] == 5
    )
    assert f"Page:    {Path('d/index.html').resolve().as_uri()}" in done.out


def test_again_is_the_same(run: Any) -> None:
    first = run("demo", "-n", "3", "--fields", "0")
    csv_before = Path("demo/results.csv").read_bytes()
    assert run("demo", "-n", "3", "--fields", "0").out == first.out
    assert Path("demo/results.csv").read_bytes() == csv_before


def test_other_phantoms_do_not_mix_with_the_old(run: Any) -> None:
    run("demo", "-n", "3", "--fields", "0")
    done = run("demo", "-n", "3", "--seed", "1", "--fields", "0")
    assert done.code == 2
    assert "holds other labels already" in done.err


def test_a_place_that_cannot_be_written(run: Any) -> None:
    Path("file").write_bytes(b"")
    done = run("demo", "--out", "file/d")
    assert done.code == 2
    assert done.err.startswith("error: file/d/")
    assert "cannot be written" in done.err


def test_a_sample_is_reported_too(run: Any) -> None:
    done = run("demo", "--out", "d", "-n", "1", "--fields", "1")
    assert (done.code, done.err) == (0, "")
    assert "Sample phantom: " in done.out
    assert f"Report: {Path('d/sample-report.html').resolve().as_uri()}" in done.out
    page = Path("d/sample-report.html").read_text(encoding="utf-8")
    assert "field-0-000.ome.tif" in page
    assert Path("d/sample/b/truth.csv").is_file()
    pdf = Path("d/sample-report.pdf")
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert f"Report: {pdf.resolve().as_uri()}" in done.out


def test_without_typst_the_demo_goes_on(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    done = run("demo", "--out", "d", "-n", "1", "--fields", "1")
    assert done.code == 0
    assert (
        "Report: no PDF: typst is needed to write a report as PDF, and is not installed. "
        "Run: pip install 'androscope[report]'"
    ) in done.out
    assert Path("d/sample-report.html").is_file()
    assert not Path("d/sample-report.pdf").exists()

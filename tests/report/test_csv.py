from __future__ import annotations

import csv
import dataclasses
import io
import os
from pathlib import Path

import pytest

from androscope.errors import OutputError
from androscope.report.csv import csv_text, write_csv
from androscope.types import Assessment, Results


def test_every_image_is_a_row(results: Results) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(results))))
    assert list(rows[0]) == [
        "image", "index", "status",
        "head_verdict", "head_probability", "head_threshold",
        "tail_verdict", "tail_probability", "tail_threshold",
        "error_rate", "flags", "notes", "error_code", "error_reason", "error_advice",
    ]  # fmt: skip
    assert [row["status"] for row in rows] == ["assessed", "assessed", "failed"]
    assert rows[0]["image"] == "day 3/a.png"
    assert rows[0]["index"] == ""
    assert (rows[0]["head_verdict"], float(rows[0]["head_probability"])) == ("normal", 0.25)
    assert (rows[0]["tail_verdict"], float(rows[0]["tail_threshold"])) == ("abnormal", 0.5)
    assert (rows[1]["index"], rows[1]["notes"]) == ("4", "16-bit scaled to 8")
    assert rows[2]["error_code"] == "image-unreadable"
    assert rows[2]["error_reason"] == "is empty"
    assert rows[2]["head_verdict"] == ""


def test_a_name_is_no_formula(results: Results) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(results))))
    assert rows[2]["image"] == "./=cmd|' /C calc'!A0.png"
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize(
    "name", ["a,b.png", 'a"b.png', "a\nb.png", "a\r\nb.png"], ids=["comma", "quote", "lf", "crlf"]
)
def test_names_survive_quoting(results: Results, name: str) -> None:
    one = dataclasses.replace(results, assessments=(Assessment(name, None, ()),), failures=())
    (row,) = csv.DictReader(io.StringIO(csv_text(one), newline=""))
    assert row["image"] == name


def test_the_file_is_utf8(results: Results, tmp_path: Path) -> None:
    raw = os.fsdecode(b"\xff.png")
    assessments = (Assessment("精子.png", None, ()), Assessment(raw, None, ()))
    write_csv(tmp_path / "r.csv", dataclasses.replace(results, assessments=assessments))
    text = (tmp_path / "r.csv").read_text(encoding="utf-8")
    assert "\n精子.png,,assessed" in text
    assert "\n\\xff.png,,assessed" in text


def test_nothing_assessed_gives_a_header(nothing: Results) -> None:
    assert csv_text(nothing).count("\n") == 1


def test_a_folder_is_no_place_for_a_file(results: Results, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_csv(tmp_path, results)

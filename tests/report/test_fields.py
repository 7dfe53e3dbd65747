# ruff: noqa: E501  a row of a table of cases stays on one line
"""What is told of fields: lines, the table of finds, overlays and their names."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from androscope.assessment.field import GradedField
from androscope.imaging.field import Field, FieldItem
from androscope.imaging.head_scale import FieldScale
from androscope.imaging.located import Flag, Located
from androscope.imaging.overlay import COLOURS
from androscope.report.fields import (
    field_lines,
    kind_of,
    located_csv,
    overlay_name,
    write_field_overlay,
    write_located,
)
from androscope.types import Assessment, Crop, PartVerdict, Verdict

ROUND = frozenset[Flag]({"round"})


def located(x: float, flags: frozenset[Flag] = frozenset()) -> Located:
    return Located(x, 20.0, 16.0, 10.0, 30.0, 0.9, flags)


def verdicts(source: str, head: Verdict = Verdict.NORMAL) -> Assessment:
    return Assessment(
        source, None, (PartVerdict("head", 0.5, 0.5, head), PartVerdict("tail", 0.1, 0.5, Verdict.NORMAL))
    )  # fmt: skip


def graded(source: str = "day3/f.png", index: int | None = None) -> GradedField:
    crop = Crop(np.zeros((64, 64), np.uint8), f"{source}#1")
    items = (
        FieldItem(located(20.0), crop=crop),
        FieldItem(located(50.0), crop=crop),
        FieldItem(located(70.0), excluded="the head is cut by the frame's edge"),
        FieldItem(located(90.0, ROUND), excluded="a round cell"),
    )
    field = Field(
        source, index, (100, 40), FieldScale(24.0, "estimated"), items, ("16-bit scaled to 8",),
        np.full((40, 100), 128, np.uint8),
    )  # fmt: skip
    found = (verdicts(f"{source}#1"), verdicts(f"{source}#2", Verdict.ABNORMAL), None, None)
    return GradedField(field, found)


def test_lines_say_what_was_found_and_why_not_all_is_graded() -> None:
    assert field_lines([graded()]) == [
        "day3/f.png: 3 sperm located, 2 graded, a head 24.0 px (*estimated*)",
        "  not graded: 1: the head is cut by the frame's edge",
        "  not graded: 1: a round cell",
        "  note: 16-bit scaled to 8",
    ]


@pytest.mark.parametrize(
    ("scale", "shown"),
    [
        pytest.param(FieldScale(20.0, "pixel size"), ", a head 20.0 px (from the pixel size)", id="pixel size"),
        pytest.param(FieldScale(20.0, "head length"), ", a head 20.0 px (from the head length)", id="length"),
        pytest.param(None, "", id="unknown"),
    ],
)  # fmt: skip
def test_where_the_scale_comes_from(scale: FieldScale | None, shown: str) -> None:
    empty = GradedField(Field("f.png", 2, (9, 9), scale), ())
    assert field_lines([empty]) == [f"f.png[2]: 0 sperm located, 0 graded{shown}"]


def test_every_find_is_a_row() -> None:
    rows = list(csv.DictReader(io.StringIO(located_csv([graded(), graded("=b.png", 3)]))))
    assert [row["kind"] for row in rows[:4]] == ["normal", "abnormal", "not graded", "no sperm"]
    assert [row["number"] for row in rows] == ["1", "2", "3", "4"] * 2
    assert rows[1]["crop"] == "day3/f.png#2"
    assert rows[2]["crop"] == ""
    assert rows[2]["not_graded"] == "the head is cut by the frame's edge"
    assert rows[3]["flags"] == "round"
    assert (rows[4]["image"], rows[4]["index"]) == ("./=b.png", "3")
    item = graded().field.items[0].located
    edges = [float(rows[0][edge]) for edge in ("left", "top", "right", "bottom")]
    assert edges == pytest.approx(item.box, abs=0.005)


def test_of_a_video_each_row_has_its_frame_and_the_overlay_its_own_places(tmp_path: Path) -> None:
    field = graded("v.avi", 12)
    items = tuple(
        replace(item, frame=n, in_picture=replace(item.located, x=item.located.x + 3))
        for n, item in enumerate(field.field.items)
    )
    moved = replace(field, field=replace(field.field, items=items))
    rows = list(csv.DictReader(io.StringIO(located_csv([moved]))))
    assert [row["index"] for row in rows] == ["0", "1", "2", "3"]
    assert [row["x"] for row in rows] == ["20.00", "50.00", "70.00", "90.00"]
    drawn = write_field_overlay(tmp_path / "moved", 1, moved)
    still = write_field_overlay(tmp_path / "still", 1, field)
    assert drawn is not None
    assert still is not None
    assert drawn.name == "0001-v-12.png"
    assert drawn.read_bytes() != still.read_bytes()


def test_the_table_needs_no_crops() -> None:
    assert located_csv([graded().without_pixels()]) == located_csv([graded()])


def test_the_table_is_written(tmp_path: Path) -> None:
    write_located(tmp_path / "deep" / "l.csv", [graded()])
    assert (tmp_path / "deep" / "l.csv").read_text(encoding="utf-8") == located_csv([graded()])


def test_kinds_are_those_that_have_a_colour() -> None:
    field = graded()
    kinds = [
        kind_of(item, given)
        for item, given in zip(field.field.items, field.assessments, strict=True)
    ]
    assert kinds == list(COLOURS)


@pytest.mark.parametrize(
    ("verdicts", "kind"),
    [
        pytest.param("nun", "undecided", id="one undecided"),
        pytest.param("nua", "abnormal", id="abnormal wins"),
        pytest.param("nnn", "normal", id="all normal"),
    ],
)
def test_undecided_is_a_kind_of_its_own(verdicts: str, kind: str) -> None:
    words = {"n": Verdict.NORMAL, "a": Verdict.ABNORMAL, "u": Verdict.UNDECIDED}
    parts = tuple(PartVerdict(str(i), 0.5, 0.5, words[v]) for i, v in enumerate(verdicts))
    field = graded()
    item = next(i for i, v in zip(field.field.items, field.assessments, strict=True) if v)
    assert kind_of(item, Assessment("x", None, parts)) == kind


@pytest.mark.parametrize(
    ("source", "index", "name"),
    [
        pytest.param("day3/f.png", None, "0007-f.png", id="plain"),
        pytest.param("stack.tif", 12, "0007-stack-12.png", id="page"),
        pytest.param("../..", None, "0007-field.png", id="no name of its own"),
        pytest.param("a b/ü:?*.png", None, "0007-field.png", id="nothing that a system takes"),
    ],
)
def test_names_of_overlays(source: str, index: int | None, name: str) -> None:
    assert overlay_name(7, graded(source, index)) == name


def test_an_overlay_shows_the_field_in_colour(tmp_path: Path) -> None:
    path = write_field_overlay(tmp_path / "o", 1, graded())
    assert path == tmp_path / "o" / "0001-f.png"
    shown = np.asarray(Image.open(path)).reshape(-1, 3)
    for colour in COLOURS.values():
        assert (shown == colour).all(axis=1).any()


def test_without_pixels_there_is_no_overlay(tmp_path: Path) -> None:
    light = graded().without_pixels()
    assert write_field_overlay(tmp_path, 1, light) is None
    assert light.field.pixels is None
    assert all(item.crop is None for item in light.field.items)
    assert light.assessments == graded().assessments
    assert list(tmp_path.iterdir()) == []

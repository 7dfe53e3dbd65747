"""Frames with boxes: published layouts parsed, bad ones named, and each set's role kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from androscope.datasets.located import load_located, parse_voc, parse_yolo
from androscope.datasets.located_types import Box
from androscope.errors import DatasetCorruptError, DatasetMissingError, DatasetUseError
from androscope.settings import Settings


def voc(*objects: tuple[str, int, int, int, int], size: tuple[int, int] = (100, 80)) -> str:
    items = "".join(
        f"<object><name>{n}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin>"
        f"<xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
        for n, a, b, c, d in objects
    )
    sizes = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
    return f"<annotation>{sizes}{items}</annotation>"


def lay_out(folder: Path, name: str, stem: str, labels: str | None, suffix: str) -> Settings:
    (folder / name / "images").mkdir(parents=True, exist_ok=True)
    (folder / name / "labels").mkdir(exist_ok=True)
    pixels = np.full((80, 100), 120, np.uint8)
    image = ".jpg" if suffix == ".txt" else ".png"
    Image.fromarray(pixels).save(folder / name / "images" / f"{stem}{image}")
    if labels is not None:
        (folder / name / "labels" / f"{stem}{suffix}").write_text(labels)
    return Settings(data=folder, cache=folder / "none")


def test_yolo_by_hand() -> None:
    boxes = parse_yolo("0 0.5 0.5 0.1 0.2\n\n1 0.25 0.25 0.5 0.5\n2 0.1 0.9 0.1 0.1\n", 200, 100)
    assert [box.kind for box in boxes] == ["sperm", "cluster", "small-head"]
    box = boxes[0]
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((90, 40, 110, 60))
    # In px from the first pixel's centre, as everything that is found.
    assert box.centre == pytest.approx((99.5, 49.5))


def test_voc_by_hand() -> None:
    boxes = parse_voc(voc(("S", 11, 21, 20, 40), ("Impurity", 1, 1, 100, 80)), 100, 80)
    assert boxes[0] == Box(10, 20, 20, 40, "sperm")
    assert boxes[1] == Box(0, 0, 100, 80, "impurity")
    # Pixels 10 to 19 and 20 to 39 from 0: their middles.
    assert boxes[0].centre == (14.5, 29.5)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("0 0.5 0.5 0.1", "line 1: expected class x y width height", id="fields"),
        pytest.param("\n7 0.5 0.5 0.1 0.1", "line 2: expected a class 0 to 2, got 7", id="class"),
        pytest.param("0 0.5 zero 0.1 0.1", "line 1: could not convert", id="no-number"),
        pytest.param("0 1.2 0.5 0.1 0.1", "line 1: expected a box within 100 x 80", id="off"),
        pytest.param("0 nan 0.5 0.1 0.1", "line 1: expected a box within", id="nan"),
        pytest.param("0 0.5 0.5 0 0.1", "line 1: expected left < right", id="empty-box"),
    ],
)
def test_bad_yolo_is_named(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_yolo(text, 100, 80)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("<annotation>", "malformed XML", id="cut-off"),
        pytest.param("<!DOCTYPE a><annotation/>", "plain XML", id="doctype"),
        pytest.param(voc(size=(99, 80)), "made for 99 x 80 px, the frame is 100 x 80", id="size"),
        pytest.param(voc(("T", 1, 1, 9, 9)), "object 1: expected a name of S, Imp", id="name"),
        pytest.param(voc(("S", 1, 1, 9, 900)), "object 1: expected a box within", id="off"),
    ],
)
def test_bad_voc_is_named(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_voc(text, 100, 80)


@given(st.text(max_size=200))
def test_any_text_is_boxes_or_a_value_error(text: str) -> None:
    for parse in (parse_yolo, parse_voc):
        try:
            boxes = parse(text, 100, 80)
        except ValueError:
            continue
        assert all(0 <= box.left < box.right <= 100 for box in boxes)


@given(
    st.tuples(st.integers(1, 198), st.integers(1, 98)),
    st.tuples(st.integers(0, 60), st.integers(0, 60)),
)
def test_yolo_and_voc_of_one_box_agree(corner: tuple[int, int], extent: tuple[int, int]) -> None:
    x0, y0 = corner
    x1, y1 = min(x0 + extent[0], 200), min(y0 + extent[1], 100)
    left, top = x0 - 1, y0 - 1
    line = f"0 {(left + x1) / 400} {(top + y1) / 200} {(x1 - left) / 200} {(y1 - top) / 100}"
    (from_yolo,) = parse_yolo(line, 200, 100)
    (from_voc,) = parse_voc(voc(("S", x0, y0, x1, y1), size=(200, 100)), 200, 100)
    assert from_yolo.centre == pytest.approx(from_voc.centre)
    assert from_yolo.right - from_yolo.left == pytest.approx(from_voc.right - from_voc.left)


def test_frames_come_in_order_of_time(tmp_path: Path) -> None:
    for frame in (100, 20, 3):
        settings = lay_out(tmp_path, "visem", f"11_frame_{frame}", "0 0.5 0.5 0.1 0.1", ".txt")
    found = load_located("visem", settings=settings)
    assert [frame.id for frame in found.frames] == ["11_frame_3", "11_frame_20", "11_frame_100"]
    assert found.videos == ("11",)
    assert found.for_training() == found.frames
    assert found.frames[0].size == (100, 80)
    assert found.frames[0].pixels().shape == (80, 100)


def test_svia_is_never_trained_on(tmp_path: Path) -> None:
    settings = lay_out(tmp_path, "svia", "S_0001_0002", voc(("S", 1, 1, 9, 9)), ".xml")
    found = load_located("svia", settings=settings)
    assert found.videos == ("S_0001",)
    with pytest.raises(DatasetUseError, match="svia is for evaluation only"):
        found.for_training()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match="visem is not on this machine"):
        load_located("visem", settings=Settings(data=tmp_path, cache=tmp_path))
    with pytest.raises(ValueError, match="expected visem or svia, got 'vissem'"):
        load_located("vissem")


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        pytest.param(None, "the frame 11_frame_0.jpg has no labels", id="no-labels"),
        pytest.param("0 0.5 0.5 9 9", "line 1: expected a box within", id="bad-labels"),
    ],
)
def test_a_damaged_set_is_said(tmp_path: Path, labels: str | None, reason: str) -> None:
    settings = lay_out(tmp_path, "visem", "11_frame_0", labels, ".txt")
    with pytest.raises(DatasetCorruptError, match=reason):
        load_located("visem", settings=settings)


def test_visem_as_published(visem_dir: Path) -> None:
    found = load_located("visem", settings=Settings(data=visem_dir.parent))
    boxes = [box for frame in found.frames for box in frame.boxes]
    assert len(found.frames) == 90
    assert {frame.size for frame in found.frames} == {(640, 480)}
    assert sum(box.kind == "sperm" for box in boxes) == 3390
    assert sum(box.kind == "cluster" for box in boxes) == 156


def test_svia_as_published(svia_dir: Path) -> None:
    found = load_located("svia", settings=Settings(data=svia_dir.parent))
    boxes = [box for frame in found.frames for box in frame.boxes]
    assert [len(found.of_video(video)) for video in found.videos] == [20, 19]
    assert sum(box.kind == "sperm" for box in boxes) == 1236
    assert sum(box.kind == "impurity" for box in boxes) == 59

"""Fields taken apart: scale known, estimated or refused; why things are not graded; the overlay."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from androscope.imaging.field import Field, FieldItem, read_field
from androscope.imaging.head_estimate import estimate_head_length
from androscope.imaging.head_scale import HEAD_UM, FieldScale, field_scale
from androscope.imaging.located import Found, Located
from androscope.imaging.overlay import COLOURS, Mark, draw_overlay, write_overlay
from androscope.imaging.phantom_field import PhantomField, render_field
from androscope.imaging.phantom_optics import Optics
from androscope.imaging.phantom_spec import PhantomSperm
from androscope.types import GreyImage

STATIC = np.random.default_rng(1).integers(0, 256, (300, 400), dtype=np.uint8)
EMPTY = np.full((200, 300), 128, np.uint8)


@cache
def truth(um: float = 0.16, n: int = 8) -> PhantomField:
    specs = [PhantomSperm()] * n
    return render_field(640, 480, n, 5, pixel_size_um=um, specs=specs, optics=Optics())


def image(field: PhantomField, um: float | None = None) -> GreyImage:
    return GreyImage(field.pixels, "field.png", pixel_size_um=um)


@pytest.mark.parametrize(
    ("known", "length", "origin"),
    [
        pytest.param({"pixel_size_um": 0.11}, 40.0, "pixel size", id="pixel-size"),
        pytest.param({"head_length": 31.0}, 31.0, "head length", id="head-length"),
        pytest.param(
            {"pixel_size_um": 0.11, "head_length": 31.0}, 31.0, "head length", id="length-wins"
        ),
    ],
)
def test_what_is_known_is_believed(known: dict[str, float], length: float, origin: str) -> None:
    scale = field_scale(EMPTY, **known)
    assert scale is not None
    assert scale.head_length == pytest.approx(length)
    assert scale.origin == origin


@pytest.mark.parametrize("um", [0.25, 0.16])
def test_the_scale_is_estimated_from_dark_separate_heads(um: float) -> None:
    estimated = estimate_head_length(truth(um).pixels)
    assert estimated is not None
    assert estimated.length == pytest.approx(HEAD_UM / um, rel=0.25)
    assert 5 <= estimated.heads <= 8


def test_an_empty_field_has_no_scale() -> None:
    assert field_scale(EMPTY) is None
    found = read_field(GreyImage(EMPTY, "empty.png"))
    assert found.items == ()
    assert "nothing that looks like a sperm was found" in found.notes
    assert any("give the pixel size" in note for note in found.notes)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_absurd_numbers_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        field_scale(EMPTY, pixel_size_um=value)
    with pytest.raises(ValueError, match="must be above 0"):
        field_scale(EMPTY, head_length=value)


def test_a_head_becomes_as_long_as_the_model_wants() -> None:
    scale = FieldScale(HEAD_UM / 0.23, "pixel size")
    assert scale.enlargement() == pytest.approx(2.0)
    assert scale.enlargement(0.46) == pytest.approx(0.5)


def test_crops_of_a_field_are_centred_on_heads() -> None:
    field = truth()
    found = read_field(image(field, 0.16))
    assert found.scale is not None
    assert found.scale.origin == "pixel size"
    assert len(found.gradable) >= 6
    for item in found.gradable:
        assert item.crop is not None
        assert item.crop.pixels.shape == (64, 64)
        assert item.crop.source.startswith("field.png#")
        x, y = item.located.x, item.located.y
        gap = min(math.hypot(x - s.centre[0], y - s.centre[1]) for s in field.sperm)
        assert gap < 0.3 * HEAD_UM / 0.16
    assert not any("estimated" in note for note in found.notes)


def test_an_estimated_scale_is_marked() -> None:
    found = read_field(image(truth()))
    assert found.scale is not None
    assert found.scale.origin == "estimated"
    assert any(note.startswith("scale estimated from the heads found: ") for note in found.notes)


def test_coarse_optics_are_counted_and_refused() -> None:
    field = truth(0.25)
    found = read_field(image(field, 0.25))
    assert len(found.sperm) >= 6
    assert not found.gradable
    reason = (
        "optics too coarse for morphology: a normal head is 17.6 px long by the pixel size, at "
        "least 20 are needed"
    )
    assert f"morphology refused: {reason}" in found.notes
    assert reason in {item.excluded for item in found.sperm}


def test_heads_too_small_to_be_looked_for_are_refused() -> None:
    found = read_field(image(truth()), head_length=2.0)
    assert found.items == ()
    assert any("optics too coarse" in note for note in found.notes)


def test_every_item_has_a_crop_or_a_reason() -> None:
    field = render_field(
        640, 480, 8, 3, pixel_size_um=0.16, touching=True, round_cells=1, debris=6, optics=Optics()
    )
    cut = GreyImage(np.ascontiguousarray(field.pixels[:, 100:]), "cut.png", pixel_size_um=0.16)
    found = read_field(cut)
    assert all((item.crop is None) == (item.excluded is not None) for item in found.items)
    reasons = {item.excluded for item in found.items if item.excluded}
    assert any("touches another head" in reason for reason in reasons)


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(np.zeros((300, 400), np.uint8), id="black"),
        pytest.param(np.full((300, 400), 255, np.uint8), id="saturated"),
        pytest.param(np.full((1, 1), 9, np.uint8), id="one-pixel"),
        pytest.param(np.full((4, 900), 9, np.uint8), id="strip"),
        pytest.param(STATIC, id="static"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("length", [None, 40.0])
def test_odd_fields_give_no_crash(pixels: np.ndarray, length: float | None) -> None:
    found = read_field(GreyImage(pixels, "odd"), head_length=length)
    assert found.size == pixels.shape[::-1]


def test_five_hundred_sperm_are_listed() -> None:
    # Tiles of one small field: rendering as many apart from one another takes minutes.
    tile = truth(0.16, 8).pixels
    many = np.tile(tile, (8, 8))
    found = read_field(GreyImage(many, "many", pixel_size_um=0.16))
    assert len(found.sperm) >= 450


def test_the_overlay_shows_and_counts(tmp_path: Path) -> None:
    marks = [
        Mark(Located(100, 60, 30, 20, 0, 1.0), "normal"),
        Mark(Located(200, 100, 30, 20, 90, 1.0), "abnormal", "vacuole"),
    ]
    drawn = draw_overlay(EMPTY, marks)
    # 300 px are enlarged three times; below is the legend.
    assert drawn.shape == (618, 900, 3)
    for mark in marks:
        assert (drawn == COLOURS[mark.kind]).all(axis=2)[:600].sum() > 100
    write_overlay(tmp_path / "o.png", EMPTY, marks)
    with Image.open(tmp_path / "o.png") as written:
        assert written.size == (900, 618)


def test_a_field_knows_its_name() -> None:
    item = FieldItem(Located(1, 1, 2, 1, 0, 1.0, frozenset({"debris"})), excluded="debris")
    field = Field("a.tif", 3, (10, 10), None, (item,))
    assert field.name == "a.tif[3]"
    assert field.sperm == ()


@pytest.mark.parametrize(
    ("known", "doubted"),
    [
        pytest.param({"pixel_size_um": 0.16}, None, id="right"),
        pytest.param({"head_length": 30.0}, None, id="nearly"),
        pytest.param({"pixel_size_um": 0.08}, "by the pixel size a head is 55 px", id="half"),
        pytest.param({"pixel_size_um": 0.05}, "by the pixel size a head is 88 px", id="a-third"),
        pytest.param({"pixel_size_um": 0.32}, "by the pixel size a head is 14 px", id="coarse"),
        pytest.param({"pixel_size_um": 3.0}, "by the pixel size a head is 1 px", id="none"),
        pytest.param({"head_length": 60.0}, "by the head length a head is 60 px", id="length"),
    ],
)  # fmt: skip
def test_a_scale_that_contradicts_the_heads_is_doubted(
    known: dict[str, float], doubted: str | None
) -> None:
    found = read_field(image(truth()), **known)
    notes = [note for note in found.notes if "check it" in note]
    assert len(notes) == (doubted is not None)
    if doubted is not None:
        assert notes[0].startswith("the heads found are about 3")
        assert doubted in notes[0]


def test_what_is_found_is_held_against_a_scale_from_elsewhere() -> None:
    def find(pixels: np.ndarray, head_length: float) -> Found:
        heads = (Located(30.0 * n, 60, 28, 18, 0, 1.0) for n in range(1, 7))
        return Found(tuple(heads), head_length, 0)

    found = read_field(image(truth()), scale=FieldScale(52.0, "pixel size"), find=find)
    said = "the heads found are about 28 px long, by the pixel size a head is 52 px: check it"
    assert said in found.notes


def test_the_files_own_pixel_size_wins_and_the_difference_is_told() -> None:
    found = read_field(image(truth(), 0.16), pixel_size_um=0.11)
    assert found.scale is not None
    assert found.scale.head_length == pytest.approx(HEAD_UM / 0.16)
    said = "the pixel size given, 0.11 um, is not the file's own, 0.16 um, which is believed"
    assert said in found.notes

# ruff: noqa: E501  a row of a table of cases stays on one line
"""The locator: maps read, heads flagged, and the shipped one on fields of known truth."""

from __future__ import annotations

import json
import math
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.errors import BundleError, BundleMismatchError
from androscope.imaging.contrast import DETECTOR_PX, LIMIT, contrast_view
from androscope.imaging.located import Flag, Located
from androscope.imaging.phantom_field import PhantomField, render_field
from androscope.imaging.phantom_optics import Optics, Polarity
from androscope.imaging.phantom_spec import PhantomSperm
from androscope.model.locator import CHANNELS, Locator, flagged, read_maps
from androscope.model.locator_bundle import SHIPPED, is_shipped, load_locator
from androscope.model.locator_card import locator_card_text, read_locator_card

UM = 0.25
HALF = {"sperm": 0.5, "round": 0.5, "debris": 0.5}


def maps(*centres: tuple[int, int, int, float]) -> np.ndarray:
    """Maps ``(CHANNELS, 20, 30)`` with a peak for each (class, column, row, height)."""
    result = np.zeros((CHANNELS, 20, 30), np.float32)
    for kind, column, row, height in centres:
        result[kind, row, column] = height
    return result


def test_a_peak_is_a_head_with_its_axes() -> None:
    given_maps = maps((0, 10, 5, 0.9))
    angle = math.radians(30)
    given_maps[3:, 5, 10] = (
        0.25, -0.5, math.log(1.2), math.log(0.75), math.cos(2 * angle), math.sin(2 * angle),
    )  # fmt: skip
    (peak,) = read_maps(given_maps, HALF)
    assert (peak.kind, peak.score) == ("sperm", pytest.approx(0.9))
    # A cell's middle lies 1.5 px behind its first pixel.
    assert (peak.x, peak.y) == pytest.approx((10.25 * 4 + 1.5, 4.5 * 4 + 1.5))
    assert (peak.length, peak.width) == pytest.approx((1.2 * DETECTOR_PX, 0.75 * DETECTOR_PX))
    assert peak.angle_deg == pytest.approx(30)


@pytest.mark.parametrize(
    ("centres", "kinds"),
    [
        pytest.param([(0, 10, 5, 0.4)], [], id="below the threshold"),
        pytest.param([(0, 10, 5, 0.9), (0, 13, 5, 0.8)], ["sperm", "sperm"], id="side by side"),
        pytest.param([(0, 10, 5, 0.9), (2, 11, 5, 0.8)], ["sperm"], id="a head, not debris"),
        pytest.param([(0, 10, 5, 0.7), (1, 10, 6, 0.8)], ["round"], id="a round cell, no head"),
        pytest.param([(1, 2, 2, 0.6), (2, 20, 9, 0.9)], ["debris", "round"], id="surest first"),
    ],
)
def test_each_thing_is_found_once(
    centres: list[tuple[int, int, int, float]], kinds: list[str]
) -> None:
    assert [peak.kind for peak in read_maps(maps(*centres), HALF)] == kinds


def head(x: float, y: float, angle: float = 0.0, kind: frozenset[Flag] = frozenset()) -> Located:
    return Located(x, y, 20.0, 12.0, angle, 0.9, kind)


@pytest.mark.parametrize(
    ("items", "flags"),
    [
        pytest.param([head(50, 50), head(90, 50)], [set(), set()], id="apart"),
        pytest.param([head(50, 50), head(69, 50)], [{"overlapping"}] * 2, id="end to end"),
        pytest.param([head(50, 50), head(50, 69)], [set(), set()], id="side by side, apart"),
        pytest.param([head(50, 50), head(50, 61)], [{"overlapping"}] * 2, id="side by side, touching"),
        pytest.param([head(50, 50, 90), head(50, 69)], [set(), set()], id="a cross, apart"),
        pytest.param([head(9, 50)], [{"edge"}], id="left edge"),
        pytest.param([head(9.5, 50)], [set()], id="just inside"),
        pytest.param([head(50, 95)], [{"edge"}], id="bottom edge"),
        pytest.param([head(50, 50), head(60, 50, 0, frozenset({"debris"}))], [set(), {"debris"}], id="debris beside it"),
    ],
)  # fmt: skip
def test_flags(items: list[Located], flags: list[set[str]]) -> None:
    assert [set(item.flags) for item in flagged(items, (200, 100))] == flags


@given(
    st.floats(-15, 15), st.floats(-15, 15), st.floats(0, 180), st.floats(0, 180), st.floats(0, 6.28)
)
def test_touching_is_symmetric_and_turns_with_the_field(
    dx: float, dy: float, a: float, b: float, turn: float
) -> None:
    def overlapping(items: list[Located]) -> list[bool]:
        return ["overlapping" in item.flags for item in flagged(items, (10_000, 10_000))]

    pair = [head(500, 500, a), head(500 + dx, 500 + dy, b)]
    first, second = overlapping(pair)
    assert first == second
    assert overlapping(pair[::-1]) == [first, second]
    gap = math.hypot(dx, dy)
    assert first or gap > 12 - 1e-6
    assert not first or gap < 20 + 1e-6


@pytest.mark.parametrize("head_length", [8.0, 16.0, 40.0])
def test_a_place_in_the_view_is_one_in_the_field(head_length: float) -> None:
    view = contrast_view(np.full((90, 130), 100, np.uint8), head_length)
    assert view.contrast.shape == pytest.approx(
        (90 * 16 / head_length, 130 * 16 / head_length), abs=0.51
    )
    assert view.in_field(*view.in_view(12.3, 45.6)) == pytest.approx((12.3, 45.6))
    assert not view.contrast.any()


def test_contrast_is_relative_to_the_background_and_bounded() -> None:
    pixels = np.full((200, 200), 100, np.uint8)
    pixels[100:104, 100:104] = 50
    pixels[50:54, 50:54] = 255
    contrast = contrast_view(pixels, DETECTOR_PX).contrast
    assert contrast[102, 102] == pytest.approx(-0.5, abs=0.02)
    assert contrast[52, 52] == pytest.approx(LIMIT, abs=0.06)


needs_locator = pytest.mark.skipif(not is_shipped(), reason="no locator is shipped")


@cache
def locator() -> Locator:
    return Locator(load_locator(), threads=1)


@cache
def truth(polarity: Polarity) -> PhantomField:
    return render_field(
        480, 400, 10, 7, pixel_size_um=UM, specs=[PhantomSperm()] * 10, round_cells=1,
        optics=Optics(polarity=polarity), polarity=polarity,
    )  # fmt: skip


@needs_locator
@pytest.mark.parametrize("polarity", ["bright-field", "phase-positive", "phase-negative"])
@pytest.mark.parametrize("reversed_", [False, True], ids=["as it is", "reversed"])
def test_heads_are_found_with_their_axes(polarity: Polarity, reversed_: bool) -> None:
    field = truth(polarity)
    pixels = 255 - field.pixels if reversed_ else field.pixels
    length = PhantomSperm().head_length_um / UM
    found = locator()(pixels, length)
    ratios, turns, matched = [], [], 0
    for sperm in field.sperm:
        near = [
            item for item in found.sperm
            if math.hypot(item.x - sperm.centre[0], item.y - sperm.centre[1]) < 0.35 * length
        ]  # fmt: skip
        matched += len(near)
        for item in near:
            ratios.append(item.length / sperm.axes[0])
            turns.append(abs((item.angle_deg - sperm.angle_deg + 90) % 180 - 90))
    assert matched >= 9
    assert len(found.sperm) <= 11
    assert np.median(ratios) == pytest.approx(1, abs=0.15)
    assert np.median(turns) < 12


@needs_locator
@pytest.mark.parametrize("grey", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (300, 200)], ids=str)
def test_in_nothing_nothing_is_found(grey: int, shape: tuple[int, int]) -> None:
    assert locator()(np.full(shape, grey, np.uint8), 16.0).items == ()


@needs_locator
def test_strips_give_the_same_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    contrast = contrast_view(truth("bright-field").pixels, 16.0).contrast
    whole = locator().maps(contrast)
    monkeypatch.setattr("androscope.model.locator._STRIP_PIXELS", 480 * 104)
    np.testing.assert_allclose(locator().maps(contrast), whole, atol=2e-5)


@needs_locator
@pytest.mark.parametrize("length", [0.0, 3.0, -1.0, math.nan])
def test_a_length_that_is_none_is_refused(length: float) -> None:
    with pytest.raises(ValueError, match="head_length must be above 3 px"):
        locator()(np.zeros((9, 9), np.uint8), length)


@needs_locator
def test_the_shipped_card_is_whole() -> None:
    bundle = load_locator()
    assert read_locator_card(bundle.card.to_json()) == bundle.card
    page = (SHIPPED / "locator" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert page == locator_card_text(bundle.card)
    assert bundle.card.model_bytes < 1_000_000
    assert {part.dataset for part in bundle.card.frames} <= {"visem"}
    assert "svia" not in json.dumps(bundle.card.config)


@needs_locator
@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        pytest.param(lambda f: (f / "model.onnx").write_bytes(b"x"), BundleMismatchError, "is not the model its card describes", id="other model"),
        pytest.param(lambda f: (f / "model.onnx").unlink(), BundleError, "is missing: a locator is a folder", id="no model"),
        pytest.param(lambda f: (f / "card.json").write_text("{}"), BundleError, "is not a locator's card", id="no card's fields"),
        pytest.param(lambda f: (f / "card.json").write_text("text"), BundleError, "is not a locator's card", id="no JSON"),
    ],
)  # fmt: skip
def test_a_spoilt_locator_is_refused(
    tmp_path: Path, spoil: object, error: type[BundleError], message: str
) -> None:
    folder = tmp_path / "l"
    shutil.copytree(SHIPPED / "locator", folder)
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(error, match=message):
        load_locator(folder)


def test_no_such_locator() -> None:
    with pytest.raises(BundleError, match="no such locator: neither the shipped one"):
        load_locator("nowhere")

"""Contact sheets and PNG files."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from androscope.errors import OutputError
from androscope.imaging.sheet import contact_sheet, png_bytes, write_png


@given(st.integers(1, 13), st.integers(1, 6), st.integers(1, 3))
def test_every_crop_is_where_it_belongs(count, columns, scale):
    crops = [np.full((5, 4), 20 + n, np.uint8) for n in range(count)]
    sheet = contact_sheet(crops, columns, scale)
    used = min(columns, count)
    rows = -(-count // used)
    assert sheet.shape == (rows * (5 * scale + 2) - 2, used * (4 * scale + 2) - 2)
    for number in range(count):
        row, column = divmod(number, used)
        top, left = row * (5 * scale + 2), column * (4 * scale + 2)
        assert (sheet[top : top + 5 * scale, left : left + 4 * scale] == 20 + number).all()
    assert (sheet == 0).sum() == sheet.size - count * 20 * scale**2


def test_colour_and_sizes_mix():
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    sheet = contact_sheet([np.full((2, 2), 90, np.uint8), red], columns=2, scale=1)
    assert sheet.shape == (4, 10, 3)
    assert (sheet[1:3, 1:3] == 90).all()
    assert (sheet[:, 6:10] == [255, 0, 0]).all()


@pytest.mark.parametrize("colour", [False, True])
def test_captions_stand_under_their_crops(colour):
    crop = np.full((64, 64, 3) if colour else (64, 64), 100, np.uint8)
    sheet = contact_sheet([crop, crop], 2, 1, ["head", ""])
    assert sheet.shape[:2] == (64 + 13, 64 * 2 + 2)
    assert sheet[64:, :64].max() > 200
    assert sheet[64:, 66:].max() == 0
    assert (sheet[:64, :64] == 100).all()


@pytest.mark.parametrize(
    ("crops", "options", "message"),
    [
        ([], {}, "expected crops, and columns and scale of at least 1; got 0 crops"),
        ([np.zeros((2, 2), np.uint8)], {"columns": 0}, "columns=0"),
        ([np.zeros((2, 2), np.uint8)], {"scale": 0}, "scale=0"),
        ([np.zeros((2, 2))], {}, "expected uint8 crops (H, W) or (H, W, 3), got float64 (2, 2)"),
        ([np.zeros((2, 2, 4), np.uint8)], {}, "got uint8 (2, 2, 4)"),
        ([np.zeros((2, 2), np.uint8)], {"captions": []}, "expected 1 captions, got 0"),
    ],
)
def test_bad_arguments(crops, options, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        contact_sheet(crops, **options)
    assert message in str(caught.value)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_png_holds_the_pixels_and_nothing_else(tmp_path, shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    path = write_png(tmp_path / "deep" / "a.png", pixels)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), pixels)
    data = path.read_bytes()
    assert data == png_bytes(pixels)
    chunks, at = [], 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        chunks.append(data[at + 4 : at + 8])
        at += 12 + length
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}
    assert Image.open(io.BytesIO(data)).info == {}


def test_a_place_that_cannot_be_written_is_a_typed_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot be written"):
        write_png(tmp_path / "file" / "a.png", np.zeros((2, 2), np.uint8))

"""How coloured pictures are: of things, not of lamps; carried from the file to the crop."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from androscope.imaging.chroma import BLOCK, chroma_map, chroma_within
from androscope.imaging.crop import to_crop
from androscope.imaging.field import read_field
from androscope.imaging.located import Found, Located
from androscope.imaging.read import decode, from_array


def _picture(background, thing, size: int = 64) -> np.ndarray:
    """A coloured square of a quarter of the area in the middle."""
    picture = np.empty((size, size, 3), np.float64)
    picture[:] = background
    quarter = size // 4
    picture[quarter:-quarter, quarter:-quarter] = thing
    return picture


@pytest.mark.parametrize(
    ("background", "thing", "chroma"),
    [
        pytest.param((200, 200, 200), (80, 80, 80), None, id="grey"),
        pytest.param((220, 200, 150), (110, 100, 75), 0.0, id="a-yellow-lamp"),
        pytest.param((200, 200, 200), (100, 60, 140), 0.4, id="violet"),
        pytest.param((200, 180, 160), (100, 54, 112), 0.4, id="violet-in-yellow-light"),
    ],
)
def test_things_count_and_lamps_do_not(background, thing, chroma) -> None:
    found = chroma_map(_picture(background, thing).astype(np.uint8))
    if chroma is None:
        assert found is None
    else:
        assert chroma_within(found, 0, 0, 64, 64) == pytest.approx(chroma, abs=0.01)


@pytest.mark.parametrize("scale", [1, 257, 1 / 255], ids=["8-bit", "16-bit", "float"])
def test_depth_does_not_matter(scale: float) -> None:
    picture = _picture((200, 200, 200), (100, 60, 140)) * scale
    kind = {1: np.uint8, 257: np.uint16}.get(scale, np.float32)
    assert chroma_within(chroma_map(picture.astype(kind)), 0, 0, 64, 64) == pytest.approx(
        0.4, abs=0.01
    )


def test_noise_is_averaged_away() -> None:
    rng = np.random.default_rng(3)
    noisy = _picture((128, 128, 128), (80, 80, 80)) + rng.normal(0, 4, (64, 64, 3))
    assert chroma_within(chroma_map(noisy.astype(np.uint8)), 0, 0, 64, 64) < 0.06


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 1), (7, 9, 3), (64, 66, 4)])
def test_any_shape(shape) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = chroma_map(picture)
    if len(shape) == 2 or shape[2] == 1:
        assert found is None
    else:
        assert found.shape == (-(-shape[0] // BLOCK), -(-shape[1] // BLOCK))
        assert 0 <= chroma_within(found, -5, -5, 400, 400) <= 1


def _png(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def test_a_file_s_colour_reaches_its_crop() -> None:
    picture = _picture((200, 200, 200), (100, 60, 140)).astype(np.uint8)
    for image in (decode(_png(picture), "a.png"), from_array(picture)):
        assert to_crop(image).chroma == pytest.approx(0.4, abs=0.01)
    grey = decode(_png(np.asarray(Image.fromarray(picture).convert("L"))), "b.png")
    assert grey.chroma is None
    assert to_crop(grey).chroma == 0


def test_a_field_s_crops_have_the_colour_of_their_place() -> None:
    picture = np.full((256, 256, 3), 180, np.uint8)
    picture[40:80, 40:80] = (90, 50, 130)
    picture[160:200, 160:200] = (90, 90, 90)

    def find(pixels, head_length):
        places = ((60.0, 60.0), (180.0, 180.0))
        return Found(tuple(Located(x, y, 38, 24, 0.0, 1.0) for x, y in places), head_length, -1)

    field = read_field(from_array(picture), head_length=38, find=find)
    stained, plain = (item.crop.chroma for item in field.items)
    assert stained > 0.3
    assert plain < 0.02

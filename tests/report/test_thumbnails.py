from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from androscope.errors import OutputError
from androscope.report.thumbnails import data_uri, png_bytes, thumbnail_name, write_thumbnail
from androscope.types import Crop

PIXELS = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)


def test_nothing_is_lost() -> None:
    png = png_bytes(PIXELS)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), PIXELS)
    head, _, body = data_uri(PIXELS).partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(body, validate=True) == png


@pytest.mark.parametrize(
    ("source", "index", "name"),
    [
        pytest.param("day 3/a.png", None, "000007-a.png", id="plain"),
        pytest.param("stack.npy", 12, "000007-stack-12.png", id="row of a stack"),
        pytest.param("../../etc/passwd", None, "000007-passwd.png", id="no way out of the folder"),
        pytest.param("<array>", 0, "000007-array-0.png", id="array"),
        pytest.param("精子.png", None, "000007-crop.png", id="nothing left"),
        pytest.param("x" * 300 + ".png", None, f"000007-{'x' * 60}.png", id="too long"),
    ],
)
def test_names(source: str, index: int | None, name: str) -> None:
    assert thumbnail_name(7, Crop(PIXELS, source, index)) == name


@given(st.text(max_size=80), st.none() | st.integers(0, 10**6))
def test_a_name_is_good_everywhere(source: str, index: int | None) -> None:
    name = thumbnail_name(1, Crop(PIXELS, source, index))
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>|\0 ')
    assert len(name) < 100


def test_writing_makes_the_folder(tmp_path: Path) -> None:
    path = write_thumbnail(tmp_path / "a" / "b", 1, Crop(PIXELS, "x.png"))
    assert path == tmp_path / "a" / "b" / "000001-x.png"
    np.testing.assert_array_equal(np.asarray(Image.open(path)), PIXELS)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"):
        write_thumbnail(tmp_path / "a", 1, Crop(PIXELS, "x.png"))

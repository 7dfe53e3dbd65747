"""What is kept of a file: pixels, and nothing that could name a patient."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, PngImagePlugin

from androscope.imaging.read import read_images
from androscope.records.clean import CleanPicture, check_clean, clean_file
from androscope.records.opinions import decode_png, encode_png
from androscope.types import Failure, GreyImage, UInt8Array

SECRET = "Jane Doe 1980"
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 50), dtype=np.uint8)


def jpeg() -> bytes:
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = exif[0x013B] = SECRET
    Image.fromarray(PIXELS).save(stream, "JPEG", exif=exif, comment=SECRET.encode())
    return stream.getvalue()


def png() -> bytes:
    stream, text = io.BytesIO(), PngImagePlugin.PngInfo()
    text.add_text("Patient", SECRET)
    text.add_itxt("Title", SECRET)
    Image.fromarray(PIXELS).save(stream, "PNG", pnginfo=text)
    return stream.getvalue() + SECRET.encode()


def tiff() -> bytes:
    stream = io.BytesIO()
    pages = [Image.fromarray(PIXELS), Image.fromarray(255 - PIXELS)]
    pages[0].save(
        stream, "TIFF", save_all=True, append_images=pages[1:], description=SECRET, artist=SECRET
    )
    return stream.getvalue()


@pytest.mark.parametrize("make", [jpeg, png, tiff], ids=["JPEG", "PNG", "TIFF"])
def test_no_tag_survives_and_the_pixels_do(make: object) -> None:
    assert callable(make)
    content = make()
    assert SECRET.encode() in content
    kept = clean_file(content, "x")
    assert kept.sha256 == hashlib.sha256(content).hexdigest()
    original = [item for item in read_images(content) if isinstance(item, GreyImage)]
    pictures = [p for p in kept.pictures if isinstance(p, CleanPicture)]
    assert len(pictures) == len(original) == len(kept.pictures)
    for picture, was in zip(pictures, original, strict=True):
        assert SECRET.encode() not in picture.png
        assert check_clean(picture.png) == (50, 40)
        # Graded again, it is the same picture.
        (again,) = read_images(picture.png)
        assert isinstance(again, GreyImage)
        assert np.array_equal(again.pixels, was.pixels)
        assert picture.index == was.index


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_a_failure(content: bytes) -> None:
    (failure,) = clean_file(content, "a.png").pictures
    assert isinstance(failure, Failure)
    assert failure.source == "a.png"


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_pixels_come_back(pixels: UInt8Array) -> None:
    encoded = encode_png(pixels)
    assert check_clean(encoded) == pixels.shape[::-1]
    assert np.array_equal(decode_png(encoded), pixels)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


CLEAN = encode_png(PIXELS)
END = chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("given_png", "said"),
    [
        pytest.param(b"GIF89a", "is a PNG, got other bytes", id="gif"),
        pytest.param(CLEAN[:8], "got nothing", id="no-chunk"),
        pytest.param(
            CLEAN.removesuffix(END) + chunk(b"tEXt", b"a\0b") + END,
            "alone, got IHDR, IDAT, tEXt, IEND",
            id="text",
        ),
        pytest.param(CLEAN + b"trailing", "a chunk is cut or altered", id="trailing"),
        pytest.param(CLEAN + chunk(b"IDAT", b"x"), "alone, got IHDR, IDAT, IEND", id="behind-end"),
        pytest.param(CLEAN[:-6], "a chunk is cut or altered", id="cut"),
        pytest.param(
            CLEAN[:60] + bytes([CLEAN[60] ^ 1]) + CLEAN[61:], "cut or altered", id="flipped"
        ),
    ],
)
def test_what_is_not_clean_is_refused(given_png: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_clean(given_png)


def test_colour_is_refused() -> None:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).convert("RGB").save(stream, "PNG")
    with pytest.raises(ValueError, match="8-bit grey, got 8 bits of colour type 2"):
        check_clean(stream.getvalue())


@pytest.mark.parametrize("bad", [np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.float32)])
def test_only_grey_bytes_are_encoded(bad: UInt8Array) -> None:
    with pytest.raises(ValueError, match=r"expected \(H, W\) uint8"):
        encode_png(bad)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_clean(content: bytes) -> None:
    for png in (content, CLEAN[:8] + content):
        with pytest.raises(ValueError, match="a picture to be kept"):
            check_clean(png)


@pytest.mark.parametrize(
    ("axes", "index", "note"),
    [
        ("ZYX", 1, "one field in 2 focal planes: the sharpest, number 2, was taken"),
        (
            "TYX",
            1,
            "one field at 2 times: number 2 was taken, as a still; to have sperm followed, give a "
            "video",
        ),
    ],
)
def test_pages_of_one_field_are_kept_once(axes: str, index: int, note: str) -> None:
    sharp = np.random.default_rng(1).integers(0, 256, (300, 520), dtype=np.uint8)
    stream = io.BytesIO()
    pages = np.stack([sharp // 4, sharp])
    tifffile.imwrite(stream, pages, ome=True, metadata={"axes": axes}, photometric="minisblack")
    (kept,) = clean_file(stream.getvalue(), "f.ome.tif").pictures
    assert isinstance(kept, CleanPicture)
    assert (kept.index, kept.notes[-1]) == (index, note)

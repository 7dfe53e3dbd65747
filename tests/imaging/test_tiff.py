"""TIFF as microscopes write it: depths, pages, compressions, tags, and damage."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from androscope.errors import ImageError
from androscope.imaging.read import read_image, read_images
from androscope.imaging.tiff_tags import PageFacts, length_in_um, ome_facts
from androscope.settings import Settings
from androscope.types import Failure

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (70, 64), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (70, 64, 3), dtype=np.uint8)
CAMERA = RNG.integers(0, 4096, (70, 64), dtype=np.uint16)
STACK = RNG.integers(0, 4096, (5, 48, 40), dtype=np.uint16)
EIGHT = np.floor(CAMERA * 255.0 / 4095 + 0.5)
LUMA = np.asarray(Image.fromarray(COLOUR).convert("L"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.tif"


@pytest.mark.parametrize(
    ("array", "options", "expected"),
    [
        (GREY, {}, GREY),
        (GREY, {"compression": "deflate"}, GREY),
        (GREY, {"compression": "lzma"}, GREY),
        (GREY, {"tile": (16, 16)}, GREY),
        (GREY, {"rowsperstrip": 7, "compression": "deflate", "predictor": True}, GREY),
        (GREY, {"byteorder": ">", "bigtiff": True}, GREY),
        (GREY, {"photometric": "miniswhite"}, 255 - GREY),
        (GREY > 128, {"photometric": "minisblack"}, (GREY > 128) * np.uint8(255)),
        (CAMERA, {}, EIGHT),
        (CAMERA, {"byteorder": ">"}, EIGHT),
        (CAMERA, {"compression": "deflate", "predictor": True}, EIGHT),
        (CAMERA, {"photometric": "miniswhite"}, 255 - EIGHT),
        (COLOUR, {"photometric": "rgb"}, LUMA),
        (
            np.moveaxis(COLOUR, 2, 0),
            {"photometric": "rgb", "planarconfig": "separate"},
            LUMA,
        ),
        (COLOUR.astype(np.uint16) * 257, {"photometric": "rgb"}, LUMA),
        (GREY.astype(np.float32) / 255, {}, GREY),
        (GREY.astype(np.float32), {}, GREY),
    ],
    ids=[
        "u8", "deflate", "lzma", "tiles", "strips", "big", "white-is-zero", "bilevel", "u16",
        "u16-big-endian", "u16-deflate", "u16-white-is-zero", "rgb", "planar", "rgb16",
        "float-unit", "float-255",
    ],
)  # fmt: skip
def test_what_tifffile_writes(path, array, options, expected):
    tifffile.imwrite(path, array, **options)
    for image in (read_image(path), *read_images(path.read_bytes())):
        assert np.abs(image.pixels - expected.astype(float)).max() <= (
            1 if array.ndim == 3 and array.dtype == np.uint16 else 0
        )


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (Image.fromarray(GREY), {"compression": "tiff_lzw"}),
        (Image.fromarray(COLOUR), {"compression": "tiff_lzw"}),
        (Image.fromarray(COLOUR), {"compression": "jpeg"}),
        (Image.fromarray(GREY), {"compression": "jpeg"}),
        (Image.fromarray(GREY), {"compression": "packbits"}),
        (Image.fromarray(GREY > 128), {"compression": "group4"}),
        (Image.fromarray(COLOUR).quantize(16), {}),
        (Image.fromarray(COLOUR).quantize(200), {"compression": "tiff_lzw"}),
        (Image.fromarray(COLOUR).convert("RGBA"), {}),
        (Image.fromarray(GREY).convert("LA"), {}),
    ],
    ids=["lzw", "lzw-rgb", "jpeg-rgb", "jpeg", "packbits", "fax", "palette", "palette-lzw", "rgba",
         "la"],
)  # fmt: skip
def test_what_pillow_writes(path, image, options):
    image.save(path, "TIFF", **options)
    other = Image.open(path)
    other = other.convert("RGB") if other.mode in ("P", "RGBA") else other
    np.testing.assert_array_equal(read_image(path).pixels, np.asarray(other.convert("L")))


def test_lzw_of_16_bits_keeps_them(path):
    image = Image.fromarray(CAMERA)
    image.save(path, "TIFF", compression="tiff_lzw")
    np.testing.assert_array_equal(read_image(path).pixels, EIGHT)


def test_12_bits_packed_are_12_bits(path):
    # Written by hand: two samples in three bytes, as some cameras do.
    samples = (np.arange(32 * 32) % 1000).reshape(32, 32)
    bits = "".join(f"{value:012b}" for value in samples.ravel())
    data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    tags = [
        (256, 3, 1, 32), (257, 3, 1, 32), (258, 3, 1, 12), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 8 + 2 + 10 * 12 + 4), (277, 3, 1, 1), (278, 3, 1, 32), (279, 4, 1, len(data)),
        (296, 3, 1, 1),
    ]  # fmt: skip
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    body = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    path.write_bytes(head + body + b"\0\0\0\0" + data)
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, np.floor(samples * 255.0 / 4095 + 0.5))
    assert image.notes == ("12 bits (stated by the file) scaled to 8",)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"imagej": True},
        {"compression": "deflate"},
        {"truncate": True},
        {"bigtiff": True},
        {"ome": True},
        {"photometric": "miniswhite"},
        {"tile": (16, 16)},
    ],
    ids=["plain", "imagej", "deflate", "one-header", "bigtiff", "ome", "white-is-zero", "tiles"],
)
def test_every_page_in_order_at_one_scale(path, options):
    tifffile.imwrite(path, STACK, **({"photometric": "minisblack"} | options))
    expected = np.floor(STACK * 255.0 / 4095 + 0.5)
    if "miniswhite" in options.values():
        expected = 255 - expected
    for source in (path, path.read_bytes()):
        images = list(read_images(source))
        assert [image.index for image in images] == [0, 1, 2, 3, 4]
        np.testing.assert_array_equal([image.pixels for image in images], expected)


def test_a_dark_page_is_not_stretched(path):
    stack = STACK.copy()
    stack[2] //= 64
    tifffile.imwrite(path, stack, photometric="minisblack")
    dark = list(read_images(path))[2]
    assert dark.pixels.max() <= 4
    assert dark.notes[0].startswith("bit depth guessed: 12,")


def test_thumbnails_are_not_pages(path):
    with tifffile.TiffWriter(path) as writer:
        writer.write(GREY)
        writer.write(GREY[::2, ::2], subfiletype=1)
    np.testing.assert_array_equal(read_image(path).pixels, GREY)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_equals_pillows(path, orientation):
    other = Image.fromarray(GREY)
    exif = other.getexif()
    exif[274] = orientation
    expected = np.asarray(ImageOps.exif_transpose(other))
    tifffile.imwrite(path, GREY, extratags=[(274, "H", 1, orientation, True)])
    np.testing.assert_array_equal(read_image(path).pixels, expected)
    Image.fromarray(GREY).save(path, compression="tiff_lzw", tiffinfo={274: orientation})
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, expected)
    assert bool(image.notes) == (orientation > 1)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"resolution": (1e4 / 0.1, 1e4 / 0.1), "resolutionunit": "CENTIMETER"}, 0.1),
        ({"resolution": (25_400 / 0.2, 25_400 / 0.2), "resolutionunit": "INCH"}, 0.2),
        ({"resolution": (72, 72), "resolutionunit": "INCH"}, None),
        ({"resolution": (10, 10), "resolutionunit": "NONE"}, None),
        ({"resolution": (1e5, 2e5), "resolutionunit": "CENTIMETER"}, None),
        ({"imagej": True, "resolution": (8, 8), "metadata": {"unit": "um"}}, 0.125),
        ({"imagej": True, "resolution": (8, 8), "metadata": {"unit": "micron"}}, 0.125),
        ({"imagej": True, "resolution": (8, 8), "metadata": {"unit": "pixel"}}, None),
        ({"imagej": True, "resolution": (8, 8)}, None),
        ({"ome": True, "metadata": {"PhysicalSizeX": 0.11, "PhysicalSizeY": 0.11}}, 0.11),
        (
            {
                "ome": True,
                "metadata": {
                    "PhysicalSizeX": 110.0,
                    "PhysicalSizeXUnit": "nm",
                    "PhysicalSizeY": 110.0,
                    "PhysicalSizeYUnit": "nm",
                },
            },
            0.11,
        ),
        ({}, None),
    ],
    ids=["cm", "inch", "72dpi", "unitless", "oblong", "imagej-um", "imagej-micron", "imagej-pixel",
         "imagej-none", "ome", "ome-nm", "none"],
)  # fmt: skip
def test_pixel_size(path, options, expected):
    tifffile.imwrite(path, GREY, **options)
    size = read_image(path).pixel_size_um
    assert size == (None if expected is None else pytest.approx(expected, rel=1e-3))


def test_significant_bits_of_ome_and_micromanager(path):
    dark = CAMERA // 8
    tifffile.imwrite(path, dark, ome=True, metadata={"SignificantBits": 12, "axes": "YX"})
    expected = np.floor(dark * 255.0 / 4095 + 0.5)
    np.testing.assert_array_equal(read_image(path).pixels, expected)
    tags = [(51123, "s", 0, '{"BitDepth": 12, "PixelSizeUm": 0.1}', True)]
    tifffile.imwrite(path, dark, extratags=tags)
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, expected)
    assert image.pixel_size_um == 0.1


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ("", PageFacts()),
        ("<OME><not closed", PageFacts()),
        ('<!DOCTYPE x [<!ENTITY a "b">]><OME/>', PageFacts()),
        (
            '<OME xmlns="o"><Image><Pixels PhysicalSizeX="0.1" PhysicalSizeY="0.1"/></Image></OME>',
            PageFacts(0.1),
        ),
        (
            '<OME><Pixels PhysicalSizeX="0.1" PhysicalSizeY="0.1" SignificantBits="10"/>'
            '<Pixels PhysicalSizeX="0.2" PhysicalSizeY="0.2" SignificantBits="10"/></OME>',
            PageFacts(None, 10),
        ),
        ('<OME><Pixels PhysicalSizeX="x" PhysicalSizeY="0.1"/></OME>', PageFacts()),
        (
            '<OME><Pixels PhysicalSizeX="0.1" PhysicalSizeXUnit="pixel" PhysicalSizeY="1"/></OME>',
            PageFacts(),
        ),
        ('<OME><Pixels SignificantBits="16"/></OME>', PageFacts()),
    ],
    ids=["empty", "broken", "entities", "size", "differ", "no-number", "no-unit", "container"],
)
def test_ome_headers(xml, expected):
    assert ome_facts(xml) == expected


@pytest.mark.parametrize(
    ("value", "unit", "um"),
    [(65, "nm", 0.065), (0.1, "µm", 0.1), (0.1, "μm", 0.1), (1, "inch", 25_400), (1, "px", None)],
)
def test_units(value, unit, um):
    assert length_in_um(value, unit) == (None if um is None else pytest.approx(um))


def failing(source, **settings):
    (failure,) = read_images(source, settings=Settings(**settings))
    assert isinstance(failure, Failure)
    return failure


def test_a_large_page_is_refused_on_its_header(path):
    strip_tiff(path, 50_000, 50_000, bytes(100))
    failure = failing(path)
    assert failure.code == "image-dimensions"
    assert "promises 50,000 x 50,000 pixels" in failure.reason


def strip_tiff(path, width, height, content):
    """An 8-bit TIFF by hand whose one deflated strip holds ``content``, whatever it should."""
    data = zlib.compress(content, 9)
    tags = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1),
        (273, 4, 1, 8 + 2 + 9 * 12 + 4), (277, 3, 1, 1), (278, 4, 1, height),
        (279, 4, 1, len(data)),
    ]  # fmt: skip
    path.write_bytes(
        b"II*\0\x08\0\0\0"
        + struct.pack("<H", len(tags))
        + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        + b"\0\0\0\0"
        + data
    )
    return len(data)


def test_a_large_second_page_does_not_lose_the_first(path):
    with tifffile.TiffWriter(path) as writer:
        writer.write(GREY)
        writer.write(np.zeros((300, 300), np.uint8))
        writer.write(GREY)
    first, second, third = read_images(path, settings=Settings(max_pixels=10_000))
    np.testing.assert_array_equal(first.pixels, GREY)
    np.testing.assert_array_equal(third.pixels, GREY)
    assert (second.index, second.code) == (1, "image-dimensions")
    assert "promises 300 x 300 pixels, over the limit of 10,000" in second.reason


def test_a_strip_that_inflates_beyond_its_page_is_not_inflated(path):
    # 300 MB of zeros in 300 kB.
    assert strip_tiff(path, 64, 64, bytes(300_000_000)) > 1 << 18
    failure = failing(path)
    assert failure.code == "image-unreadable"
    assert "inflates to more than the 4,096 bytes of its page; not decoded" in failure.reason


@pytest.mark.parametrize("cut", [10, 200, 2000, 4000])
def test_truncated_at_any_place_is_never_a_half_picture(path, cut):
    tifffile.imwrite(path, GREY)
    failure = failing(path.read_bytes()[:-cut])
    assert failure.code == "image-unreadable"
    assert "truncated" in failure.reason + str(failure.advice)


def test_a_damaged_page_does_not_lose_the_others(path):
    with tifffile.TiffWriter(path) as writer:
        for page in (GREY, GREY, GREY):
            writer.write(page, compression="deflate", metadata=None)
    with tifffile.TiffFile(path) as file:
        offset = file.pages[1].dataoffsets[0]
    data = bytearray(path.read_bytes())
    data[offset : offset + 40] = bytes(40)
    first, second, third = read_images(bytes(data))
    assert isinstance(second, Failure)
    assert (second.index, second.code) == (1, "image-unreadable")
    np.testing.assert_array_equal([first.pixels, third.pixels], [GREY, GREY])


def test_nan_in_one_page_does_not_lose_the_others(path):
    stack = np.stack([GREY, GREY, GREY]).astype(np.float32)
    stack[1, 3, 4] = np.nan
    tifffile.imwrite(path, stack, photometric="minisblack")
    first, second, third = read_images(path)
    assert (second.code, second.index) == ("image-values", 1)
    assert "got 1 NaN or infinite of 4480" in second.reason
    np.testing.assert_array_equal([first.pixels, third.pixels], [GREY, GREY])


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (
            np.zeros((64, 64, 4), np.uint8),
            {"photometric": "separated"},
            "expected grey or RGB, got CMYK colour",
        ),
        (
            np.zeros((64, 64, 5), np.uint8),
            {"photometric": "minisblack", "planarconfig": "contig"},
            "expected grey or RGB, got 5 channels",
        ),
        (
            np.zeros((16, 64, 64), np.uint8),
            {"photometric": "minisblack", "volumetric": True, "tile": (16, 64, 64)},
            "expected flat pages, got a volume of 16 slices",
        ),
        (
            np.zeros((64, 64), np.complex64),
            {},
            "expected numbers as pixels (bool, integer or float), got type complex64",
        ),
    ],
    ids=["cmyk", "five-channels", "volume", "complex"],
)
def test_kinds_that_are_not_graded(path, array, options, message):
    tifffile.imwrite(path, array, **options)
    with pytest.raises(ImageError) as caught:
        read_image(path)
    assert message in str(caught.value)
    assert caught.value.advice


def test_16_bit_colour_in_a_compression_only_pillow_reads_is_refused_not_cut(path):
    stream = io.BytesIO()
    tifffile.imwrite(stream, COLOUR.astype(np.uint16), photometric="rgb")
    data = bytearray(stream.getvalue())
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        tag = file.pages[0].tags["Compression"]
        data[tag.valueoffset : tag.valueoffset + 2] = struct.pack("<H", 5)
    failure = failing(bytes(data))
    assert failure.code == "image-unsupported"
    assert failure.reason == "16-bit colour with LZW compression is not read"
    assert "pip install imagecodecs" in failure.advice


@pytest.mark.parametrize(
    ("value", "bits"),
    [(4095, 12), (1023, 10), (4000, None), (65535, None), (255, None)],
    ids=["12 bits", "10 bits", "the largest used", "the container", "8 bits"],
)
def test_max_sample_value_states_the_depth_if_it_is_a_cameras(path, value, bits):
    tifffile.imwrite(path, CAMERA // 4, extratags=[(281, 3, 1, value, True)])
    note = read_image(path).notes[0]
    stated = f"{bits} bits (stated by the file) scaled to 8"
    assert note == stated if bits else note.startswith("bit depth guessed: 10,")


@pytest.mark.parametrize(
    ("info", "bits"),
    [
        (" BitsPerPixel = 12\n SizeC = 1\n", 12),
        ('{"BitDepth": 14}', 14),
        ("SignificantBits: 16\n", None),
        ("BitDepth = 12\nBitDepth = 14\n", None),
        ("nothing of it", None),
    ],
    ids=["bio-formats", "micro-manager", "the container", "contradicting", "no word"],
)
def test_words_that_imagej_keeps_state_the_depth(path, info, bits):
    tifffile.imwrite(path, CAMERA // 4, imagej=True, metadata={"Info": info, "max": 4095.0})
    note = read_image(path).notes[0]
    stated = f"{bits} bits (stated by the file) scaled to 8"
    assert note == stated if bits else note.startswith("bit depth guessed: 10,")

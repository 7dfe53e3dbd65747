"""Reading pictures: every format, every depth, and every bad input the project promises to name."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import png
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from androscope.errors import (
    ImageDimensionsError,
    ImageUnreadableError,
    ImageUnsupportedError,
    ImageValuesError,
)
from androscope.imaging.read import decode, failure_of, from_array, read_image, read_images
from androscope.settings import Settings
from androscope.types import Failure, GreyImage

GREY = np.random.default_rng(0).integers(0, 256, (70, 64), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (70, 64, 3), dtype=np.uint8)
LUMA = np.asarray(Image.fromarray(COLOUR).convert("L"))
SMALL = Settings(max_pixels=10_000)


def saved(array, kind, **options):
    stream = io.BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(stream, kind, **options)
    return stream.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png16(samples, *, sbit=None):
    """A 16-bit PNG of ``(H, W)`` or ``(H, W, C)``, written by hand: independent of any reader."""
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    height, width = samples.shape[:2]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
        + (b"" if sbit is None else chunk(b"sBIT", bytes([sbit] * channels)))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def bomb_png(width=50_000, height=50_000):
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def animation(kind):
    frames = [Image.fromarray(np.roll(GREY, n, 0)) for n in range(3)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF"])
def test_grey_comes_through_unchanged(kind):
    image = decode(saved(GREY, kind), "a")
    np.testing.assert_array_equal(image.pixels, GREY)
    assert (image.source, image.index, image.notes) == ("a", None, ())


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_colour_becomes_pillows_luma(kind):
    image = decode(saved(COLOUR, kind), "a")
    np.testing.assert_array_equal(image.pixels, LUMA)


@pytest.mark.parametrize("array", [GREY, COLOUR], ids=["grey", "colour"])
def test_jpeg_and_webp_equal_pillows_decoding(array):
    for data in (saved(array, "JPEG", quality=95), saved(array, "WEBP", lossless=True)):
        other = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
        np.testing.assert_array_equal(decode(data, "a").pixels, other)


def test_black_and_white_and_palettes():
    bits = GREY > 128
    np.testing.assert_array_equal(decode(saved(bits, "PNG"), "a").pixels, bits * np.uint8(255))
    palette = Image.fromarray(COLOUR).quantize(64)
    other = np.asarray(palette.convert("RGB").convert("L"))
    np.testing.assert_array_equal(decode(saved(palette, "PNG"), "a").pixels, other)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_ignored_and_said(mode):
    base = COLOUR if mode == "RGBA" else GREY
    opaque = Image.fromarray(base).convert(mode)
    holes = opaque.copy()
    holes.putalpha(Image.fromarray(np.where(GREY > 100, 255, 0).astype(np.uint8)))
    plain, cut = decode(saved(opaque, "PNG"), "a"), decode(saved(holes, "PNG"), "a")
    np.testing.assert_array_equal(plain.pixels, LUMA if mode == "RGBA" else GREY)
    np.testing.assert_array_equal(cut.pixels, plain.pixels)
    assert plain.notes == ()
    assert cut.notes == ("transparency ignored",)


def test_16_bit_grey_is_scaled_by_its_bits_not_its_range():
    samples = np.linspace(300, 3000, 64 * 64).reshape(64, 64).astype(np.uint16)
    image = decode(png16(samples), "a")
    np.testing.assert_array_equal(image.pixels, np.floor(samples * 255.0 / 4095 + 0.5))
    assert image.notes == (
        "bit depth guessed: 12, the fewest bits that hold the largest value, 3000",
    )


def test_16_bit_colour_keeps_its_low_bits():
    # A 12-bit colour camera: Pillow alone would leave 16 grey levels.
    samples = np.random.default_rng(2).integers(0, 4096, (64, 64, 3)).astype(np.uint16)
    assert len(np.unique(np.asarray(Image.open(io.BytesIO(png16(samples)))))) == 16
    image = decode(png16(samples), "a")
    luma = samples @ np.array([0.299, 0.587, 0.114])
    assert np.abs(image.pixels - luma * 255 / 4095).max() < 1
    assert len(np.unique(image.pixels)) > 150


@pytest.mark.parametrize("channels", [2, 4])
def test_16_bit_with_transparency(channels):
    samples = np.random.default_rng(3).integers(0, 65536, (40, 40, channels)).astype(np.uint16)
    image = decode(png16(samples), "a")
    grey = samples[:, :, 0] if channels == 2 else samples[:, :, :3] @ [0.299, 0.587, 0.114]
    assert np.abs(image.pixels - grey / 257).max() < 1
    assert "transparency ignored" in image.notes


def test_interlaced_16_bit_colour():
    samples = np.random.default_rng(4).integers(0, 65536, (33, 35, 3)).astype(np.uint16)
    stream = io.BytesIO()
    png.Writer(35, 33, greyscale=False, bitdepth=16, interlace=True).write(
        stream, samples.reshape(33, -1)
    )
    assert (
        np.abs(decode(stream.getvalue(), "a").pixels - samples @ [0.299, 0.587, 0.114] / 257).max()
        < 1
    )


def test_significant_bits_in_the_high_bits_as_the_standard_has_it():
    camera = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    image = decode(png16(camera << 4, sbit=12), "a")
    np.testing.assert_array_equal(image.pixels, np.floor((camera << 4) * 255.0 / 65535 + 0.5))
    assert image.notes == ("16 bits (stated by the file) scaled to 8",)


def test_significant_bits_in_the_low_bits_as_some_writers_have_it():
    camera = np.arange(64 * 16, dtype=np.uint16).reshape(32, 32)
    image = decode(png16(camera, sbit=12), "a")
    np.testing.assert_array_equal(image.pixels, np.floor(camera * 255.0 / 4095 + 0.5))
    assert image.notes == ("12 bits (stated by the file) scaled to 8",)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_as_viewers_do(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(GREY, "PNG", exif=exif.tobytes())
    other = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    image = decode(data, "a")
    np.testing.assert_array_equal(image.pixels, other)
    said = "turned upright as its orientation tag says" in image.notes
    assert said == (orientation != 1)


@pytest.mark.parametrize(
    ("dpi", "expected"),
    [(25_400 / 0.12, 0.12), (72, None), (300, None), (25_400 / 0.005, None)],
    ids=["microscope", "screen", "printer", "impossible"],
)
def test_resolution_counts_where_a_microscope_could_have_it(dpi, expected):
    image = decode(saved(GREY, "PNG", dpi=(dpi, dpi)), "a")
    assert image.pixel_size_um == (None if expected is None else pytest.approx(expected, rel=1e-4))


def test_oblong_pixels_have_no_pixel_size():
    assert decode(saved(GREY, "PNG", dpi=(200_000, 100_000)), "a").pixel_size_um is None


BAD = {
    "empty": (b"", ImageUnreadableError, "the file is empty (0 bytes)"),
    "text": (
        b"not a picture at all",
        ImageUnreadableError,
        "expected an image (PNG, TIFF, BMP, JPEG, still GIF or WebP, or .npy), got text",
    ),
    "random": (bytes(range(200, 230)), ImageUnreadableError, "got data of an unknown kind"),
    "czi": (b"ZISRAWFILE" + b"\0" * 30, ImageUnreadableError, "got a Zeiss CZI file. Export it"),
    "pickle": (b"\x80\x04\x95" + b"\0" * 30, ImageUnreadableError, "pickles are never opened"),
    "png-signature-only": (b"\x89PNG\r\n\x1a\n", ImageUnreadableError, "truncated or damaged"),
    "png-truncated": (saved(GREY, "PNG")[:1500], ImageUnreadableError, "truncated or damaged"),
    "png16-truncated": (
        png16(np.full((64, 64, 3), 999, np.uint16))[:-60],
        ImageUnreadableError,
        "truncated or damaged",
    ),
    "png-checksum": (
        saved(GREY, "PNG").replace(b"IHDR\0\0\0\x40", b"IHDR\0\0\0\x41"),
        ImageUnreadableError,
        "truncated or damaged",
    ),
    "jpeg-truncated": (saved(COLOUR, "JPEG")[:900], ImageUnreadableError, "truncated or damaged"),
    "bmp-truncated": (saved(GREY, "BMP")[:2000], ImageUnreadableError, "truncated or damaged"),
    "tiff-truncated": (
        saved(GREY, "TIFF")[:-3000],
        ImageUnreadableError,
        "truncated",
    ),
    "tiff-header-only": (b"II*\0\x08\0\0\0", ImageUnreadableError, "truncated or damaged"),
    "bomb": (
        bomb_png(),
        ImageDimensionsError,
        "its header promises 50,000 x 50,000 pixels, over the limit of 100,000,000; not decoded",
    ),
    "cmyk-jpeg": (
        saved(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"),
        ImageUnsupportedError,
        "expected grey or RGB, got CMYK colour",
    ),
    "cmyk-tiff": (
        saved(Image.fromarray(COLOUR).convert("CMYK"), "TIFF"),
        ImageUnsupportedError,
        "expected grey or RGB, got CMYK colour",
    ),
    "animated-gif": (
        animation("GIF"),
        ImageUnsupportedError,
        "expected one picture, got an animation of 3 frames",
    ),
    "animated-png": (
        animation("PNG"),
        ImageUnsupportedError,
        "expected one picture, got an animation of 3 frames",
    ),
    "animated-webp": (
        animation("WEBP"),
        ImageUnsupportedError,
        "expected one picture, got an animation of 3 frames",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_named_and_say_what_to_do(name, tmp_path):
    data, kind, message = BAD[name]
    path = tmp_path / f"{name}.png"
    path.write_bytes(data)
    with pytest.raises(kind) as caught:
        read_image(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert caught.value.advice
    assert str(caught.value).count(str(path)) == 1
    # The same from bytes, and as a record of a batch instead of an exception.
    with pytest.raises(kind):
        decode(data, name)
    (failure,) = read_images(path)
    assert isinstance(failure, Failure)
    assert (failure.source, failure.index, failure.code) == (str(path), None, kind.code)
    assert failure.reason
    assert failure.advice


def test_a_bomb_is_refused_on_its_header(tmp_path, monkeypatch):
    decoded = []
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: decoded.append(self))
    for limit in (SMALL, Settings(max_pixels=4_000_000_000 - 1)):
        with pytest.raises(ImageDimensionsError, match="not decoded"):
            decode(bomb_png(65_000, 65_000), "a", settings=limit)
    assert not decoded


def test_the_limit_is_a_setting(monkeypatch):
    assert decode(saved(GREY, "PNG"), "a", settings=Settings(max_pixels=4480)).pixels.size == 4480
    monkeypatch.setenv("ANDROSCOPE_MAX_PIXELS", "4479")
    with pytest.raises(ImageDimensionsError, match=r"64 x 70 pixels, over the limit of 4,479"):
        decode(saved(GREY, "PNG"), "a")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.png", "gone.png: no such file. Check the spelling"),
        ("gone*.png", "no file matches this pattern"),
        ("a\0b.png", "cannot be opened"),
        ("x" * 300 + ".png", "the name is too long to be a file's"),
    ],
    ids=["missing", "pattern", "nul", "long"],
)
def test_files_that_cannot_be_opened(tmp_path, name, message):
    with pytest.raises(ImageUnreadableError) as caught:
        read_image(f"{tmp_path}/{name}")
    assert message in str(caught.value)
    assert caught.value.advice


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(ImageUnreadableError, match="expected an image, got a folder"):
        read_image(tmp_path)


def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageUnreadableError, match="got a device or pipe"):
        read_image(tmp_path / "pipe.png")


def test_no_permission(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(saved(GREY, "PNG"))

    def refuse(self, *args):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ImageUnreadableError, match="may not be read: permission denied"):
        read_image(path)


def test_many_pages_are_not_one_picture(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.stack([GREY] * 3), photometric="minisblack")
    with pytest.raises(ImageUnsupportedError) as caught:
        read_image(path)
    assert "expected one picture, got 3. Read pages and stacks with read_images" in str(
        caught.value
    )


def test_the_name_is_the_one_the_user_gave(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.png").write_bytes(saved(GREY, "PNG"))
    assert read_image("a.png").source == "a.png"
    assert read_image("a.png", name="left eye").source == "left eye"
    assert [i.source for i in read_images(saved(GREY, "PNG"))] == ["<bytes>"]


def test_bytes_and_file_are_the_same_picture(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(saved(COLOUR, "PNG"))
    np.testing.assert_array_equal(read_image(path).pixels, decode(path.read_bytes(), "a").pixels)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (GREY, GREY),
        (COLOUR, LUMA),
        (GREY > 99, (GREY > 99) * np.uint8(255)),
        (GREY.astype(np.uint16) * 16, np.floor(GREY * 16.0 * 255 / 4095 + 0.5)),
        (GREY.astype(np.int64), GREY),
        (GREY.astype(np.float32) / 255, GREY),
        (GREY.astype(np.float64), GREY),
        (GREY.astype(np.float16), GREY),
        (GREY[:, :, None], GREY),
        (np.asfortranarray(GREY), GREY),
        (GREY.astype(">u2"), GREY),
    ],
    ids=["u8", "rgb", "bool", "u16", "i64", "unit", "f255", "f16", "hw1", "fortran", "big-endian"],
)
def test_arrays(array, expected):
    before = array.copy()
    image = from_array(array, "cell 7")
    np.testing.assert_array_equal(image.pixels, expected)
    assert image.pixels.dtype == np.uint8
    assert image.source == "cell 7"
    image.pixels[:] = 0
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize(
    ("array", "kind", "message"),
    [
        (np.array([[np.nan, 1.0]]), ImageValuesError, "a: expected finite pixel values"),
        (np.zeros((4, 4, 2)), ImageUnsupportedError, "expected one picture, got 4"),
        (np.zeros(7), ImageUnsupportedError, "got (7,)"),
        (np.zeros((2, 2, 2, 2, 2)), ImageUnsupportedError, "got (2, 2, 2, 2, 2)"),
        (np.array([[{}]]), ImageValuesError, "got type object"),
        (np.zeros((0, 5)), ImageDimensionsError, "expected at least one pixel, got 5 x 0"),
    ],
    ids=["nan", "hw2", "1d", "5d", "object", "empty"],
)
def test_bad_arrays(array, kind, message):
    with pytest.raises(kind) as caught:
        from_array(array, "a")
    assert message in str(caught.value)


def test_a_failure_carries_the_errors_words():
    error = ImageValuesError("bad", advice="mend it")
    assert failure_of(error, "a.npy", 3) == Failure("a.npy", 3, "image-values", "bad", "mend it")


@settings(max_examples=300)
@given(st.data())
def test_damage_never_raises_anything_else(data):
    whole = data.draw(
        st.sampled_from(
            [
                saved(GREY[:40, :40], "PNG"),
                saved(GREY[:40, :40], "GIF"),
                saved(GREY[:40, :40], "BMP"),
                saved(COLOUR[:40, :40], "JPEG"),
                saved(GREY[:40, :40], "TIFF"),
                saved(GREY[:40, :40], "TIFF", compression="tiff_lzw"),
                png16(COLOUR[:40, :40].astype(np.uint16) * 9),
            ]
        )
    )
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(0, len(damaged)))]
    for item in read_images(bytes(damaged), settings=Settings(max_pixels=1_000_000)):
        assert isinstance(item, GreyImage | Failure)
        if isinstance(item, GreyImage):
            assert item.pixels.dtype == np.uint8
            assert item.pixels.ndim == 2
        else:
            assert item.code.startswith("image-")
            assert item.reason

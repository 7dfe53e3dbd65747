"""Stacks in .npy files and arrays: shapes, one scale, bad rows, hostile headers."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from androscope.imaging.read import read_image, read_images
from androscope.imaging.stack import open_npy
from androscope.settings import Settings
from androscope.types import Failure

STACK = np.random.default_rng(0).integers(0, 256, (6, 48, 40), dtype=np.uint8)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "crops.npy"


def npy(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_come_in_order_from_file_bytes_and_array(path, order):
    array = np.array(STACK, order=order)
    np.save(path, array)
    for source in (path, path.read_bytes(), array):
        images = list(read_images(source))
        assert [image.index for image in images] == list(range(6))
        np.testing.assert_array_equal([image.pixels for image in images], STACK)


@pytest.mark.parametrize(
    ("shape", "count", "index"),
    [
        ((48, 40), 1, None),
        ((48, 40, 1), 1, None),
        ((48, 40, 3), 1, None),
        ((48, 40, 4), 1, None),
        ((1, 48, 40), 1, 0),
        ((2, 48, 40), 2, 0),
        ((2, 48, 40, 3), 2, 0),
        ((2, 48, 40, 1), 2, 0),
    ],
    ids=str,
)
def test_shapes(path, shape, count, index):
    np.save(path, np.zeros(shape, np.uint8))
    images = list(read_images(path))
    assert len(images) == count
    assert images[0].pixels.shape == (48, 40)
    assert images[0].index == index


def test_a_single_picture_file_is_read_by_read_image(path):
    np.save(path, STACK[0])
    np.testing.assert_array_equal(read_image(path).pixels, STACK[0])


def test_one_scale_for_the_whole_stack(path):
    wide = STACK.astype(np.uint16) * 16
    wide[1] = 3
    np.save(path, wide)
    images = list(read_images(path))
    expected = np.floor(wide * 255.0 / 4095 + 0.5)
    np.testing.assert_array_equal([image.pixels for image in images], expected)


def test_bad_rows_do_not_lose_the_others(path):
    unit = STACK / 255.0
    unit[1, 0, 0] = np.nan
    unit[3] *= 255
    unit[5, 2, 2] = -4
    np.save(path, unit)
    items = list(read_images(path, name="mine"))
    codes = [item.code if isinstance(item, Failure) else None for item in items]
    assert codes == [None, "image-values", None, "image-values", None, "image-values"]
    assert [item.index for item in items] == list(range(6))
    assert items[1].name == "mine[1]"
    assert "NaN" in items[1].reason
    assert "expected values up to 1 as in the rest of the file" in items[3].reason
    assert "got -4 to" in items[5].reason
    np.testing.assert_array_equal(items[4].pixels, STACK[4])


def header(text):
    raw = text.encode()
    raw += b" " * (-(10 + len(raw) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(raw).to_bytes(2, "little") + raw


BAD = {
    "truncated": (
        npy(STACK)[:-100],
        "image-unreadable",
        "its header promises 11,520 bytes of uint8 in shape (6, 48, 40), it holds 11,420",
    ),
    "promises-a-terabyte": (
        header("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 1000, 1000), }"),
        "image-unreadable",
        "its header promises 1,000,000,000,000 bytes",
    ),
    "object": (
        npy(np.array([{}, []], dtype=object), allow_pickle=True),
        "image-values",
        "got Python objects, which are never unpickled",
    ),
    "records": (npy(np.zeros(4, [("a", "u1")])), "image-values", "expected numbers as pixels"),
    "text": (npy(np.array(["a"])), "image-values", "expected numbers as pixels"),
    "complex": (npy(np.zeros((4, 4), complex)), "image-values", "got complex128"),
    "header": (b"\x93NUMPY\x01\x00\x20\x00{'descr'", "image-unreadable", "its header is damaged"),
    "no-header": (b"\x93NUMPY", "image-unreadable", "its header is damaged"),
    "version": (b"\x93NUMPY\x09\x00" + bytes(100), "image-unreadable", "its header is damaged"),
    "expression": (
        header("{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (2,)}"),
        "image-unreadable",
        "its header is damaged",
    ),
    "negative": (
        header("{'descr': '|u1', 'fortran_order': False, 'shape': (-4, 4), }"),
        "image-unreadable",
        "its header is damaged",
    ),
    "no-rows": (npy(np.zeros((0, 64, 64), np.uint8)), "image-dimensions", "got an empty stack"),
    "no-pixels": (npy(np.zeros((3, 0, 64), np.uint8)), "image-dimensions", "at least one pixel"),
    "vector": (npy(np.zeros(64, np.uint8)), "image-unsupported", "got (64,)"),
    "scalar": (npy(np.array(7, np.uint8)), "image-unsupported", "got ()"),
    "channels": (npy(np.zeros((2, 64, 64, 2), np.uint8)), "image-unsupported", "(2, 64, 64, 2)"),
    "large": (
        npy(np.zeros((2, 200, 200), np.uint8)),
        "image-dimensions",
        "its header promises 200 x 200 pixels, over the limit of 10,000",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_stacks(path, name):
    data, code, message = BAD[name]
    path.write_bytes(data)
    for source in (path, data):
        (failure,) = read_images(source, settings=Settings(max_pixels=10_000))
        assert isinstance(failure, Failure)
        assert failure.code == code
        assert message in failure.reason
        assert failure.advice


def test_a_file_on_disk_is_mapped_not_read(path):
    np.save(path, STACK)
    with path.open("rb") as stream:
        assert isinstance(open_npy(stream, path), np.memmap)


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16, np.int32, np.float32, np.bool_]),
        st.tuples(st.integers(1, 3), st.integers(5, 9), st.integers(5, 9)),
        elements=st.integers(0, 1),
    ),
    st.booleans(),
)
def test_saving_and_reading_is_reading(array, fortran):
    array = np.asfortranarray(array) if fortran else array
    saved, direct = list(read_images(npy(array))), list(read_images(array))
    assert [s.pixels.tolist() for s in saved] == [d.pixels.tolist() for d in direct]

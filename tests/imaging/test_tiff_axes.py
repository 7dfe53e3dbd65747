"""Which pages of a TIFF show one field, by what it says."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from androscope.imaging.read import read_images
from androscope.imaging.tiff_axes import ome_places

RNG = np.random.default_rng(0)


def places(path):
    return [
        None if p.place is None else (p.place.z, p.place.c, p.place.t) for p in read_images(path)
    ]


@pytest.mark.parametrize(
    ("axes", "shape", "expected"),
    [
        ("ZYX", (3,), [(0, 0, 0), (1, 0, 0), (2, 0, 0)]),
        ("TYX", (2,), [(0, 0, 0), (0, 0, 1)]),
        ("CYX", (2,), [(0, 0, 0), (0, 1, 0)]),
        ("ZCYX", (2, 2), [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0)]),
        ("TZYX", (2, 2), [(0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 0, 1)]),
    ],
)
@pytest.mark.parametrize("kind", ["ome", "imagej", "shaped"])
def test_axes_are_read(tmp_path, axes, shape, expected, kind):
    path = tmp_path / ("a.ome.tif" if kind == "ome" else "a.tif")
    stack = RNG.integers(0, 255, (*shape, 40, 48), dtype=np.uint8)
    options = {"imagej": True} if kind == "imagej" else {}
    tifffile.imwrite(path, stack, metadata={"axes": axes}, photometric="minisblack", **options)
    assert places(path) == expected


def test_red_green_and_blue_are_no_channels(tmp_path):
    path = tmp_path / "a.ome.tif"
    stack = RNG.integers(0, 255, (2, 40, 48, 3), dtype=np.uint8)
    tifffile.imwrite(path, stack, metadata={"axes": "ZYXS"}, photometric="rgb")
    assert places(path) == [(0, 0, 0), (1, 0, 0)]


@pytest.mark.parametrize("count", [1, 4], ids=["one picture", "pages of nothing said"])
def test_pages_of_a_plain_tiff_have_no_place(tmp_path, count):
    stack = RNG.integers(0, 255, (count, 40, 48), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack")
    assert places(tmp_path / "a.tif") == [None] * count


def test_slices_of_what_is_no_hyperstack_are_doubtful(tmp_path):
    path = tmp_path / "a.tif"
    stack = RNG.integers(0, 255, (2, 40, 48), dtype=np.uint8)
    words = "ImageJ=1.53t\nimages=2\nslices=2\nloop=false\n"
    with tifffile.TiffWriter(path) as out:
        for page in stack:
            out.write(page, description=words, metadata=None)
            words = ""
    first, second = read_images(path)
    assert first.place.sizes == second.place.sizes == (2, 1, 1)
    assert not first.place.sure


def test_each_image_of_an_ome_tiff_is_a_field_of_its_own(tmp_path):
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as out:
        for _ in range(2):
            stack = RNG.integers(0, 255, (2, 40, 48), dtype=np.uint8)
            out.write(stack, metadata={"axes": "ZYX"}, photometric="minisblack")
    found = [(p.place.stack, p.place.z) for p in read_images(path)]
    assert found == [(0, 0), (0, 1), (1, 0), (1, 1)]


def xml(order: str, inside: str = "", **sizes: int) -> str:
    said = " ".join(f'Size{axis}="{n}"' for axis, n in sizes.items())
    return f'<OME><Image><Pixels DimensionOrder="{order}" {said}>{inside}</Pixels></Image></OME>'


@pytest.mark.parametrize(
    ("order", "expected"),
    [("XYZCT", [(0, 0), (1, 0), (0, 1), (1, 1)]), ("XYCZT", [(0, 0), (0, 1), (1, 0), (1, 1)])],
)
def test_pages_lie_in_the_order_of_dimensions(order, expected):
    found, note = ome_places(xml(order, Z=2, C=2, T=1), 4)
    assert [(p.z, p.c) for p in found] == expected
    assert note is None


def test_pages_lie_where_tiff_data_say():
    data = '<TiffData FirstZ="0" IFD="1"/><TiffData FirstZ="1" IFD="0"/>'
    found, _ = ome_places(xml("XYZCT", data, Z=2), 2)
    assert [p.z for p in found] == [1, 0]


def test_planes_in_other_files_are_told():
    found, note = ome_places(xml("XYZCT", Z=5), 1)
    assert found == (None,)
    assert note == (
        "its OME metadata speak of 5 planes, the file holds 1: other files or pages may show the "
        "same field"
    )


@pytest.mark.parametrize(
    "text",
    ["no xml", xml("XYZCT", Z=999_999_999, C=999_999_999), xml("nonsense", Z=0, C=-3)],
    ids=["no xml", "absurd sizes", "no sizes"],
)
def test_metadata_that_cannot_be_meant_say_nothing(text):
    assert ome_places(text, 3) == ((None,) * 3, None)

"""Copies of one picture are told whatever their format, and different fields are not copies."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from androscope.imaging.likeness import Look, copies, likeness, look_of
from androscope.imaging.phantom_field import render_field
from androscope.imaging.phantom_set import phantom_set

FIELDS = [
    render_field(560, 420, n, seed, pixel_size_um=0.16).pixels for seed, n in enumerate((3, 5, 8))
]


def jpeg(pixels, quality):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda p: jpeg(p, 95), id="jpeg 95"),
        pytest.param(lambda p: jpeg(p, 75), id="jpeg 75"),
        pytest.param(lambda p: p // 4, id="darker"),
        pytest.param(lambda p: np.roll(p, 1, axis=1), id="moved by a pixel"),
    ],
)
@pytest.mark.parametrize("field", FIELDS, ids=["3 sperm", "5 sperm", "8 sperm"])
def test_a_changed_copy_looks_the_same(field, changed):
    assert likeness(look_of(field), look_of(np.ascontiguousarray(changed(field)))) > 0.95


def test_different_fields_do_not_look_alike():
    one, two, three = (look_of(field) for field in FIELDS)
    assert max(abs(likeness(a, b)) for a, b in ((one, two), (one, three), (two, three))) < 0.3


def test_a_blank_picture_is_like_nothing():
    assert look_of(np.full((100, 100), 7, np.uint8)) is None
    assert likeness(None, look_of(FIELDS[0])) == 0


def test_the_files_of_copies_are_grouped():
    looks = [Look(f"{n}.png", look_of(field), True) for n, field in enumerate(FIELDS)]
    looks += [Look("copy.jpg", look_of(jpeg(FIELDS[1], 80)), True), Look("blank.png", None, True)]
    assert copies(looks) == (("1.png", "copy.jpg"),)


def test_pages_of_one_file_are_not_held_against_one_another():
    look = look_of(FIELDS[0])
    assert copies([Look("a.tif", look, True), Look("a.tif", look, True)]) == ()


def test_crops_of_different_sperm_are_no_copies():
    crops = [phantom.pixels for phantom in phantom_set(40, 0)]
    looks = [Look(f"{n}.png", look_of(crop), False) for n, crop in enumerate(crops)]
    assert copies(looks) == ()
    assert copies([*looks, Look("copy.png", look_of(crops[7]), False)]) == (("7.png", "copy.png"),)

"""Pages that show one field count once."""

# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from androscope.imaging.one_field import one_per_field
from androscope.imaging.phantom_field import render_field
from androscope.types import Failure, GreyImage, StackPlace

SHARP, OTHER = (render_field(560, 420, 5, seed, pixel_size_um=0.16).pixels for seed in (3, 4))
EMPTY = np.full_like(SHARP, 3)


def blurred(sigma):
    return np.clip(gaussian_filter(SHARP.astype(float), sigma), 0, 255).astype(np.uint8)


def stack(pages, axis, *, sure=True, number=0, source="s.tif"):
    """Pages of a stack along one axis."""
    sizes = tuple(len(pages) if axis == name else 1 for name in "zct")
    return [
        GreyImage(
            page, source, index,
            place=StackPlace(number, **{"z": 0, "c": 0, "t": 0, axis: index}, sizes=sizes, sure=sure),
        )
        for index, page in enumerate(pages)
    ]  # fmt: skip


def gathered(pictures, *, fields=True):
    return list(one_per_field(pictures, lambda _: fields))


def test_of_focal_planes_the_sharpest_is_taken():
    (found,) = gathered(stack([blurred(4), blurred(2), SHARP, blurred(3)], "z"))
    assert found.index == 2
    assert found.notes == ("one field in 4 focal planes: the sharpest, number 3, was taken",)


def test_each_stack_of_a_file_gives_one():
    pictures = [*stack([SHARP] * 2, "z"), *stack([OTHER] * 3, "z", number=1)]
    assert [len(found.notes) for found in gathered(pictures)] == [1, 1]


@pytest.mark.parametrize(
    ("count", "missing", "taken"),
    [
        pytest.param(3, (), 1, id="the middle of three"),
        pytest.param(4, (), 2, id="behind the middle of four"),
        pytest.param(4, (2,), 3, id="the middle cannot be read"),
        pytest.param(2, (1,), 0, id="nothing behind it can be read"),
    ],
)
def test_of_times_the_middle_one_is_taken(count: int, missing: tuple[int, ...], taken: int) -> None:
    pages = [
        Failure("s.tif", page.index, "image-unreadable", "is torn") if n in missing else page
        for n, page in enumerate(stack([SHARP] * count, "t"))
    ]
    *failures, found = gathered(pages)
    assert [failure.index for failure in failures] == list(missing)
    assert found.index == taken
    assert found.notes == (
        f"one field at {count} times: number {taken + 1} was taken, as a still; to have sperm "
        "followed, give a video",
    )


def test_of_planes_and_times_the_first_time_is_taken():
    pages = [
        GreyImage(page, "s.tif", index, place=StackPlace(0, index % 2, 0, index // 2, (2, 1, 2)))
        for index, page in enumerate([blurred(3), SHARP, SHARP, SHARP])
    ]
    (found,) = gathered(pages)
    assert found.index == 1
    assert found.notes[1:] == (
        "one field at 2 times: the first was taken, the others were not looked at",
    )


def test_channels_that_differ_are_refused():
    (failure,) = gathered(stack([SHARP, OTHER], "c"))
    assert isinstance(failure, Failure)
    assert (failure.code, failure.index) == ("image-unsupported", None)
    assert failure.reason == "expected one channel, got 2 that differ (by the file's metadata)"
    assert failure.advice.startswith("Save the bright-field or phase-contrast channel alone")


@pytest.mark.parametrize(
    ("pages", "index", "note"),
    [
        pytest.param([SHARP, SHARP], 0, "2 channels: number 1 was taken, the others are identical to it or empty", id="identical"),
        pytest.param([EMPTY, SHARP], 1, "2 channels: number 2 was taken, the others are empty", id="one empty"),
        pytest.param([EMPTY, EMPTY], 0, "2 channels: number 1 was taken, the others are empty", id="all empty"),
    ],
)  # fmt: skip
def test_one_channel_is_taken_where_the_others_show_nothing_else(pages, index, note):
    (found,) = gathered(stack(pages, "c"))
    assert (found.index, found.notes) == (index, (note,))


@pytest.mark.parametrize(
    ("pages", "count"),
    [([SHARP, blurred(3), blurred(6)], 1), ([SHARP, OTHER, SHARP], 3)],
    ids=["one place", "different places"],
)
def test_what_imagej_calls_slices_is_told_by_what_it_shows(pages, count):
    assert len(gathered(stack(pages, "z", sure=False))) == count


def test_crops_are_left_as_they_are():
    pages = stack([SHARP, OTHER, SHARP], "z")
    assert gathered(pages, fields=False) == pages


def test_pages_of_nothing_said_that_look_alike_are_marked():
    pages = [replace(page, place=None) for page in stack([SHARP, OTHER, OTHER], "z")]
    notes = [found.notes for found in gathered(pages)]
    assert notes[:2] == [(), ()]
    assert notes[2] == (
        "looks like the page before it (correlation 1.00): pages may show the same field, whose "
        "sperm then count more than once",
    )


def test_a_damaged_page_does_not_part_a_stack():
    pages = stack([blurred(3), SHARP, SHARP], "z")
    damaged = Failure("s.tif", 1, "image-unreadable", "damaged", "")
    found, failure = gathered([pages[0], damaged, pages[2]])
    assert (found.index, failure) == (2, damaged)
    assert gathered([damaged]) == [damaged]

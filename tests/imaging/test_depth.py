"""One guess of the bit depth for all files of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from androscope.errors import ImageValuesError
from androscope.imaging.depth import guessed_depth
from androscope.imaging.inputs import read_inputs, sources_of
from androscope.imaging.read import from_array, read_image, read_images
from androscope.imaging.values import guessed_bits
from androscope.settings import Settings
from androscope.types import Failure, GreyImage

BASE = np.random.default_rng(0).integers(0, 1000, (48, 48), dtype=np.uint16)
SETTINGS = Settings()


def wide(path: Path, largest: int, **options: object) -> Path:
    samples = BASE.copy()
    samples[0, 0] = largest
    if path.suffix == ".npy":
        np.save(path, samples)
    elif path.suffix == ".png":
        Image.fromarray(samples).save(path)
    else:
        tifffile.imwrite(path, samples, **options)
    return path


@pytest.mark.parametrize(
    ("largest", "depth"),
    [((1020,), 8), ((1020, 1010), 10), ((1020, 1030), 12), ((1020, 1030, 20000), 16)],
    ids=["one makes its own", "alike", "either side of 1024", "three"],
)
@pytest.mark.parametrize("suffix", [".tif", ".png", ".npy"])
def test_the_largest_guess_of_all_is_taken(tmp_path, largest, depth, suffix):
    files = [wide(tmp_path / f"{n}{suffix}", value) for n, value in enumerate(largest)]
    assert guessed_depth(files, SETTINGS) == depth


def test_what_states_its_depth_has_8_bits_or_cannot_be_read_is_passed_over(tmp_path):
    stated = wide(tmp_path / "s.tif", 4000, extratags=[(281, 3, 1, 4095, True)])
    Image.fromarray(BASE.astype(np.uint8)).save(tmp_path / "8.png")
    (tmp_path / "bad.tif").write_bytes(b"II*\x00 no more")
    files = [stated, tmp_path / "8.png", tmp_path / "bad.tif", tmp_path / "none.tif", tmp_path]
    assert guessed_depth(files, SETTINGS) == 8
    assert guessed_depth([*files, wide(tmp_path / "g.tif", 999)], SETTINGS) == 10


def test_nothing_is_read_where_the_depth_is_given(tmp_path):
    files = [wide(tmp_path / f"{n}.tif", value) for n, value in enumerate((999, 9999))]
    assert guessed_depth(files, SETTINGS.with_bit_depth(14)) == 8


def test_files_of_one_run_come_at_one_contrast(tmp_path):
    for number, largest in enumerate((1020, 1030)):
        wide(tmp_path / f"{number}.tif", largest)
    below, above = read_inputs(sources_of(tmp_path))
    assert isinstance(below, GreyImage)
    assert isinstance(above, GreyImage)
    np.testing.assert_array_equal(below.pixels[1:], above.pixels[1:])
    assert below.notes == (
        "bit depth guessed: 12, which other files of this run need; 10 hold its own largest value, "
        "1020",
    )
    assert above.notes == (
        "bit depth guessed: 12, the fewest bits that hold the largest value, 1030",
    )
    assert [guessed_bits(image.notes) for image in (below, above)] == [12, 12]


def test_a_depth_that_is_given_is_taken_instead_of_a_guess(tmp_path):
    path = wide(tmp_path / "a.tif", 1020)
    given = read_image(path, settings=SETTINGS.with_bit_depth(12))
    assert given.notes == ("12 bits (as given) scaled to 8",)
    np.testing.assert_array_equal(
        given.pixels, np.floor(tifffile.imread(path) * 255.0 / 4095 + 0.5)
    )
    assert guessed_bits(given.notes) is None


def test_the_files_own_statement_wins_over_what_is_given(tmp_path):
    path = wide(tmp_path / "a.tif", 1020, extratags=[(281, 3, 1, 4095, True)])
    image = read_image(path, settings=SETTINGS.with_bit_depth(14))
    assert image.notes == ("12 bits (stated by the file) scaled to 8",)


def test_values_beyond_the_given_depth_are_refused(tmp_path):
    path = wide(tmp_path / "a.tif", 1030)
    (failure,) = read_images(path, settings=SETTINGS.with_bit_depth(10))
    assert isinstance(failure, Failure)
    assert failure.reason == "expected values up to 1023, as a bit depth of 10 was given, got 1030"
    with pytest.raises(ImageValuesError, match="Give the camera's bit depth, or none"):
        read_image(path, settings=SETTINGS.with_bit_depth(10))


@pytest.mark.parametrize("bits", [7, 17])
def test_a_depth_that_no_camera_has_is_refused(bits):
    with pytest.raises(ValueError, match=f"bit_depth must be between 8 and 16, got {bits}"):
        SETTINGS.with_bit_depth(bits)


@pytest.mark.parametrize(
    ("low", "high", "levels"),
    [(30000, 34000, 16), (300, 420, 31)],
    ids=["a pedestal", "few of 10 bits"],
)
def test_few_grey_levels_are_told(low, high, levels):
    samples = np.linspace(low, high, 4096).round().astype(np.uint16).reshape(64, 64)
    assert from_array(samples).notes[1:] == (
        f"few grey levels: {levels} of 256 after scaling to 8 bits; contrast was lost",
    )


@pytest.mark.parametrize(
    "samples",
    [np.tile(np.arange(64, dtype=np.uint16) * 60, (64, 1)), np.full((64, 64), 500, np.uint16)],
    ids=["enough", "blank"],
)
def test_enough_levels_and_blank_pictures_have_no_such_note(samples):
    assert not any(note.startswith("few") for note in from_array(samples).notes)

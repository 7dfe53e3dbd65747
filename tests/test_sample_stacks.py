"""Samples whose files show one field several times, or are of more than 8 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from androscope.fields import FieldOptions, finder, grade_fields, results_of
from androscope.imaging.phantom_field import render_field
from androscope.predict import Grader
from androscope.report.sample.build import build_report
from androscope.samples import grade_sample

TINY = Path(__file__).resolve().parent / "data" / "tiny-bundle"
FIND = finder("classical")
OPTIONS = FieldOptions(0.16, find=FIND)
FIELD, OTHER = (render_field(560, 420, 5, seed, pixel_size_um=0.16).pixels for seed in (3, 4))


@pytest.fixture(scope="module")
def grader() -> Grader:
    return Grader(TINY, threads=1)


def report_on(folder: Path, grader: Grader, options: FieldOptions = OPTIONS):
    return build_report(grade_sample(folder, grader, options))


def ome(path: Path, pages: list[np.ndarray], axes: str) -> None:
    path.parent.mkdir(exist_ok=True)
    tifffile.imwrite(path, np.stack(pages), metadata={"axes": axes}, photometric="minisblack")


@pytest.mark.parametrize("axes", ["ZYX", "TYX", "CYX"])
def test_pages_of_one_field_count_its_sperm_once(tmp_path, grader, axes):
    Image.fromarray(FIELD).save(tmp_path / "once.png")
    once = report_on(tmp_path, grader).counts
    (tmp_path / "once.png").unlink()
    ome(tmp_path / "many.ome.tif", [FIELD] * 3, axes)
    many = report_on(tmp_path, grader).counts
    assert (many.found, many.assessed, many.fields) == (once.found, once.assessed, 1)


def test_which_plane_was_taken_stands_in_the_files_notes(tmp_path, grader):
    ome(tmp_path / "z.ome.tif", [FIELD // 4 + 90, FIELD], "ZYX")
    (row,) = report_on(tmp_path, grader).files
    assert row.notes == ["one field in 2 focal planes: the sharpest, number 2, was taken"]
    (graded,) = grade_fields(tmp_path, grader, OPTIONS)
    assert (graded.field.index, graded.field.notes) == (1, tuple(row.notes))


def test_channels_that_differ_are_a_failure(tmp_path, grader):
    ome(tmp_path / "c.ome.tif", [FIELD, OTHER], "CYX")
    report = report_on(tmp_path, grader)
    assert report.counts.found == 0
    (failure,) = report.failures
    assert failure.reason == "expected one channel, got 2 that differ (by the file's metadata)"


def test_pages_that_look_alike_are_told(tmp_path, grader):
    tifffile.imwrite(tmp_path / "p.tif", np.stack([FIELD, FIELD]), photometric="minisblack")
    expected = (
        "Pages of p.tif look alike: if they show the same field, its sperm count more than once."
    )
    assert expected in report_on(tmp_path, grader).warnings
    found = list(grade_fields(tmp_path, grader, OPTIONS))
    extra = results_of(found, grader, OPTIONS).extra
    assert extra["pages_alike"] == "1 of 2 fields looks like the page before it"


def test_copies_in_other_formats_are_told(tmp_path, grader):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    Image.fromarray(FIELD).save(tmp_path / "a" / "1.png")
    Image.fromarray(OTHER).save(tmp_path / "a" / "2.png")
    Image.fromarray(FIELD).save(tmp_path / "b" / "3.jpg", quality=80)
    expected = (
        "a/1.png, b/3.jpg look the same (in other formats, or frames of one field): their sperm "
        "count more than once, and the replicates are not independent."
    )
    assert expected in report_on(tmp_path, grader).warnings


def test_copies_of_the_very_bytes_are_told_once(tmp_path, grader):
    for name in ("1.png", "2.png"):
        Image.fromarray(FIELD).save(tmp_path / name)
    told = [w for w in report_on(tmp_path, grader).warnings if "more than once" in w]
    assert told == ["The same image counts more than once: 1.png, 2.png are one file's copies."]


def wide(path: Path, pixels: np.ndarray, largest: int) -> None:
    scaled = np.round(pixels * (largest / pixels.max())).astype(np.uint16)
    tifffile.imwrite(path, scaled)


def test_fields_on_either_side_of_1024_are_graded_at_one_contrast(tmp_path, grader):
    wide(tmp_path / "1.tif", FIELD, 1020)
    wide(tmp_path / "2.tif", OTHER, 1030)
    report = report_on(tmp_path, grader)
    assert (
        "The bit depth of 2 of 2 files was guessed (12 bits). Contrast, and so every verdict, "
        "depends on it: give the camera's with --bit-depth to be sure."
    ) in report.warnings
    given = report_on(tmp_path, grader, FieldOptions(0.16, find=FIND, bit_depth=12))
    assert given.settings["bit depth given"] == "12 bits"
    assert not any("was guessed" in warning for warning in given.warnings)
    assert [find.parts for find in given.finds] == [find.parts for find in report.finds]


def test_fields_that_lost_their_contrast_are_told(tmp_path, grader):
    tifffile.imwrite(tmp_path / "f.tif", (30000 + FIELD.astype(np.uint16) * 16))
    expected = (
        "Little contrast is left in f.tif: fewer than 40 of 256 grey levels are used. Sperm may be "
        "missed or graded wrongly; give the bit depth, and take away a camera's offset before."
    )
    assert expected in report_on(tmp_path, grader).warnings


def test_a_guess_is_told_with_the_results_of_crops_and_fields(tmp_path, grader):
    wide(tmp_path / "f.tif", FIELD, 1020)
    crop = FIELD[:64, :64].astype(np.uint16) * 4
    said = "the bit depth of some images was guessed (10), and verdicts depend on it: give the "
    said += "camera's with --bit-depth"
    assert grader.assess([crop]).extra["bit_depth_warning"] == said
    assert "bit_depth_warning" not in grader.assess([crop], bit_depth=10).extra
    found = list(grade_fields(tmp_path, grader, OPTIONS))
    assert results_of(found, grader, OPTIONS).extra["bit_depth_warning"] == said


@pytest.mark.parametrize("bits", [0, 20])
def test_options_refuse_a_depth_that_no_camera_has(bits):
    with pytest.raises(ValueError, match=f"bit_depth must be between 8 and 16, got {bits}"):
        FieldOptions(bit_depth=bits)

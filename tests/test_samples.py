"""Samples graded: crops and fields by replicate, whatever is wrong with some of them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from androscope.errors import EmptyInputError
from androscope.fields import FieldOptions, finder
from androscope.imaging.phantom_field import render_field
from androscope.imaging.phantom_set import phantom_set
from androscope.imaging.video import Sampling
from androscope.model.locator_bundle import load_locator
from androscope.predict import Grader
from androscope.report.sample.build import build_report
from androscope.samples import grade_sample

TINY = Path(__file__).resolve().parent / "data" / "tiny-bundle"
UM = 0.16
OPTIONS = FieldOptions(find=finder("classical"))


@pytest.fixture(scope="module")
def grader() -> Grader:
    return Grader(TINY, threads=1)


@pytest.fixture(scope="module")
def field() -> np.ndarray:
    return render_field(560, 420, 5, 3, pixel_size_um=UM, round_cells=1).pixels


def write_field(path: Path, pixels: np.ndarray, um: float | None = UM) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if um is None:
        tifffile.imwrite(path, pixels)
    else:
        resolution = (1e4 / um, 1e4 / um)
        tifffile.imwrite(path, pixels, resolution=resolution, resolutionunit="CENTIMETER")


def write_crops(folder: Path, n: int, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, phantom in enumerate(phantom_set(n, seed)):
        Image.fromarray(phantom.pixels).save(folder / f"crop-{number}.png")


def test_what_located_the_sperm_is_said_of_each_kind_of_field(
    tmp_path: Path, grader: Grader, field: np.ndarray
) -> None:
    auto = FieldOptions(find=finder(threads=1))
    bright = render_field(560, 420, 5, 3, pixel_size_um=UM, polarity="phase-negative").pixels
    write_field(tmp_path / "s" / "a" / "0.tif", bright)
    card = load_locator("locator").card
    name = f"locator {card.version}, SHA-256 {card.model_sha256[:16]}..."
    assert grade_sample(tmp_path / "s", grader, auto).settings["sperm located by"] == name
    for number in (1, 2):
        write_field(tmp_path / "s" / "a" / f"{number}.tif", field)
    both = grade_sample(tmp_path / "s", grader, auto).settings["sperm located by"]
    assert both == f"a classical filter (2 fields); {name} (1 field)"


def test_fields_and_crops_of_two_replicates(
    tmp_path: Path, grader: Grader, field: np.ndarray
) -> None:
    write_field(tmp_path / "s" / "a" / "field.tif", field)
    write_crops(tmp_path / "s" / "a", 2, 0)
    write_crops(tmp_path / "s" / "b", 3, 1)
    seen: list[tuple[int, int]] = []
    findings = grade_sample(
        tmp_path / "s", grader, OPTIONS, progress=lambda done, of: seen.append((done, of))
    )
    assert findings.sample_id == "s"
    assert findings.replicates == ("a", "b")
    assert findings.settings["sperm located by"] == "a classical filter"
    assert seen == [(i, 6) for i in range(1, 7)]
    kinds = {file.name: file.kinds for file in findings.files}
    assert kinds["a/field.tif"] == ("field",)
    assert kinds["b/crop-2.png"] == ("crop",)
    report = build_report(findings)
    assert report.counts.fields == 1
    assert report.counts.crops == 5
    in_field = [f for f in findings.finds if f.file == "a/field.tif"]
    assert sum(f.is_sperm for f in in_field) >= 4
    assert any(f.excluded and "round cell" in f.excluded for f in in_field)
    assert all((f.assessment is None) == (f.excluded is not None) for f in findings.finds)
    for file in findings.files:
        data = (tmp_path / "s" / file.name).read_bytes()
        assert file.sha256 == hashlib.sha256(data).hexdigest()
    (overlay,) = findings.overlays
    assert overlay.name == "a/field.tif"
    assert overlay.jpeg.startswith(b"\xff\xd8\xff")


def test_crops_are_graded_as_assess_grades_them(tmp_path: Path, grader: Grader) -> None:
    write_crops(tmp_path, 5, 2)
    findings = grade_sample(tmp_path, grader)
    expected = grader.assess(tmp_path).assessments
    assert [a.parts for _, a in findings.assessed] == [a.parts for a in expected]
    assert [f.name for f in findings.finds] == [Path(a.source).name for a in expected]


def test_a_stack_of_crops(tmp_path: Path, grader: Grader) -> None:
    np.save(tmp_path / "s.npy", np.stack([p.pixels for p in phantom_set(3, 0)]))
    findings = grade_sample(tmp_path, grader)
    assert [f.name for f in findings.finds] == ["s.npy[0]", "s.npy[1]", "s.npy[2]"]
    assert findings.files[0].pictures == 3


def test_one_bad_image_is_listed_and_stops_nothing(
    tmp_path: Path, grader: Grader, field: np.ndarray
) -> None:
    write_crops(tmp_path / "a", 2, 0)
    write_field(tmp_path / "a" / "whole.tif", field)
    data = (tmp_path / "a" / "whole.tif").read_bytes()
    (tmp_path / "a" / "whole.tif").write_bytes(data[: len(data) // 3])
    (tmp_path / "a" / "empty.png").write_bytes(b"")
    cut = (tmp_path / "a" / "crop-0.png").read_bytes()[:300]
    (tmp_path / "a" / "cut.png").write_bytes(cut)
    findings = grade_sample(tmp_path, grader, OPTIONS)
    assert {f.name: f.reason for f in findings.failures} == {
        # Without the decoder's own words, which may quote what stands in the file.
        "a/cut.png": "truncated or damaged",
        "a/empty.png": "the file is empty (0 bytes)",
        "a/whole.tif": "its data should reach byte 235,456, the file ends at 78,485",
    }
    assert len(list(findings.assessed)) == 2
    # Read or not, its bytes were there, and their hash is.
    assert all(file.sha256 for file in findings.files)
    assert build_report(findings).counts.unreadable == 3


@pytest.mark.parametrize("value", [0, 130, 255], ids=["black", "grey", "white"])
def test_blank_frames_have_no_sperm(tmp_path: Path, grader: Grader, value: int) -> None:
    Image.fromarray(np.full((480, 640), value, np.uint8)).save(tmp_path / "field.png")
    Image.fromarray(np.full((64, 64), value, np.uint8)).save(tmp_path / "crop.png")
    findings = grade_sample(tmp_path, grader, OPTIONS)
    assert list(findings.assessed) == []
    report = build_report(findings)
    assert report.counts.found == 0
    assert report.warnings[0] == "This sample has no result: no sperm was found in it."
    assert "Frames that are blank: field.png." in report.warnings
    (excluded,) = report.counts.excluded
    assert excluded.reason == f"blank: every pixel is {value}"


def test_a_saturated_frame_is_told(tmp_path: Path, grader: Grader, field: np.ndarray) -> None:
    glaring = field.copy()
    glaring[:, :200] = 255
    write_field(tmp_path / "f.tif", glaring)
    warnings = build_report(grade_sample(tmp_path, grader, OPTIONS)).warnings
    assert "Frames that are saturated: f.tif." in warnings


def test_a_field_without_sperm(tmp_path: Path, grader: Grader) -> None:
    empty = render_field(560, 420, 0, 1, pixel_size_um=UM).pixels
    write_field(tmp_path / "a" / "f.tif", empty)
    report = build_report(grade_sample(tmp_path, grader, OPTIONS))
    assert report.normal.fraction is None
    assert report.warnings[0] == "This sample has no result: no sperm was found in it."


def test_replicates_of_different_pixel_size_are_graded_and_told(
    tmp_path: Path, grader: Grader, field: np.ndarray
) -> None:
    write_field(tmp_path / "a" / "f.tif", field)
    other = render_field(560, 420, 4, 5, pixel_size_um=0.12).pixels
    write_field(tmp_path / "b" / "f.tif", other, 0.12)
    report = build_report(grade_sample(tmp_path, grader, OPTIONS))
    assert [r.pixel_sizes_um for r in report.replicates] == [[0.16], [0.12]]
    assert any(
        w.startswith("Images have different pixel sizes (a 0.16 um; b 0.12 um).")
        for w in report.warnings
    )
    assert all(r.assessed for r in report.replicates)


def test_optics_too_coarse_are_counted_and_refused(tmp_path: Path, grader: Grader) -> None:
    coarse = render_field(560, 420, 12, 2, pixel_size_um=0.35).pixels
    write_field(tmp_path / "f.tif", coarse, 0.35)
    report = build_report(grade_sample(tmp_path, grader, OPTIONS))
    assert report.counts.found > 6
    assert report.counts.assessed == 0
    assert report.warnings[0] == "This sample has no result: none could be graded."
    assert any(w.startswith("Morphology was refused in 1 files") for w in report.warnings)


def test_an_estimated_scale_is_marked(tmp_path: Path, grader: Grader, field: np.ndarray) -> None:
    write_field(tmp_path / "f.tif", field, None)
    findings = grade_sample(tmp_path, grader, OPTIONS)
    assert findings.files[0].estimated
    assert any("was estimated from the heads found" in w for w in build_report(findings).warnings)


def test_names_hold_no_place_of_this_machine(
    tmp_path: Path, grader: Grader, field: np.ndarray
) -> None:
    write_field(tmp_path / "s" / "f.tif", field)
    (tmp_path / "s" / "x.png").write_bytes(b"no picture")
    report = build_report(grade_sample(tmp_path / "s", grader, OPTIONS, sample_id="17"))
    assert str(tmp_path) not in report.model_dump_json()


def test_nothing_to_grade(tmp_path: Path, grader: Grader) -> None:
    with pytest.raises(EmptyInputError, match="no image in this folder"):
        grade_sample(tmp_path, grader)


def test_a_name_that_is_no_text(tmp_path: Path, grader: Grader) -> None:
    write_crops(tmp_path, 1, 0)
    try:
        (tmp_path / "crop-0.png").rename(tmp_path / "caf\udce9.png")
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    report = build_report(grade_sample(tmp_path, grader))
    assert report.files[0].name == "caf\\xe9.png"


def write_video(path: Path, pixels: np.ndarray, frames: int) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed: it is the video extra")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width = pixels.shape
        stream.pix_fmt = "yuvj420p"
        for number in range(frames):
            moved = np.roll(pixels, 2 * number, axis=1)
            picture = av.VideoFrame.from_ndarray(np.repeat(moved[:, :, None], 3, 2), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def test_a_video_is_one_field_and_a_truncated_one_gives_what_it_has(
    tmp_path: Path, grader: Grader, field: np.ndarray
) -> None:
    write_video(tmp_path / "s" / "a" / "v.avi", field, 8)
    still = grade_sample(tmp_path / "s", grader, FieldOptions(UM, find=OPTIONS.find))
    assert still.failures == ()
    assert still.files[0].kinds == ("video",)
    sperm = sum(f.is_sperm for f in still.finds)
    assert sperm in (4, 5, 6)
    assert [overlay.name for overlay in still.overlays] == ["a/v.avi[4]"]
    assert any("are counted, once each" in note for note in still.files[0].notes)
    for number, (find, row) in enumerate(
        zip(still.finds, build_report(still).finds, strict=True), start=1
    ):
        assert find.frame in range(8)
        assert find.name == f"a/v.avi[{find.frame}]#{number}"
        assert (row.frame, row.name) == (find.frame, find.name)
    path = tmp_path / "s" / "a" / "v.avi"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    cut = grade_sample(tmp_path / "s", grader, FieldOptions(UM, find=OPTIONS.find))
    (failure,) = cut.failures
    assert failure.source == "a/v.avi"
    assert re.fullmatch(
        r"truncated or damaged after \d+ frames.*; those before were used", failure.reason
    )
    assert "(" not in failure.reason
    assert sum(f.is_sperm for f in cut.finds) in (4, 5, 6)
    report = build_report(cut)
    assert report.counts.fields == 1
    assert report.counts.unreadable == 1
    assert str(tmp_path) not in report.model_dump_json()


def test_fields_of_view_of_one_video(tmp_path: Path, grader: Grader, field: np.ndarray) -> None:
    write_video(tmp_path / "v.avi", field, 30)
    options = FieldOptions(UM, find=OPTIONS.find, sampling=Sampling(25, 0.2, every=1))
    findings = grade_sample(tmp_path, grader, options)
    assert findings.fields == 2
    assert findings.files[0].pictures == 2
    assert findings.settings["a field of view of videos every"] == "1 s"
    assert [overlay.name for overlay in findings.overlays] == ["v.avi[2]", "v.avi[27]"]
    names = [find.name for find in findings.finds]
    assert len(set(names)) == len(names)
    assert {find.frame for find in findings.finds} <= {*range(5), *range(25, 30)}


def test_among_crops_a_video_is_refused(tmp_path: Path, grader: Grader, field: np.ndarray) -> None:
    write_video(tmp_path / "v.avi", field, 1)
    findings = grade_sample(tmp_path, grader, OPTIONS, taken_as="crops")
    assert [f.code for f in findings.failures] == ["image-unreadable"]


def test_a_stained_colour_field(tmp_path: Path, grader: Grader, field: np.ndarray) -> None:
    tint = np.stack([field, field // 4 * 3, field], axis=2)
    Image.fromarray(tint).save(tmp_path / "f.png")
    findings = grade_sample(tmp_path, grader, FieldOptions(UM, find=OPTIONS.find))
    assert sum(f.is_sperm for f in findings.finds) >= 4
    assert findings.failures == ()


def test_absurd_metadata_is_not_believed(tmp_path: Path, grader: Grader, field: np.ndarray) -> None:
    write_field(tmp_path / "f.tif", field, 1e7)
    findings = grade_sample(tmp_path, grader, OPTIONS)
    assert findings.files[0].pixel_sizes_um == ()
    assert findings.files[0].estimated
    assert findings.failures == ()


def warned(folder: Path, grader: Grader, options: FieldOptions) -> list[str]:
    return build_report(grade_sample(folder, grader, options)).warnings


def test_a_wrong_pixel_size_is_the_first_thing_to_be_known(tmp_path: Path, grader: Grader) -> None:
    # Five single heads at least are needed to contradict what was said.
    many = render_field(700, 560, 12, 3, pixel_size_um=UM).pixels
    write_field(tmp_path / "a" / "f.tif", many, None)
    first = warned(tmp_path, grader, FieldOptions(0.08, find=OPTIONS.find))[0]
    assert first.startswith("The heads found are about ")
    assert "by the pixel size a head is 55 px: check it (1 of 1 files)." in first


def test_files_win_over_the_pixel_size_given_and_stay_different(
    tmp_path: Path, grader: Grader, field: np.ndarray
) -> None:
    write_field(tmp_path / "a" / "f.tif", field)
    other = render_field(560, 420, 4, 5, pixel_size_um=0.12).pixels
    write_field(tmp_path / "b" / "f.tif", other, 0.12)
    told = warned(tmp_path, grader, FieldOptions(UM, find=OPTIONS.find))
    said = (
        "The pixel size given, 0.16 um, is not the file's own, 0.12 um, which is believed (1 of 2"
    )
    assert any(warning.startswith(said) for warning in told)
    assert any(w.startswith("Images have different pixel sizes (a 0.16 um; b") for w in told)


def test_fields_of_a_replicate_have_one_scale(
    tmp_path: Path, grader: Grader, field: np.ndarray
) -> None:
    write_field(tmp_path / "f1.tif", field, None)
    write_field(tmp_path / "f2.tif", np.ascontiguousarray(field[:, ::-1]), None)
    write_field(tmp_path / "f3.tif", render_field(560, 420, 4, 9, pixel_size_um=UM).pixels, None)
    findings = grade_sample(tmp_path, grader, OPTIONS)
    assert len({file.head_lengths for file in findings.files}) == 1
    assert all(file.estimated for file in findings.files)

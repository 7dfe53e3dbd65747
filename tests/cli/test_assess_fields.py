# ruff: noqa: E501  a row of a table of cases stays on one line
"""Fields of view through the whole command: every kind of file, and everything odd about one."""

from __future__ import annotations

import csv
import io
import json
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from androscope import fields as composition
from androscope.imaging.phantom_field import PhantomField, render_field
from androscope.imaging.phantom_optics import Optics
from androscope.imaging.phantom_spec import PhantomSperm

UM = 0.16


@pytest.fixture(autouse=True)
def _here(crops: Path, tiny_model: Path) -> None:
    pass


@cache
def truth(n: int = 8, width: int = 640, height: int = 480, um: float = UM) -> PhantomField:
    return render_field(
        width, height, n, 5, pixel_size_um=um, specs=[PhantomSperm()] * n, optics=Optics()
    )


def write(name: str = "field.png", n: int = 8) -> Path:
    Image.fromarray(truth(n).pixels).save(name)
    return Path(name)


def document(run: Any, *arguments: object, code: int = 0) -> dict[str, Any]:
    done = run("assess", *arguments, "--json", "r.json", "--quiet")
    assert done.code == code, done.err
    return dict(json.loads(Path("r.json").read_text(encoding="utf-8")))


def test_a_field_is_told_from_crops_by_its_size(run: Any) -> None:
    write()
    done = run("assess", "crops/img1.png", "field.png", "crops/img2.png", "--pixel-size", UM)
    assert done.code == 0
    assert "field.png: 8 sperm located, " in done.out
    assert "a head 27.5 px (from the pixel size)" in done.out
    rows = [
        line.split()[0] for line in done.out.splitlines() if line.startswith(("crops", "field"))
    ]
    graded = [row for row in rows if row.startswith("field.png#")]
    assert len(graded) >= 6
    # Rows keep the order of the input.
    assert [row for row in rows if row != "field.png:"] == [
        "crops/img1.png",
        *graded,
        "crops/img2.png",
    ]


def test_a_field_of_16_to_9_is_no_strip(run: Any) -> None:
    Image.fromarray(truth(6, 720, 405).pixels).save("wide.png")
    assert document(run, "wide.png")["extra"]["fields"] == "1"


def test_every_output_of_fields(run: Any) -> None:
    write()
    done = run(
        "assess", "field.png", "crops", "--pixel-size", UM, "--located", "out/l.csv",
        "--overlay", "out/overlays", "--csv", "out/r.csv", "--html", "out/r.html",
        "--thumbnails", "out/crops", "--json", "out/r.json",
    )  # fmt: skip
    assert done.code == 0, done.err
    found = list(csv.DictReader(io.StringIO(Path("out/l.csv").read_text(encoding="utf-8"))))
    rows = list(csv.DictReader(io.StringIO(Path("out/r.csv").read_text(encoding="utf-8"))))
    written = json.loads(Path("out/r.json").read_text(encoding="utf-8"))
    names = [row["crop"] for row in found if row["crop"]]
    assert names == [row["image"] for row in rows[:-3]]
    assert len(list(Path("out/crops").iterdir())) == len(rows)
    assert Path("out/r.html").read_text(encoding="utf-8").count("<img src=") == len(rows)
    assert [path.name for path in Path("out/overlays").iterdir()] == ["0001-field.png"]
    extra = written["extra"]
    assert (extra["fields"], extra["pixel_size_um"]) == ("1", "0.16")
    assert int(extra["sperm_located"]) == sum(row["kind"] != "no sperm" for row in found)
    assert int(extra["sperm_graded"]) == len(names)
    # The crops beside it were fitted without their pixel size, which is said.
    assert "was not used" in extra["pixel_size_warning"]


def test_where_all_are_fields_the_pixel_size_was_used(run: Any) -> None:
    write()
    done = run("assess", "field.png", "--pixel-size", UM)
    assert "was not used" not in done.err


def test_a_pixel_size_that_no_crop_was_graded_with_is_not_told_of(run: Any) -> None:
    Path("broken.png").write_bytes(b"no picture")
    done = run("assess", "broken.png", "--pixel-size", UM)
    assert done.code == 1
    assert "was not used" not in done.err


def test_a_doubtful_scale_is_noted(run: Any) -> None:
    write()
    done = run("assess", "field.png", "--pixel-size", "0.08", "--json", "r.json")
    assert "note: the heads found are about" in done.err
    extra = json.loads(Path("r.json").read_text(encoding="utf-8"))["extra"]
    assert extra["scale_warning_1"].endswith("check it (in 1 of 1 fields)")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param(["--pixel-size", UM], "(from the pixel size)", id="pixel-size"),
        pytest.param(["--head-length", "27.5"], "(from the head length)", id="head-length"),
        pytest.param([], "(*estimated*)", id="neither"),
    ],
)
@pytest.mark.parametrize("locator", [[], ["--locator", "classical"]], ids=["learned", "classical"])
def test_the_scale_is_known_or_estimated(
    run: Any, arguments: list[str], locator: list[str], text: str
) -> None:
    write()
    done = run("assess", "field.png", *arguments, *locator)
    assert done.code == 0
    assert text in done.out.splitlines()[0]


def test_fields_may_be_asked_for_or_refused(run: Any) -> None:
    Image.fromarray(truth().pixels[:300, :400]).save("small.png")
    assert "fields" not in document(run, "small.png")["extra"]
    assert document(run, "small.png", "--fields")["extra"]["fields"] == "1"
    write()
    failures = document(run, "field.png", "--crops", code=1)["failures"]
    assert "looks like a whole field of view" in failures[0]["reason"]
    assert "--fields" in failures[0]["advice"]


def test_pages_of_16_bit_ome_tiff_bring_their_pixel_size(run: Any) -> None:
    page = truth().pixels.astype(np.uint16) * 16
    said = {
        "axes": "YX", "PhysicalSizeX": UM, "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": UM, "PhysicalSizeYUnit": "µm", "SignificantBits": 12,
    }  # fmt: skip
    with tifffile.TiffWriter("stack.ome.tif", ome=True) as out:
        for position in (page, page[::-1]):
            out.write(position, metadata=said, contiguous=False)
    done = run("assess", "stack.ome.tif")
    assert done.code == 0
    for index in (0, 1):
        assert f"stack.ome.tif[{index}]: 8 sperm located" in done.out
    assert done.out.count("(from the pixel size)") == 2
    assert "stack.ome.tif[1]#1" in done.out


def test_a_broken_page_is_listed_and_the_others_are_graded(run: Any) -> None:
    tifffile.imwrite("two.tif", truth().pixels, compression="zlib")
    tifffile.imwrite("two.tif", truth().pixels, compression="zlib", append=True)
    data = bytearray(Path("two.tif").read_bytes())
    with tifffile.TiffFile("two.tif") as file:
        start = file.pages[1].dataoffsets[0]
    data[start : start + 64] = bytes(64)
    Path("two.tif").write_bytes(data)
    written = document(run, "two.tif", "--pixel-size", UM, code=1)
    assert written["extra"]["fields"] == "1"
    assert [(f["image"], f["index"]) for f in written["failures"]] == [("two.tif", 1)]


@pytest.mark.parametrize(
    ("name", "picture", "note"),
    [
        pytest.param("blank.png", np.full((480, 640), 90, np.uint8), "blank: every pixel is 90", id="blank"),
        pytest.param("white.png", np.full((480, 640), 255, np.uint8), "blank: every pixel is 255", id="white"),
    ],
)  # fmt: skip
def test_a_field_without_sperm_says_so(
    run: Any, name: str, picture: np.ndarray[Any, Any], note: str
) -> None:
    Image.fromarray(picture).save(name)
    done = run("assess", name, "--pixel-size", UM, "--html", "r.html", "--overlay", "o")
    assert done.code == 1
    assert f"{name}: 0 sperm located, 0 graded" in done.out
    assert f"note: {note}" in done.out
    assert "nothing that looks like a sperm was found" in done.out
    assert "0 assessed by tiny" in done.out
    assert Path("o/0001-" + name).is_file()
    assert "There is nothing in it: check shutter" in done.err
    assert "[nothing-found]" in done.err
    assert note in done.err


def test_a_field_without_a_graded_sperm_is_a_failure_in_every_output(run: Any) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (700, 700), dtype=np.uint8)
    Image.fromarray(noise).save("noise.png")
    written = document(run, "noise.png", "crops/img1.png", "--csv", "r.csv", code=1)
    assert written["summary"]["assessed"] == 1
    (failure,) = written["failures"]
    (field,) = written["fields"]
    assert (failure["image"], failure["code"]) == ("noise.png", "nothing-found")
    assert (field["image"], field["graded"]) == ("noise.png", 0)
    assert failure["reason"].startswith(
        f"taken as a field of view, and no sperm could be graded in it: {field['located']} located"
    )
    for excluded in field["not_graded"]:
        assert f"{excluded['count']}: {excluded['reason']}" in failure["reason"]
    for note in field["notes"]:
        assert note in failure["reason"]
    assert failure["advice"].endswith(
        "If it shows one sperm, cut a square of about 1.7 head lengths around its head: a picture "
        "over 512 px is taken for a field, and --fields takes any"
    )
    rows = list(csv.DictReader(io.StringIO(Path("r.csv").read_text(encoding="utf-8"))))
    assert [(row["image"], row["error_code"]) for row in rows] == [
        ("crops/img1.png", ""),
        ("noise.png", "nothing-found"),
    ]
    # Nor is it silent where nothing is printed.
    assert "noise.png: taken as a field of view" in run("assess", "noise.png", "--quiet").err


def test_the_json_has_every_field(run: Any) -> None:
    write("a.png")
    write("b.png", 6)
    written = document(run, "a.png", "b.png", "--head-length", "27.5")
    assert [field["image"] for field in written["fields"]] == ["a.png", "b.png"]
    assert [field["located"] for field in written["fields"]] == [8, 6]
    graded = [field["graded"] for field in written["fields"]]
    assert sum(graded) == len(written["assessments"])
    assert written["fields"][0]["scale"] == {"head_length_px": 27.5, "from": "head length"}
    assert document(run, "crops")["fields"] == []


def test_a_saturated_field_says_so(run: Any) -> None:
    pixels = truth().pixels.copy()
    pixels[:, :200] = 255
    Image.fromarray(pixels).save("glare.png")
    assert "note: saturated: 31% of the pixels are white" in run("assess", "glare.png").out


def test_five_hundred_sperm_are_all_graded_or_explained(run: Any) -> None:
    Image.fromarray(np.tile(truth(20).pixels, (5, 5))).save("many.png")
    written = document(run, "many.png", "--pixel-size", UM, "--located", "l.csv")
    extra = written["extra"]
    rows = list(csv.DictReader(io.StringIO(Path("l.csv").read_text(encoding="utf-8"))))
    assert 440 <= int(extra["sperm_located"]) <= 560
    assert len(written["assessments"]) == int(extra["sperm_graded"])
    assert all(bool(row["crop"]) != bool(row["not_graded"]) for row in rows)


def test_a_stained_colour_field_is_read_as_grey(run: Any) -> None:
    grey = truth().pixels.astype(np.float64)
    tint = np.stack([grey * 0.9, grey * 0.6, grey * 0.85], axis=2)
    Image.fromarray(np.clip(tint, 0, 255).astype(np.uint8)).save("stained.png")
    written = document(run, "stained.png", "--pixel-size", UM)
    assert int(written["extra"]["sperm_located"]) == 8


def test_coarse_optics_are_refused_with_the_reason(run: Any) -> None:
    Image.fromarray(truth(8, 640, 480, 0.3).pixels).save("coarse.png")
    done = run("assess", "coarse.png", "--pixel-size", 0.3)
    assert done.code == 1
    assert "--head-length" not in done.err  # the scale is known, and not asked for again
    assert "8 sperm located, 0 graded" in done.out
    assert "morphology refused: optics too coarse for morphology" in done.out


def absurd_tiff(**tags: object) -> bytes:
    """A TIFF of one strip whose tags promise what is not there."""
    width, height, offset, count = (
        int(tags.get(k, v))  # type: ignore[call-overload]
        for k, v in (("width", 640), ("height", 480), ("offset", 8), ("count", 640 * 480))
    )
    entries = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1),
               (273, 4, offset), (277, 3, 1), (278, 4, height), (279, 4, count)]  # fmt: skip
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return head + body + struct.pack("<I", 0)


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        pytest.param({"width": 4_000_000_000, "height": 4_000_000_000}, "image-dimensions", id="16 exabytes"),
        pytest.param({"offset": 4_000_000_000}, "image-unreadable", id="data beyond the end"),
        pytest.param({"count": 4_000_000_000}, "image-unreadable", id="data longer than the file"),
        pytest.param({"width": 0}, None, id="no width"),
    ],
)  # fmt: skip
def test_absurd_tiffs_are_failures_beside_good_fields(
    run: Any, tags: dict[str, object], code: str | None
) -> None:
    Path("absurd.tif").write_bytes(absurd_tiff(**tags))
    write()
    written = document(run, "absurd.tif", "field.png", "--pixel-size", UM, code=1)
    assert written["extra"]["fields"] == "1"
    (failure,) = written["failures"]
    assert failure["image"] == "absurd.tif"
    assert failure["code"] == code or (code is None and failure["code"].startswith("image-"))


@pytest.mark.parametrize("resolution", [(1e9, 1e9), (1e-9, 1e-9), (72.0, 72.0)], ids=str)
def test_an_incredible_pixel_size_is_not_believed(
    run: Any, resolution: tuple[float, float]
) -> None:
    tifffile.imwrite("f.tif", truth().pixels, resolution=resolution, resolutionunit="CENTIMETER")
    assert "(*estimated*)" in run("assess", "f.tif").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--head-length", "0"], "expected a length in pixels above 0", id="zero"),
        pytest.param(["--head-length", "nan"], "expected a length in pixels above 0", id="nan"),
        pytest.param(["--pixel-size", "-1"], "expected micrometres per pixel above 0", id="negative"),
        pytest.param(["--locator", "nowhere"], "no such locator", id="locator"),
        pytest.param(["--located", "crops"], "--located expects a file's name", id="a folder"),
        pytest.param(["--located", "field.png"], "would overwrite an image", id="an input"),
        pytest.param(["--overlay", "field.png"], "cannot be written", id="overlay onto a file"),
    ],
)  # fmt: skip
def test_wrong_use_does_nothing(run: Any, arguments: list[str], said: str) -> None:
    write()
    done = run("assess", "field.png", *arguments, "--csv", "r.csv")
    assert done.code == 2
    assert said in " ".join(done.err.replace("│", " ").split())
    assert not Path("r.csv").exists()


def test_pictures_are_let_go(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # A run over many fields must not keep them: each overlay is written before the next is read.
    write("a.png")
    write("b.png")
    there: list[int] = []
    plain = composition.locate_and_grade

    def watched(*arguments: Any, **named: Any) -> Any:
        there.append(len(list(Path("o").iterdir())))
        return plain(*arguments, **named)

    monkeypatch.setattr(composition, "locate_and_grade", watched)
    assert run("assess", "a.png", "b.png", "--overlay", "o", "--pixel-size", UM).code == 0
    assert there == [0, 1]


class TestVideos:
    """AVI and MP4, whole and broken."""

    @pytest.fixture(autouse=True)
    def _av(self) -> None:
        pytest.importorskip("av", reason="PyAV is not installed: it is the video extra")

    @staticmethod
    def video(name: str, frames: int = 5, rate: int = 25) -> Path:
        import av

        with av.open(name, "w") as container:
            stream = container.add_stream("mjpeg", rate=rate)
            stream.height, stream.width = truth().pixels.shape
            stream.pix_fmt = "yuvj420p"
            for number in range(frames):
                moved = np.roll(truth().pixels, 2 * number, axis=1)
                picture = av.VideoFrame.from_ndarray(
                    np.repeat(moved[:, :, None], 3, 2), format="rgb24"
                )
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        return Path(name)

    def test_a_video_in_a_folder_is_found_and_counted_once(self, run: Any) -> None:
        Path("day").mkdir()
        self.video("day/v.avi")
        write("day/w.png")
        done = run("assess", "day", "--pixel-size", UM, "--overlay", "o", "--thumbnails", "t")
        assert done.code == 0
        assert "day/v.avi[2]: 8 sperm located" in done.out
        assert "frames 0 to 4, the whole video, looked at, 25 a second; the 8 sperm" in done.out
        assert "are counted, once each" in done.out
        assert sorted(path.name for path in Path("o").iterdir()) == [
            "0001-v-2.png",
            "0002-w.png",
        ]

    def test_each_crop_has_the_frame_that_it_is_from(self, run: Any) -> None:
        self.video("v.avi")
        done = run(
            "assess", "v.avi", "--pixel-size", UM, "--located", "l.csv", "--csv", "r.csv"
        )  # fmt: skip
        assert done.code == 0, done.err
        found = list(csv.DictReader(io.StringIO(Path("l.csv").read_text(encoding="utf-8"))))
        rows = list(csv.DictReader(io.StringIO(Path("r.csv").read_text(encoding="utf-8"))))
        assert len(found) >= 8
        assert {row["index"] for row in found} <= {"0", "1", "2", "3", "4"}
        named = [f"v.avi[{row['index']}]#{row['number']}" for row in found if row["crop"]]
        assert named == [row["image"] for row in rows] == [r["crop"] for r in found if r["crop"]]

    def test_too_few_frames_a_second_are_a_still(self, run: Any) -> None:
        self.video("v.avi", 5, rate=5)
        done = run("assess", "v.avi", "--pixel-size", UM)
        assert done.code == 0
        assert "v.avi[2]: 8 sperm located" in done.out
        assert "5 frames a second are too few to follow sperm (15 are needed)" in done.out

    def test_another_field_of_view_every_second(self, run: Any) -> None:
        self.video("v.avi", 30)
        done = run("assess", "v.avi", "--pixel-size", UM, "--video-every", "1", "--overlay", "o")
        assert done.code == 0
        assert [path.name for path in sorted(Path("o").iterdir())] == [
            "0001-v-12.png",
            "0002-v-27.png",
        ]
        assert "frames 25 to 29 of 30 looked at" in done.out

    def test_a_second_field_on_the_same_place_is_said(self, run: Any) -> None:
        self.video("v.avi", 4, rate=2)
        done = run("assess", "v.avi", "--pixel-size", UM, "--video-every", "1")
        assert "the stage was hardly moved, and they count more than once" in done.out

    @pytest.mark.parametrize("seconds", ["0", "0.5", "nan", "inf"])
    def test_less_than_a_second_is_refused(self, run: Any, seconds: str) -> None:
        self.video("v.avi", 1)
        done = run("assess", "v.avi", "--video-every", seconds)
        assert done.code == 2
        assert "expected seconds, 1 at least" in done.err

    def test_a_truncated_avi_gives_what_it_has_and_a_failure(self, run: Any) -> None:
        path = self.video("v.avi", 8)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
        written = document(run, "v.avi", "--pixel-size", UM, code=1)
        assert int(written["extra"]["sperm_located"]) == 8
        assert "truncated or damaged after" in written["failures"][0]["reason"]

    def test_a_head_of_an_avi_alone_is_a_failure(self, run: Any) -> None:
        Path("v.avi").write_bytes(b"RIFF\x00\x00\x00\x00AVI LIST")
        (failure,) = document(run, "v.avi", code=1)["failures"]
        assert failure["code"] == "image-unreadable"

    def test_crops_alone_take_no_video(self, run: Any) -> None:
        self.video("v.avi", 1)
        assert document(run, "v.avi", "--crops", code=1)["failures"][0]["code"].startswith("image-")


def test_without_pyav_a_video_is_a_failure_and_the_rest_is_graded(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    Path("v.avi").write_bytes(b"RIFF\x00\x00\x00\x00AVI LIST")
    written = document(run, "v.avi", "crops", code=1)
    assert written["summary"]["assessed"] == 3
    (failure,) = written["failures"]
    assert failure["code"] == "missing-extra"
    assert "androscope[video]" in failure["advice"]

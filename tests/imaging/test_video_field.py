"""A video's sperm are counted once each; the sharpest frame is the one that is graded."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from androscope.imaging.field import NOT_FOUND, Field, FieldItem
from androscope.imaging.head_scale import FieldScale
from androscope.imaging.located import Finder, Flag, Found, Located
from androscope.imaging.phantom_field import PhantomField, render_field
from androscope.imaging.phantom_optics import Optics
from androscope.imaging.phantom_spec import PhantomSperm
from androscope.imaging.video import VideoFrame, read_video
from androscope.imaging.video_field import not_moved, read_video_field, sharpness
from androscope.types import Crop, Failure, GreyImage, UInt8Array

UM = 0.16


@cache
def truth() -> PhantomField:
    return render_field(
        640, 480, 7, 5, pixel_size_um=UM, specs=[PhantomSperm()] * 7, optics=Optics()
    )


def frame(pixels: UInt8Array, number: int, rate: float = 25, of: int | None = None) -> VideoFrame:
    return VideoFrame(GreyImage(np.ascontiguousarray(pixels), "v.avi", number), rate, 0, of)


def frames(count: int, step: int = 8, rate: float = 25) -> list[VideoFrame]:
    """A stage that moves under the field: every sperm by ``step`` px a frame."""
    wide = np.pad(truth().pixels, ((0, 0), (0, 200)), mode="edge")
    return [frame(wide[:, t * step : t * step + 640], t, rate) for t in range(count)]


def test_each_sperm_is_counted_once() -> None:
    field, failures = read_video_field(frames(6), pixel_size_um=UM)
    assert failures == ()
    assert field is not None
    assert abs(len(field.sperm) - 7) <= 1
    assert (field.name, field.index) == ("v.avi[3]", 3)
    assert field.pixels is not None
    assert any(
        note.startswith("frames 0 to 5 looked at, 25 a second; the ")
        and "sperm in the field at frame 3 are counted, once each" in note
        for note in field.notes
    )
    for number, item in enumerate(field.items, start=1):
        assert item.frame in range(6)
        # Drawn where it is in the middle frame, whichever it was cut from.
        assert item.drawn.x == pytest.approx(item.located.x + 8 * (item.frame - 3), abs=3)
        if item.crop is not None:
            assert item.crop.source == f"v.avi[{item.frame}]#{number}"


def test_the_sharpest_frame_is_taken() -> None:
    sharp = frames(5, step=0)
    blurred = [
        frame(_blurred(seen.image.pixels) if n != 3 else seen.image.pixels, n)
        for n, seen in enumerate(sharp)
    ]
    field, _ = read_video_field(blurred, pixel_size_um=UM)
    assert field is not None
    chosen = [item.crop.source for item in field.items if item.crop is not None]
    assert chosen
    assert all(source.startswith("v.avi[3]#") for source in chosen)


def _blurred(pixels: np.ndarray) -> np.ndarray:
    wide = np.pad(pixels.astype(float), 2, mode="edge")
    height, width = pixels.shape
    total = sum(wide[dy : dy + height, dx : dx + width] for dy in range(5) for dx in range(5))
    return (total / 25).astype(np.uint8)


def test_what_is_seen_once_is_not_counted() -> None:
    seen = frames(4, step=0)
    spoiled = seen[2].image.pixels.copy()
    spoiled[20:34, 300:320] = 20
    seen[2] = frame(spoiled, 2)
    field, _ = read_video_field(seen, pixel_size_um=UM)
    plain, _ = read_video_field(frames(4, step=0), pixel_size_um=UM)
    assert field is not None
    assert plain is not None
    assert len(field.items) == len(plain.items)
    assert any("were seen in one frame alone, could not" in note for note in field.notes)
    assert not any("sperm may be missing" in note for note in field.notes)


def test_failures_are_handed_on() -> None:
    failure = Failure("v.avi", 4, "image-unreadable", "broken")
    field, failures = read_video_field([*frames(3), failure], pixel_size_um=UM)
    assert field is not None
    assert failures == (failure,)
    assert read_video_field([failure]) == (None, (failure,))


def test_an_empty_video_has_no_sperm() -> None:
    blank = [frame(np.full((200, 300), 90, np.uint8), n, of=4) for n in range(4)]
    field, _ = read_video_field(blank)
    assert field is not None
    assert field.items == ()
    assert NOT_FOUND in field.notes
    assert field.notes[-1] == "frames 0 to 3, the whole video, looked at, 25 a second"


def film(paths: list[list[tuple[float, float] | None]]) -> tuple[list[VideoFrame], Finder]:
    """Frames, and what finds in each the places at which sperm are said to be."""
    count = len(paths[0])
    shots = [frame(np.full((400, 900), n + 1, np.uint8), n, of=4 * count) for n in range(count)]

    def find(pixels: UInt8Array, head_length: float) -> Found:
        there = [path[int(pixels[0, 0]) - 1] for path in paths]
        located = [Located(*xy, 27.0, 18.0, 0.0, 1.0) for xy in there if xy is not None]
        return Found(tuple(located), head_length, -1)

    return shots, find


@pytest.mark.parametrize("speed", [0, 40, 60, 80, 100, 150])
@pytest.mark.parametrize("rate", [5, 10, 25, 50])
def test_sperm_of_any_speed_count_once_at_any_rate(rate: int, speed: int) -> None:
    step = speed / UM / rate
    count = max(3, min(rate, 25) // 2)
    paths: list[list[tuple[float, float] | None]] = [
        [(40.0 + step * t, 20.0 + 30 * lane) for t in range(count)] for lane in range(12)
    ]
    shots, find = film(paths)
    shots = [VideoFrame(shot.image, rate, 0, shot.of) for shot in shots]
    field, _ = read_video_field(shots, pixel_size_um=UM, find=find)
    assert field is not None
    assert len(field.sperm) == 12
    assert field.index == count // 2
    slow = [note for note in field.notes if "too few to follow sperm" in note]
    if rate < 15:
        assert slow == [
            f"{rate} frames a second are too few to follow sperm (15 are needed): frame "
            f"{count // 2} of {4 * count} alone was looked at, as a still"
        ]
        assert {item.frame for item in field.items} == {count // 2}
    else:
        assert slow == []
        assert not any("seen in one frame alone" in note for note in field.notes)


@pytest.mark.parametrize("speed", [0, 100, 150])
def test_a_rendered_video_of_fast_sperm(tmp_path: Path, speed: int) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed: it is the video extra")
    count, rate = 24, 50
    step = speed / UM / rate
    wide = render_field(
        1280, 480, 14, 5, pixel_size_um=UM, specs=[PhantomSperm()] * 14, optics=Optics()
    )
    path = tmp_path / "fast.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for t in range(count):
            left = round(step * t)
            shot = np.ascontiguousarray(wide.pixels[:, left : left + 640])
            colour = av.VideoFrame.from_ndarray(np.repeat(shot[:, :, None], 3, 2), format="rgb24")
            container.mux(stream.encode(colour))
        container.mux(stream.encode())
    field, failures = read_video_field(read_video(path), pixel_size_um=UM)
    assert failures == ()
    assert field is not None
    assert field.index == 12
    left = round(step * 12)
    inside = [sperm.centre for sperm in wide.sperm if 14 < sperm.centre[0] - left < 626]
    found = [item.drawn for item in field.sperm if 14 < item.drawn.x < 626]
    assert len(found) == len(inside) >= 5
    for x, y in inside:
        assert min(math.dist((x - left, y), (at.x, at.y)) for at in found) < 12
    assert not any("sperm may be missing" in note for note in field.notes)


def test_who_comes_and_leaves_is_not_counted_and_said() -> None:
    stays = [(100.0, 100.0)] * 12
    leaves = [(800.0 + 20 * t, 200.0) if t < 5 else None for t in range(12)]
    comes = [(10.0 + 20 * t, 300.0) if t > 7 else None for t in range(12)]
    missed = [(400.0, 350.0) if t not in (5, 6, 7) else None for t in range(12)]
    shots, find = film([list(stays), leaves, comes, list(missed)])
    field, _ = read_video_field(shots, pixel_size_um=UM, find=find)
    assert field is not None
    assert [round(item.located.x) for item in field.sperm] == [100, 400]
    assert field.notes[-1] == (
        "frames 0 to 11 of 48 looked at, 25 a second; the 2 sperm in the field at frame 6 are "
        "counted, once each, and each is graded where it is sharpest; paths that end before or "
        "begin later: 2, not counted"
    )


def test_many_finds_that_cannot_be_followed_are_said() -> None:
    jumps = [(100.0 + 400 * (t % 2), 60.0 + 25 * t) for t in range(12)]
    shots, find = film([[(100.0, 380.0)] * 12, list(jumps)])
    field, _ = read_video_field(shots, pixel_size_um=UM, find=find)
    assert field is not None
    assert len(field.sperm) == 1
    assert field.notes[-1] == (
        "12 of 24 finds (50%) were seen in one frame alone, could not be followed and are not "
        "counted: sperm may be missing, the fast ones first"
    )


def test_the_picture_is_that_of_the_middle_frame() -> None:
    shots, find = film([[(100.0, 100.0)] * 8])
    field, _ = read_video_field(shots, pixel_size_um=UM, find=find)
    assert field is not None
    assert field.pixels is not None
    assert int(field.pixels[0, 0]) == 5


def still(places: list[tuple[float, float]], number: int, flag: Flag | None = None) -> Field:
    flags = frozenset() if flag is None else frozenset({flag})
    items = tuple(FieldItem(Located(x, y, 27.0, 18.0, 0.0, 1.0, flags)) for x, y in places)
    return Field("v.avi", number, (900, 400), FieldScale(27.5, "pixel size"), items)


PLACES = [(100.0 * n, 100.0) for n in range(1, 9)]


@pytest.mark.parametrize(
    ("moved", "flag", "said"),
    [
        pytest.param([(0, 0)] * 8, None, 8, id="a stage at rest"),
        pytest.param([(5, -5)] * 4 + [(0, 60)] * 4, None, 4, id="half of them swam on"),
        pytest.param([(5, -5)] * 2 + [(0, 60)] * 6, None, None, id="two by chance"),
        pytest.param([(50, 0)] * 8, None, None, id="a stage that moved"),
        pytest.param([(0, 0)] * 8, "debris", None, id="debris alone"),
    ],
)
def test_a_stage_that_was_not_moved_is_found_out(
    moved: list[tuple[float, float]], flag: Flag | None, said: int | None
) -> None:
    after = [(x + dx, y + dy) for (x, y), (dx, dy) in zip(PLACES, moved, strict=True)]
    note = not_moved(still(PLACES, 12, flag), still(after, 62, flag))
    expected = None if said is None else (
        f"{said} of 8 sperm at frame 62 lie where one lay at frame 12: the stage was hardly "
        "moved, and they count more than once"
    )  # fmt: skip
    assert note == expected


@pytest.mark.parametrize("level", [0, 255])
def test_an_even_crop_is_not_sharp(level: int) -> None:
    assert sharpness(Crop(np.full((64, 64), level, np.uint8), "c")) == 0

"""A video's sperm are counted once each; the sharpest frame is the one that is graded."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from androscope.imaging.phantom_field import PhantomField, render_field
from androscope.imaging.phantom_optics import Optics
from androscope.imaging.phantom_spec import PhantomSperm
from androscope.imaging.video_field import read_video_field, sharpness
from androscope.types import Crop, Failure, GreyImage

UM = 0.16


@cache
def truth() -> PhantomField:
    return render_field(
        640, 480, 7, 5, pixel_size_um=UM, specs=[PhantomSperm()] * 7, optics=Optics()
    )


def frames(count: int, step: int = 8) -> list[GreyImage]:
    """A stage that moves under the field: every sperm by ``step`` px a frame."""
    wide = np.pad(truth().pixels, ((0, 0), (0, 200)), mode="edge")
    return [
        GreyImage(np.ascontiguousarray(wide[:, t * step : t * step + 640]), "v.avi", t)
        for t in range(count)
    ]


def test_each_sperm_is_counted_once() -> None:
    field, failures = read_video_field(frames(6), pixel_size_um=UM)
    assert failures == ()
    assert field is not None
    assert abs(len(field.sperm) - 7) <= 1
    assert field.name == "v.avi"
    assert any(
        note.startswith("6 frames looked at, up to number 5; each of ") for note in field.notes
    )
    sources = {item.crop.source for item in field.items if item.crop is not None}
    assert all(source.startswith("v.avi[") for source in sources)


def test_the_sharpest_frame_is_taken() -> None:
    sharp = frames(5, step=0)
    blurred = [
        GreyImage(_blurred(image.pixels) if n != 3 else image.pixels, "v.avi", n)
        for n, image in enumerate(sharp)
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
    spoiled = seen[2].pixels.copy()
    spoiled[20:34, 300:320] = 20
    seen[2] = GreyImage(spoiled, "v.avi", 2)
    field, _ = read_video_field(seen, pixel_size_um=UM)
    plain, _ = read_video_field(frames(4, step=0), pixel_size_um=UM)
    assert field is not None
    assert plain is not None
    assert len(field.items) == len(plain.items)
    assert any("seen in one frame alone were not counted" in note for note in field.notes)


def test_failures_are_handed_on() -> None:
    failure = Failure("v.avi", 4, "image-unreadable", "broken")
    field, failures = read_video_field([*frames(3), failure], pixel_size_um=UM)
    assert field is not None
    assert failures == (failure,)
    assert read_video_field([failure]) == (None, (failure,))


def test_an_empty_video_has_no_sperm() -> None:
    blank = [GreyImage(np.full((200, 300), 90, np.uint8), "v.avi", n) for n in range(4)]
    field, _ = read_video_field(blank)
    assert field is not None
    assert field.items == ()


@pytest.mark.parametrize("level", [0, 255])
def test_an_even_crop_is_not_sharp(level: int) -> None:
    assert sharpness(Crop(np.full((64, 64), level, np.uint8), "c")) == 0

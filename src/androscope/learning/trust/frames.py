"""Crops of another microscope's frames: empty places, and heads at an estimated scale."""

from __future__ import annotations

import numpy as np

from androscope.datasets.located import load_located
from androscope.datasets.located_types import BoxKind
from androscope.imaging.field import read_field
from androscope.imaging.field_crop import cut_crop
from androscope.imaging.head_scale import HEAD_UM
from androscope.imaging.locate import locate
from androscope.imaging.phantom import PIXEL_SIZE_UM
from androscope.imaging.read import read_image
from androscope.types import Crop

__all__ = ["box_crops", "frame_crops"]

_SIZE, _SEED = 64, 2026
#: How long heads are in VISEM's frames by their boxes, px.
_HEAD_PX = 16.0
_PLACES, _FRAMES, _TRIES = 200, 3, 100_000


def frame_crops(name: str, *, estimated: bool) -> list[Crop]:
    """Crops of a located data set.

    Parameters
    ----------
    name
        As :func:`~androscope.datasets.located.load_located` takes it.
    estimated
        What the classical filter finds and cuts out of some frames if nobody says how large heads
        are; otherwise places without a box, at the scale at which heads are graded. As grey pixels
        either way: colour would give some away.

    Raises
    ------
    DatasetMissingError, DatasetCorruptError
        As :func:`~androscope.datasets.located.load_located` does.
    """
    frames = load_located(name).frames
    if estimated:
        chosen = frames[:: max(1, len(frames) // _FRAMES)][:_FRAMES]
        # The locator estimates that heads are too short to be graded, and is right; the classical
        # filter takes the halos of phase contrast for larger heads.
        fields = (read_field(read_image(f.path), find=locate) for f in chosen)
        return [
            Crop(item.crop.pixels, item.crop.source)
            for field in fields
            for item in field.items
            if item.crop is not None
        ]
    rng = np.random.default_rng(_SEED)
    enlargement = HEAD_UM / PIXEL_SIZE_UM / _HEAD_PX
    half = _SIZE / enlargement / 2
    crops: list[Crop] = []
    pictures = {frame.path: read_image(frame.path).pixels for frame in frames}
    for _ in range(_TRIES):
        frame = frames[int(rng.integers(len(frames)))]
        height, width = pictures[frame.path].shape
        x, y = float(rng.uniform(half, width - half)), float(rng.uniform(half, height - half))
        if any(
            b.left - half < x < b.right + half and b.top - half < y < b.bottom + half
            for b in frame.boxes
        ):
            continue
        pixels, _ = cut_crop(pictures[frame.path], (x, y), enlargement, _SIZE)
        crops.append(Crop(pixels, f"{frame.path.name} at {x:.0f}, {y:.0f}"))
        if len(crops) == _PLACES:
            break
    return crops


def box_crops(name: str, kind: BoxKind) -> list[Crop]:
    """Crops around a located data set's boxes of one kind, :data:`_PLACES` of them at most.

    At the scale at which heads are graded, were a typical box of a sperm as long as a normal head.

    Parameters
    ----------
    name
        As :func:`~androscope.datasets.located.load_located` takes it.
    kind
        Of the boxes.

    Raises
    ------
    DatasetMissingError, DatasetCorruptError
        As :func:`~androscope.datasets.located.load_located` does.
    """
    frames = load_located(name).frames
    lengths = [
        max(box.right - box.left, box.bottom - box.top)
        for frame in frames for box in frame.boxes if box.kind == "sperm"
    ]  # fmt: skip
    enlargement = HEAD_UM / PIXEL_SIZE_UM / float(np.median(lengths))
    places = [(frame, box) for frame in frames for box in frame.boxes if box.kind == kind]
    drawn = np.random.default_rng(_SEED).permutation(len(places))[:_PLACES]
    crops: list[Crop] = []
    for row in np.sort(drawn):
        frame, box = places[row]
        pixels, _ = cut_crop(read_image(frame.path).pixels, box.centre, enlargement, _SIZE)
        crops.append(Crop(pixels, f"{frame.path.name} at {box.centre[0]:.0f}, {box.centre[1]:.0f}"))
    return crops

"""A video as one field: each sperm followed over its frames and taken once, at its sharpest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from androscope.imaging.field import Field, FieldItem, read_field
from androscope.imaging.locate import locate
from androscope.imaging.located import Finder
from androscope.imaging.track import Track, follow
from androscope.types import Crop, Failure, GreyImage

__all__ = ["read_video_field"]

#: From this many frames on, what is seen in one alone is noise.
_FRAMES = 3


def read_video_field(
    frames: Iterable[GreyImage | Failure],
    *,
    pixel_size_um: float | None = None,
    head_length: float | None = None,
    model_pixel_size_um: float | None = None,
    size: int = 64,
    find: Finder = locate,
) -> tuple[Field | None, tuple[Failure, ...]]:
    """Find the sperm of a video, one item for each however many frames show it.

    Parameters
    ----------
    frames
        As :func:`~androscope.imaging.video.read_video` gives them. Positions are kept of all, crops
        of what is found; pictures are let go.
    pixel_size_um, head_length, model_pixel_size_um, size, find
        As for :func:`~androscope.imaging.field.read_field`. The scale is that of the first frame
        that has one.

    Returns
    -------
    field, failures
        ``None`` if no frame could be read. An item's crop is that of the frame in which it is
        sharpest; how many frames were looked at stands in the notes.
    """
    read: list[Field] = []
    failures: list[Failure] = []
    scale = None
    for frame in frames:
        if isinstance(frame, Failure):
            failures.append(frame)
            continue
        seen = read_field(
            frame,
            pixel_size_um=pixel_size_um,
            head_length=head_length,
            model_pixel_size_um=model_pixel_size_um,
            size=size,
            scale=scale,
            find=find,
        )
        scale = scale or seen.scale
        read.append(replace(seen, pixels=None))
    if not read:
        return None, tuple(failures)
    if scale is None:
        return replace(read[0], index=None), tuple(failures)
    places = [[(item.located.x, item.located.y) for item in seen.items] for seen in read]
    tracks = follow(places, scale.head_length)
    least = 2 if len(read) >= _FRAMES else 1
    kept = [track for track in tracks if len(track.seen) >= least]
    items = tuple(_one(track, read) for track in kept)
    notes = tuple(dict.fromkeys(note for seen in read for note in seen.notes))
    if items:
        notes = tuple(note for note in notes if not note.startswith("nothing that looks like"))
    notes += (
        f"{len(read)} frames looked at, up to number {read[-1].index}; each of "
        f"{sum(item.located.is_sperm for item in items)} sperm followed from frame to frame and "
        "counted once",
    )
    if len(kept) < len(tracks):
        notes += (f"{len(tracks) - len(kept)} things seen in one frame alone were not counted",)
    first = read[0]
    return Field(first.source, None, first.size, scale, items, notes), tuple(failures)


def _one(track: Track, read: Sequence[Field]) -> FieldItem:
    items = [read[frame].items[number] for frame, number in track.seen]
    # What it is mostly taken for it is; a sperm may look like a speck at the edge of focus.
    sperm = sum(item.located.is_sperm for item in items) * 2 >= len(items)
    of_kind = [item for item in items if item.located.is_sperm == sperm]
    sharp = [(sharpness(item.crop), item) for item in of_kind if item.crop is not None]
    if sperm and sharp:
        return max(sharp, key=lambda pair: pair[0])[1]
    reason, _ = Counter(item.excluded for item in of_kind).most_common(1)[0]
    return next(item for item in of_kind if item.excluded == reason)


def sharpness(crop: Crop) -> float:
    """Mean squared difference of neighbouring pixels over the middle half of a crop."""
    quarter = len(crop.pixels) // 4
    middle = crop.pixels[quarter:-quarter, quarter:-quarter].astype(np.float64)
    return float((np.diff(middle, axis=0) ** 2).mean() + (np.diff(middle, axis=1) ** 2).mean())

"""A video as one field: the sperm in it at one moment, each followed and taken at its sharpest.

Counted is who is in the field at the middle of the stretch that is looked at, seen there or before
and behind. Were everything counted that comes by, the fast would count for more than they are: of
two kinds of sperm the faster crosses the field's edge more often. And a path that breaks would make
two sperm of one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from androscope.imaging.field import NOT_FOUND, Field, FieldItem, read_field
from androscope.imaging.locate import locate
from androscope.imaging.located import Finder
from androscope.imaging.track import Track, follow
from androscope.imaging.video import VideoFrame
from androscope.types import Crop, Failure, GreyImage

__all__ = ["LOST", "NOT_MOVED", "TOO_SLOW", "WHOLE", "not_moved", "read_video_field"]

#: Words of notes by which a report knows what its signer is to be told.
TOO_SLOW = "too few to follow sperm"
LOST = "sperm may be missing"
NOT_MOVED = "the stage was hardly moved"
WHOLE = "the whole video"

#: From this many frames on, what is seen in one alone is noise.
_FRAMES = 3
#: Below so many frames a second the fastest sperm moves further between two than its neighbours
#: are away.
_SLOWEST = 15.0
#: Share of finds that may be seen in one frame alone before it is said that sperm may be missing.
_LONE = 0.1
#: Share of a field's sperm that lie where one lay before, from which the field is the same: by
#: chance it is one in fifty.
_SAME = 0.25
_ENOUGH = 3


def read_video_field(
    frames: Iterable[VideoFrame | Failure],
    *,
    pixel_size_um: float | None = None,
    head_length: float | None = None,
    model_pixel_size_um: float | None = None,
    size: int = 64,
    find: Finder = locate,
) -> tuple[Field | None, tuple[Failure, ...]]:
    """Find the sperm of a stretch of a video, one item for each however many frames show it.

    Parameters
    ----------
    frames
        One stretch, as :func:`~androscope.imaging.video.read_video` gives it. Of those before its
        middle no pictures are kept. With fewer than 15 a second sperm cannot be followed: then the
        middle one alone is taken, as a still.
    pixel_size_um, head_length, model_pixel_size_um, size, find
        As for :func:`~androscope.imaging.field.read_field`. The scale is that of the first frame
        that has one.

    Returns
    -------
    field, failures
        ``None`` if no frame could be read. The field's ``index`` and picture are those of the
        middle frame; an item's crop, place and ``frame`` are those of the frame in which it is
        sharpest. What was looked at and what is not counted stands in the notes.
    """
    read_one = partial(
        read_field,
        pixel_size_um=pixel_size_um,
        head_length=head_length,
        model_pixel_size_um=model_pixel_size_um,
        size=size,
        find=find,
    )
    read: list[Field] = []
    slow: list[GreyImage] = []
    last: VideoFrame | None = None
    failures: list[Failure] = []
    scale = None
    for frame in frames:
        if isinstance(frame, Failure):
            failures.append(frame)
            continue
        last = frame
        if frame.rate < _SLOWEST:
            slow.append(frame.image)
            continue
        seen = read_one(frame.image, scale=scale)
        scale = scale or seen.scale
        read.append(seen)
        # The middle only moves on: pictures before it will not be asked for.
        before = len(read) // 2 - 1
        if before >= 0:
            read[before] = replace(read[before], pixels=None)
    if last is None:
        return None, tuple(failures)
    if slow:
        return _as_still(read_one(slow[len(slow) // 2]), last), tuple(failures)
    middle = read[len(read) // 2]
    looked = _looked([seen.index or 0 for seen in read], last)
    if scale is None:
        return replace(middle, notes=(*middle.notes, looked)), tuple(failures)
    return _followed(replace(middle, scale=scale), read, looked, last.rate), tuple(failures)


def _as_still(field: Field, last: VideoFrame) -> Field:
    items = tuple(replace(item, frame=field.index) for item in field.items)
    note = (
        f"{last.rate:.3g} frames a second are {TOO_SLOW} ({_SLOWEST:g} are needed): frame "
        f"{field.index}{_of(last)} alone was looked at, as a still"
    )
    return replace(field, items=items, notes=(*field.notes, note))


def _followed(field: Field, read: Sequence[Field], looked: str, rate: float) -> Field:
    """``field``, the one in the middle, with an item for each track that is in it."""
    assert field.scale is not None
    middle = len(read) // 2
    places = [[(item.located.x, item.located.y) for item in seen.items] for seen in read]
    tracks = follow(places, field.scale.head_length, rate)
    least = 2 if len(read) >= _FRAMES else 1
    items: list[FieldItem] = []
    elsewhere = lone = 0
    for track in tracks:
        item = _one(track, read, middle)
        if len(track.seen) < least:
            lone += item.located.is_sperm
        elif track.covers(middle):
            items.append(_named(item, field.source, len(items) + 1))
        else:
            elsewhere += item.located.is_sperm
    notes = tuple(dict.fromkeys(note for seen in read for note in seen.notes))
    count = sum(item.located.is_sperm for item in items)
    if count:
        notes = tuple(note for note in notes if note != NOT_FOUND)
    counted = (
        f"; the {count} sperm in the field at frame {field.index} are counted, once each, and each "
        "is graded where it is sharpest"
    )
    if elsewhere:
        counted += f"; paths that end before or begin later: {elsewhere}, not counted"
    notes += (looked + counted,)
    finds = sum(item.located.is_sperm for seen in read for item in seen.items)
    if lone:
        much = f": {LOST}, the fast ones first" if lone > _LONE * finds else ""
        notes += (
            f"{lone} of {finds} finds ({lone / finds:.0%}) were seen in one frame alone, could not "
            f"be followed and are not counted{much}",
        )
    return replace(field, items=tuple(items), notes=notes)


def _one(track: Track, read: Sequence[Field], middle: int) -> FieldItem:
    """What is taken of a track: its sharpest find, and where it is in the middle frame."""
    _, frame, number = min((abs(frame - middle), frame, number) for frame, number in track.seen)
    shown = read[frame].items[number].located
    items = [
        replace(read[f].items[n], frame=read[f].index, in_picture=shown) for f, n in track.seen
    ]
    # What it is mostly taken for it is; a sperm may look like a speck at the edge of focus.
    sperm = sum(item.located.is_sperm for item in items) * 2 >= len(items)
    of_kind = [item for item in items if item.located.is_sperm == sperm]
    sharp = [(sharpness(item.crop), item) for item in of_kind if item.crop is not None]
    if sperm and sharp:
        return max(sharp, key=lambda pair: pair[0])[1]
    reason, _ = Counter(item.excluded for item in of_kind).most_common(1)[0]
    return next(item for item in of_kind if item.excluded == reason)


def _named(item: FieldItem, source: str, number: int) -> FieldItem:
    """The item, its crop named after its frame and its number among those counted."""
    if item.crop is None:
        return item
    return replace(item, crop=replace(item.crop, source=f"{source}[{item.frame}]#{number}"))


def _looked(numbers: Sequence[int], last: VideoFrame) -> str:
    """Which frames were looked at; those before the next that would have been are no gap."""
    first, end = numbers[0], numbers[-1]
    step = numbers[1] - first if len(numbers) > 1 else 1
    whole = first == 0 and last.of is not None and end + step >= last.of
    what = f", {WHOLE}," if whole else _of(last)
    return f"frames {first} to {end}{what} looked at, {last.rate:.3g} a second"


def _of(last: VideoFrame) -> str:
    return "" if last.of is None else f" of {last.of}"


def not_moved(before: Field, after: Field) -> str | None:
    """Say if two stretches of a video show the same field of view; ``None`` if they do not."""
    if before.scale is None or len(after.sperm) < _ENOUGH:
        return None
    near = before.scale.head_length / 2
    places = [(item.drawn.x, item.drawn.y) for item in before.sperm]
    same = sum(
        any(math.dist((item.drawn.x, item.drawn.y), place) <= near for place in places)
        for item in after.sperm
    )
    if same < max(_ENOUGH, _SAME * len(after.sperm)):
        return None
    return (
        f"{same} of {len(after.sperm)} sperm at frame {after.index} lie where one lay at frame "
        f"{before.index}: {NOT_MOVED}, and they count more than once"
    )


def sharpness(crop: Crop) -> float:
    """Mean squared difference of neighbouring pixels over the middle half of a crop."""
    quarter = len(crop.pixels) // 4
    middle = crop.pixels[quarter:-quarter, quarter:-quarter].astype(np.float64)
    return float((np.diff(middle, axis=0) ** 2).mean() + (np.diff(middle, axis=1) ** 2).mean())

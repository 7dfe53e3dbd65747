"""Pages that show one field, made one: the sharpest focal plane, one moment, one channel.

Sperm are counted, so pages of one place must not count as many fields. Which pages belong together
is what the file says (:class:`~androscope.types.StackPlace`). Where it says nothing, pages that
look alike are marked.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from androscope.errors import ImageUnsupportedError
from androscope.imaging.likeness import SAME_FIELD, likeness, look_of
from androscope.imaging.read import failure_of
from androscope.types import Failure, FloatArray, GreyImage, UInt8Array

__all__ = ["ALIKE_PAGES", "one_per_field"]

#: How the note on a page begins that looks like the one before it.
ALIKE_PAGES = "looks like the page before it"

#: Correlation of looks from which what ImageJ calls slices are planes or frames of one place.
_SAME_PLACE = 0.5
#: Grey levels within which nearly all pixels of a channel lie that shows nothing.
_EMPTY = 3

Other = TypeVar("Other")


def one_per_field(
    pictures: Iterable[GreyImage | Failure | Other], is_field: Callable[[GreyImage], bool]
) -> Iterator[GreyImage | Failure | Other]:
    """Give each field once, whatever the pages that show it; all else as it comes.

    Parameters
    ----------
    pictures
        As :func:`~androscope.imaging.read.read_images` gives them, of any files; other things among
        them are passed on.
    is_field
        Whether a picture is a field of view; crops are left as they are.

    Yields
    ------
    GreyImage
        For focal planes the sharpest, for times the middle one, each with a note. With focal planes
        *and* times, or with channels and times, the first time.
    Failure
        For channels that differ, and for pages that could not be read.
    """
    belongs = _Belongs(is_field)
    before: _Page | None = None
    for stack, group in itertools.groupby(pictures, belongs):
        if stack is None:
            for picture in group:
                if isinstance(picture, GreyImage) and picture.index is not None:
                    picture, before = _marked(picture, before, is_field)
                yield picture
        else:
            pages = (page for page in group if isinstance(page, GreyImage | Failure))
            yield from _joined(pages, is_field)


class _Belongs:
    """The stack a picture belongs to; a page that could not be read lies in its neighbours'."""

    def __init__(self, is_field: Callable[[GreyImage], bool]) -> None:
        self._is_field = is_field
        self._last: tuple[str, int] | None = None

    def __call__(self, picture: object) -> tuple[str, int] | None:
        if (
            isinstance(picture, Failure)
            and picture.index is not None
            and self._last is not None
            and picture.source == self._last[0]
        ):
            return self._last
        self._last = None
        if isinstance(picture, GreyImage) and picture.place is not None and self._is_field(picture):
            self._last = picture.source, picture.place.stack
        return self._last


@dataclass(frozen=True, slots=True)
class _Page:
    source: str
    shape: tuple[int, ...]
    look: FloatArray | None


def _marked(
    page: GreyImage, before: _Page | None, is_field: Callable[[GreyImage], bool]
) -> tuple[GreyImage, _Page | None]:
    """A page with a note if it looks like the one before it, and what the next is held against."""
    if not is_field(page):
        return page, None
    now = _Page(page.source, page.pixels.shape, look_of(page.pixels))
    if before is None or (before.source, before.shape) != (now.source, now.shape):
        return page, now
    alike = likeness(before.look, now.look)
    if alike < SAME_FIELD:
        return page, now
    note = f"{ALIKE_PAGES} (correlation {alike:.2f}): pages may show the same field, whose sperm "
    note += "then count more than once"
    return replace(page, notes=(*page.notes, note)), now


def _joined(
    pages: Iterator[GreyImage | Failure], is_field: Callable[[GreyImage], bool]
) -> Iterator[GreyImage | Failure]:
    failures: list[Failure] = []
    first = _next(pages, failures)
    if first is None:
        yield from failures
        return
    assert first.place is not None
    if not first.place.sure:
        second = _next(pages, failures)
        seen = [page for page in (first, second) if page is not None]
        pages = itertools.chain(seen, failures, pages)
        looks = [look_of(page.pixels) for page in seen]
        if len(seen) == 2 and abs(likeness(*looks)) < _SAME_PLACE:
            # Slices by name alone: pages of different places.
            yield from one_per_field((_placeless(page) for page in pages), is_field)
            return
        yield from _sharpest(pages)
        return
    z, c, t = first.place.sizes
    pages = itertools.chain(failures, (first,), pages)
    if t > 1 and z == c == 1:
        yield from _middle(pages, t)
        return
    yield from _sharpest(pages)


def _next(pages: Iterator[GreyImage | Failure], failures: list[Failure]) -> GreyImage | None:
    for page in pages:
        if isinstance(page, GreyImage):
            return page
        failures.append(page)
    return None


def _placeless(page: GreyImage | Failure) -> GreyImage | Failure:
    return page if isinstance(page, Failure) else replace(page, place=None)


def _middle(pages: Iterator[GreyImage | Failure], count: int) -> Iterator[GreyImage | Failure]:
    """The page in the middle of a time series, as a still, or the first behind it that was read.

    How much time lies between two pages is seldom said, so sperm cannot be followed from one to the
    next as in a video.
    """
    chosen: GreyImage | None = None
    for page in pages:
        if isinstance(page, Failure):
            yield page
            continue
        assert page.place is not None
        if chosen is None or (chosen.place is not None and chosen.place.t < count // 2):
            chosen = page
    if chosen is not None:
        assert chosen.place is not None
        note = (
            f"one field at {count} times: number {chosen.place.t + 1} was taken, as a still; to "
            "have sperm followed, give a video"
        )
        yield replace(chosen, notes=(*chosen.notes, note))


@dataclass(slots=True)
class _Channel:
    """What is known of one channel so far: its sharpest plane at the first time, and all pages."""

    best: GreyImage | None = None
    sharpness: float = -1.0
    empty: bool = True
    pages: dict[tuple[int, int], int] = field(default_factory=dict)


def _sharpest(pages: Iterator[GreyImage | Failure]) -> Iterator[GreyImage | Failure]:
    """The sharpest plane at the first time, of the one channel that shows something."""
    channels: dict[int, _Channel] = {}
    failures: list[Failure] = []
    for page in pages:
        if isinstance(page, Failure):
            failures.append(page)
            continue
        assert page.place is not None
        channel = channels.setdefault(page.place.c, _Channel())
        channel.empty = channel.empty and _is_empty(page.pixels)
        if page.place.sizes[1] > 1:
            channel.pages[page.place.z, page.place.t] = hash(page.pixels.tobytes())
        if page.place.t == 0:
            sharpness = field_sharpness(page.pixels)
            if sharpness > channel.sharpness:
                channel.best, channel.sharpness = page, sharpness
    yield from _chosen(channels)
    yield from failures


def _chosen(channels: dict[int, _Channel]) -> Iterator[GreyImage | Failure]:
    full = [c for c in sorted(channels) if not channels[c].empty] or [min(channels)]
    shown = channels[full[0]]
    page = shown.best
    if page is None:
        return  # not one page of the first time could be read: each is a failure
    assert page.place is not None
    sizes = page.place.sizes
    if any(channels[c].pages != shown.pages for c in full[1:]):
        error = ImageUnsupportedError(
            f"expected one channel, got {sizes[1]} that differ (by the file's metadata)",
            advice="Save the bright-field or phase-contrast channel alone; if its pages are fields "
            "and no channels, save each as a file of its own",
        )
        yield failure_of(error, page.source)
        return
    yield replace(page, notes=(*page.notes, *_notes(page, sizes, full)))


def _notes(page: GreyImage, sizes: tuple[int, int, int], full: list[int]) -> Iterator[str]:
    assert page.place is not None
    z, c, t = sizes
    if z > 1:
        yield f"one field in {z} focal planes: the sharpest, number {page.place.z + 1}, was taken"
    if c > 1:
        others = "are identical to it or empty" if len(full) > 1 else "are empty"
        yield f"{c} channels: number {full[0] + 1} was taken, the others {others}"
    if t > 1:
        yield f"one field at {t} times: the first was taken, the others were not looked at"


def _is_empty(pixels: UInt8Array) -> bool:
    low, high = np.percentile(pixels, (0.1, 99.9))
    return bool(high - low <= _EMPTY)


def field_sharpness(pixels: UInt8Array) -> float:
    """Mean squared difference of neighbours among means of 2 x 2 pixels, which quell noise."""
    height, width = (side // 2 * 2 for side in pixels.shape)
    even = pixels[:height, :width].astype(np.float32)
    small = even.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return float((np.diff(small, axis=0) ** 2).mean() + (np.diff(small, axis=1) ** 2).mean())

"""What a caller named, whatever its kind, to pictures: paths, patterns, arrays, and mixtures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from androscope.errors import EmptyInputError, ImageError, InputError
from androscope.imaging.depth import guessed_depth
from androscope.imaging.find import find_images
from androscope.imaging.read import read_images
from androscope.imaging.stack import open_npy
from androscope.settings import Settings, load_settings
from androscope.types import Failure, GreyImage

__all__ = ["Images", "Progress", "Source", "depth_of", "read_inputs", "sources_of"]

PathLike = str | os.PathLike[str]
Images = PathLike | NDArray[Any] | Iterable[PathLike | NDArray[Any]]

_ADVICE = (
    "Give a path, folder or pattern; a numpy array (H, W) or a stack (N, H, W); a Pillow image; or "
    "a list of these. Numbers in lists become an array with numpy.asarray"
)

#: Called with how many images are done and how many there are as far as is known yet.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """Something to read pictures from, and its name; None to let the reader name it."""

    what: PathLike | NDArray[Any]
    name: str | None = None


def sources_of(images: Images) -> list[Source]:
    """List what there is to read, in order, without reading it.

    Parameters
    ----------
    images
        A path, folder or pattern; an array or stack of arrays; or any number of these. What offers
        numpy's array interface (a Pillow image) is an array. Those in a list are named after their
        place in it.

    Raises
    ------
    EmptyInputError
        If nothing is named, or folders without images only.
    InputError
        If it is nothing of these kinds: no picture is made of numbers in lists, whose dimensions
        could be meant either way.
    """
    if isinstance(images, str | os.PathLike):
        return [Source(path) for path in find_images([images])]
    if hasattr(images, "__array_interface__"):  # numpy's, Pillow's and others' arrays
        return [Source(np.asarray(images))]
    # Bytes are iterable too, and would be taken for a list of numbers.
    if isinstance(images, bytes | bytearray) or not isinstance(images, Iterable):
        raise InputError(f"expected images, got {_kind(images)}", advice=_ADVICE)
    given = list(images)
    if not given:
        raise EmptyInputError("nothing was named to assess", advice="Name a file or a folder")
    paths = [item for item in given if isinstance(item, str | os.PathLike)]
    if len(paths) == len(given):
        return [Source(path) for path in find_images(paths)]
    for number, item in enumerate(given):
        if not (isinstance(item, str | os.PathLike) or _is_array(item)):
            raise InputError(
                f"expected a list of paths or arrays, got {_kind(item)} at place {number}",
                advice=_ADVICE,
            )
    sources: list[Source] = []
    for number, item in enumerate(given):
        if isinstance(item, str | os.PathLike):
            sources += [Source(path) for path in find_images([item])]
        else:
            sources.append(Source(np.asarray(item), f"<array {number}>"))
    return sources


def _is_array(item: object) -> bool:
    """Whether numpy makes an array of it as it is: its own, Pillow's, torch's."""
    return hasattr(item, "__array_interface__") or hasattr(item, "__array__")


def _kind(item: object) -> str:
    if item is None:
        return "None"
    if isinstance(item, list | tuple) and item:
        return f"a {type(item).__name__} of {type(item[0]).__name__}"
    return f"{type(item).__name__} {str(item)[:40]!r}" if np.isscalar(item) else type(item).__name__


def read_inputs(
    sources: Sequence[Source],
    progress: Progress | None = None,
    *,
    settings: Settings | None = None,
    least_bits: int | None = None,
) -> Iterator[GreyImage | Failure]:
    """Every picture of every source, one by one and in order, as :func:`read_images` gives them.

    Parameters
    ----------
    sources
        From :func:`sources_of`.
    progress
        Called when a picture has been dealt with, that is when the next is asked for.
    settings, least_bits
        As for :func:`read_images`; default: one guess of the bit depth for all these sources.
    """
    settings = load_settings() if settings is None else settings
    least_bits = depth_of(sources, settings) if least_bits is None else least_bits
    expected = [_count(source.what) for source in sources] if progress else []
    total, done = sum(expected), 0
    for number, source in enumerate(sources):
        before = done
        for image in read_images(
            source.what, name=source.name, settings=settings, least_bits=least_bits
        ):
            yield image
            done += 1
            if progress:
                total += done - before > expected[number]  # a file of several pages
                progress(done, total)


def depth_of(sources: Sequence[Source], settings: Settings) -> int:
    """The one guess of the bit depth for all sources, bits; see :func:`guessed_depth`."""
    return guessed_depth([source.what for source in sources], settings)


def _count(source: PathLike | NDArray[Any]) -> int:
    """How many pictures a source holds, as far as is seen without decoding it."""
    shape: tuple[int, ...] = ()
    if isinstance(source, np.ndarray):
        shape = source.shape
    elif str(source).lower().endswith(".npy"):
        try:
            with Path(source).open("rb") as stream:
                shape = open_npy(stream, Path(source)).shape
        except (OSError, ImageError):
            return 1  # Reading it will say what is wrong.
    colour = len(shape) >= 3 and shape[-1] in (1, 3, 4)
    return max(1, shape[0]) if len(shape) - colour == 3 else 1

"""A lab's own labelled crops, in whichever form they lie on disk, to arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np

from androscope.datasets.folders import LAYOUT, read_folders
from androscope.datasets.listing import Entry, Listing, Problem
from androscope.datasets.pairs import has_pairs, read_pairs
from androscope.datasets.table import TABLE_SUFFIXES, read_table
from androscope.errors import ImageDimensionsError, ImageError
from androscope.imaging.crop import MAX_ASPECT, MAX_SIDE, MIN_SIDE, to_crop
from androscope.imaging.read import failure_of, read_images
from androscope.settings import Settings
from androscope.types import Failure, GreyImage, UInt8Array

__all__ = ["list_entries", "read_crops"]

#: For labelled pictures; assessing whole fields, which they look like, would not use the labels.
_CUT = (
    "Cut it to a square around the head of the labelled sperm, or shrink it, to at most "
    f"{MAX_SIDE} px a side and 1 : {MAX_ASPECT}"
)

#: A table of this name in a folder is what the folder is about.
TABLE_NAME = "labels.csv"


def list_entries(path: Path, *, crop_size: int = 64) -> Listing:
    """List the labelled crops at ``path``: a table, a folder per class or npy pairs.

    Nothing raises: a path that is none of these gives a listing with that problem.
    """
    try:
        if path.is_dir():
            if (path / TABLE_NAME).is_file():
                return read_table(path / TABLE_NAME)
            if has_pairs(path):
                return read_pairs(path, crop_size=crop_size)
            return read_folders(path)
        if path.suffix.lower() in TABLE_SUFFIXES:
            return read_table(path)
        what = "no such file or folder" if not path.exists() else "not a table"
        advice = f"Give a CSV, a folder with {TABLE_NAME}, a folder per class or npy pairs"
    except OSError as error:
        what, advice = f"cannot be read: {error.strerror}", LAYOUT
    return Listing((), (), (Problem(None, str(path), what, advice),))


def read_crops(
    entries: tuple[Entry, ...],
    *,
    crop_size: int = 64,
    settings: Settings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[UInt8Array, list[Entry], list[Problem]]:
    """Read every entry's picture and bring it to a crop.

    Parameters
    ----------
    crop_size
        Side of the crops, px. Pictures of other sizes are resized, their proportions kept.
    progress
        Told how many of how many entries are done.

    Returns
    -------
    crops
        ``(N, crop_size, crop_size)`` uint8.
    read
        The ``N`` entries they belong to, in the given order.
    problems
        One for each entry that could not be read.
    """
    crops: list[UInt8Array] = []
    read: list[Entry] = []
    problems: list[Problem] = []
    for path, group in groupby(entries, key=lambda entry: entry.path):
        for entry, crop in _crops_of(path, list(group), crop_size, settings):
            if isinstance(crop, Problem):
                problems.append(crop)
            else:
                crops.append(crop)
                read.append(entry)
            if progress is not None:
                progress(len(read) + len(problems), len(entries))
    stacked = np.stack(crops) if crops else np.empty((0, crop_size, crop_size), np.uint8)
    return stacked, read, problems


def _crops_of(
    path: Path, entries: list[Entry], size: int, settings: Settings | None
) -> Iterator[tuple[Entry, UInt8Array | Problem]]:
    if entries[0].index is None:
        for entry in entries:
            crop = _single(entry, path, size, settings)
            for other in entry.also:
                twin = _single(entry, other, size, settings)
                if isinstance(twin, Problem):
                    crop = twin
                elif not isinstance(crop, Problem) and not np.array_equal(crop, twin):
                    crop = Problem(
                        entry.line,
                        _shown(entry, other),
                        f"of the same name as {entry.name}, but another picture",
                        "One file name is one sperm: rename one of the two",
                    )
            yield entry, crop
        return
    wanted = {entry.index: entry for entry in entries}
    for row, image in enumerate(read_images(path, settings=settings)):
        # A file that cannot be opened at all gives one failure without an index.
        if isinstance(image, Failure) and image.index is None:
            for entry in wanted.values():
                yield entry, _problem(entry, entry.name, image)
            return
        if image.index is None:
            break  # One colour picture, not a stack.
        if row in wanted:
            entry = wanted.pop(row)
            yield entry, _crop(entry, entry.name, image, size)
    for entry in wanted.values():
        what = f"row {entry.index} is not a picture of its own in {path.name}"
        yield (
            entry,
            Problem(
                entry.line, entry.name, what, "Stack grey crops (N, H, W) or colour (N, H, W, 3)"
            ),
        )


def _single(entry: Entry, path: Path, size: int, settings: Settings | None) -> UInt8Array | Problem:
    shown = _shown(entry, path)
    images = list(read_images(path, name=shown, settings=settings))
    if len(images) != 1:
        return Problem(
            entry.line,
            shown,
            f"expected one picture, the file holds {len(images)}",
            "Save every crop as a file of its own, or use npy pairs",
        )
    return _crop(entry, shown, images[0], size)


def _crop(entry: Entry, shown: str, image: GreyImage | Failure, size: int) -> UInt8Array | Problem:
    if isinstance(image, Failure):
        return _problem(entry, shown, image)
    try:
        return to_crop(image, size=size).pixels
    except ImageDimensionsError as error:
        failure = failure_of(error, shown)
        if (
            min(image.pixels.shape) >= MIN_SIDE
        ):  # Too large or too long: it has labels, so is a crop.
            failure = replace(failure, advice=_CUT)
        return _problem(entry, shown, failure)
    except ImageError as error:
        return _problem(entry, shown, failure_of(error, shown))


def _problem(entry: Entry, shown: str, failure: Failure) -> Problem:
    return Problem(entry.line, shown, failure.reason, failure.advice or "Remove it or replace it")


def _shown(entry: Entry, path: Path) -> str:
    if path == entry.path:
        return entry.name
    return os.path.relpath(path, entry.path.parents[len(Path(entry.name).parts) - 1])

"""What the user named to image files: files, folders, patterns, in a stable order, none lost."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from androscope.errors import EmptyInputError
from androscope.imaging.formats import EXTENSIONS

__all__ = ["FoundImages", "find_images", "natural_key", "visible_files"]


@dataclass(frozen=True, slots=True)
class FoundImages(Sequence[Path]):
    """The files to assess, in order; a sequence of paths.

    A path that does not exist, and a folder that holds no image, stays in the list, so that
    reading it records what is wrong with it beside the others' results.

    Attributes
    ----------
    paths
        Each file once, under the first name it was given.
    ignored
        Files in searched folders and patterns that have no image's ending.
    repeated
        Files named more than once, not counting the first time.
    """

    paths: tuple[Path, ...]
    ignored: int = 0
    repeated: int = 0

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> Path: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Path, ...]: ...

    def __getitem__(self, index: int | slice) -> Path | tuple[Path, ...]:
        return self.paths[index]

    def __iter__(self) -> Iterator[Path]:
        return iter(self.paths)


def natural_key(path: Path) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Sort key under which ``img2`` precedes ``img10``, folder by folder, without regard to case.

    Paths that differ only in case or leading zeros are told apart by the path itself.
    """
    parts = (
        (1, int(piece), "") if piece.isdecimal() else (2, 0, piece.casefold())
        for part in path.parts
        for piece in [*re.split(r"([0-9]+)", part), "\0"]
        if piece
    )
    return tuple((0, 0, "") if p[2] == "\0" else p for p in parts), str(path)


def find_images(
    inputs: Sequence[str | os.PathLike[str]], *, endings: tuple[str, ...] = EXTENSIONS
) -> FoundImages:
    """Find the image files that ``inputs`` name.

    Parameters
    ----------
    inputs
        Files (taken whatever their ending), folders (searched to any depth for ``endings``), and
        patterns with ``*``, ``?``, ``[]`` and ``**`` for shells that do not expand them. Hidden
        files and folders are skipped unless named. A leading ``~`` is the home folder.
    endings
        What folders and patterns are searched for, in small letters.

    Returns
    -------
    FoundImages
        Inputs in the order given; what a folder or pattern yields in natural order.

    Raises
    ------
    EmptyInputError
        If the inputs exist and hold no image between them; names the folders searched.
    """
    found: list[Path] = []
    empty: list[Path] = []
    ignored = 0
    for given in inputs:
        path = Path(given).expanduser()
        if path.is_dir():
            images, others = _search(path, endings)
            ignored += others
            found += images or [path]
            empty += [] if images else [path]
        elif not os.path.lexists(path) and glob.has_magic(str(path)):
            images, others = _expand(str(path), endings)
            ignored += others
            found += images or [path]
        else:
            found.append(path)
    if not found or len(empty) == len(found):
        looked = ", ".join(endings)
        if not empty:
            raise EmptyInputError("nothing was named to assess", advice="Name a file or a folder")
        more = "" if len(empty) == 1 else f" (nor in {len(empty) - 1} other folders)"
        seen = f"; {ignored} other files were ignored" if ignored else ""
        raise EmptyInputError(
            f"no image in this folder{more}: looked for {looked}{seen}",
            path=empty[0],
            advice="Give a folder with such files, or name the files one by one",
        )
    unique: dict[str, Path] = {}
    for path in found:
        unique.setdefault(os.path.realpath(path), path)
    return FoundImages(tuple(unique.values()), ignored, len(found) - len(unique))


def visible_files(
    folder: str | Path, onerror: Callable[[OSError], None] | None = None
) -> Iterator[Path]:
    """Each file of a folder and its sub-folders, but for hidden ones, as the disk has them.

    Links to folders are followed, each folder is walked once. ``onerror`` is called with what
    cannot be listed, which is passed over otherwise.
    """
    seen = set()
    for where, folders, files in os.walk(folder, followlinks=True, onerror=onerror):
        # A link to a folder above would be walked for ever.
        real = os.path.realpath(where)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith("."):
                yield Path(where) / name


def _search(folder: Path, endings: tuple[str, ...]) -> tuple[list[Path], int]:
    images: list[Path] = []
    others = 0
    for path in visible_files(folder):
        if path.name.lower().endswith(endings):
            images.append(path)
        else:
            others += 1
    return sorted(images, key=natural_key), others


def _expand(pattern: str, endings: tuple[str, ...]) -> tuple[list[Path], int]:
    images: list[Path] = []
    others = 0
    for name in glob.glob(pattern, recursive=True):  # noqa: PTH207  (Path.glob takes no absolute patterns)
        path = Path(name)
        if path.is_dir():
            # `**` gives every folder beside its files; its own content comes by itself.
            if "**" not in pattern:
                inside, outside = _search(path, endings)
                images += inside
                others += outside
        elif path.name.lower().endswith(endings):
            images.append(path)
        else:
            others += 1
    return sorted(images, key=natural_key), others

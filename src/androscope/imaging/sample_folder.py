"""A sample's folder: which images it holds, and which replicate each belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from androscope.errors import EmptyInputError, SampleError
from androscope.imaging.find import find_images, natural_key
from androscope.imaging.formats import EXTENSIONS

__all__ = ["SAMPLE_ENDINGS", "Replicate", "SampleFolder", "find_sample"]

#: Endings that a sample's folder is searched for: pictures and videos.
SAMPLE_ENDINGS = (*EXTENSIONS, ".avi", ".mp4", ".mov", ".mkv")


@dataclass(frozen=True, slots=True)
class Replicate:
    """One assessment of the sample: its name and its images, in natural order."""

    name: str
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class SampleFolder:
    """A sample's images by replicate; at least one of either.

    Attributes
    ----------
    folder
        Where they are.
    replicates
        In natural order, or in that of the rules.
    ignored
        Files without a picture's or a video's ending.
    repeated
        Further names (links) of files that are in a replicate already; those are left out.
    """

    folder: Path
    replicates: tuple[Replicate, ...]
    ignored: int = 0
    repeated: int = 0

    @property
    def paths(self) -> tuple[Path, ...]:
        """All images."""
        return tuple(path for replicate in self.replicates for path in replicate.paths)


def find_sample(folder: str | Path, rules: Mapping[str, str] | None = None) -> SampleFolder:
    """Find a sample's images, by replicate.

    Parameters
    ----------
    folder
        Images in it are one replicate; images in sub-folders are one for each sub-folder, whatever
        lies deeper in it.
    rules
        Instead of sub-folders: for each replicate's name, a pattern with ``*``, ``?`` and ``[]``
        that the paths of its images match, from ``folder`` on and with ``/`` between folders.

    Raises
    ------
    SampleError
        If ``folder`` is no folder, images lie both in it and in sub-folders, or the rules leave an
        image out, take one twice or find none for a name.
    EmptyInputError
        If there is no image.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        what = "got a file" if folder.exists() else "there is none"
        raise SampleError(
            f"expected a sample's folder, {what}",
            path=folder,
            advice="Name the folder that holds the sample's images",
        )
    found = find_images([folder], endings=SAMPLE_ENDINGS)
    split = _by_rules(folder, found.paths, rules) if rules else _by_folder(folder, found.paths)
    return SampleFolder(folder, split, found.ignored, found.repeated)


def _by_folder(folder: Path, found: tuple[Path, ...]) -> tuple[Replicate, ...]:
    groups: dict[str, list[Path]] = {}
    for path in found:
        inside = path.relative_to(folder)
        groups.setdefault(inside.parts[0] if len(inside.parts) > 1 else "", []).append(path)
    if "" in groups and len(groups) > 1:
        loose = groups[""]
        raise SampleError(
            f"{len(loose)} images ({loose[0].name}{', ...' if len(loose) > 1 else ''}) lie beside "
            f"sub-folders with images ({', '.join(sorted(g for g in groups if g))}): it cannot be "
            "told what is a replicate",
            path=folder,
            advice="Move them into a sub-folder of their own, or say it with --replicate",
        )
    names = sorted(groups, key=lambda name: natural_key(Path(name)))
    return tuple(Replicate(_text(name) or "1", tuple(groups[name])) for name in names)


def _text(name: str) -> str:
    # Bytes of a folder's name that are no UTF-8 could not be written into a report.
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _by_rules(
    folder: Path, found: tuple[Path, ...], rules: Mapping[str, str]
) -> tuple[Replicate, ...]:
    groups: dict[str, list[Path]] = {name: [] for name in rules}
    for path in found:
        inside = path.relative_to(folder).as_posix()
        names = [name for name, pattern in rules.items() if fnmatchcase(inside, pattern)]
        if len(names) != 1:
            what = f"is of replicates {' and '.join(names)}" if names else "is of no replicate"
            raise SampleError(
                f"{inside} {what} by the rules given",
                path=folder,
                advice="Give patterns that take every image once: --replicate NAME=PATTERN",
            )
        groups[names[0]].append(path)
    for name, paths in groups.items():
        if not paths:
            raise EmptyInputError(
                f"no image matches {rules[name]!r}, the rule of replicate {name}",
                path=folder,
                advice="Patterns are matched from the sample's folder on, such as 'a/*.tif'",
            )
    return tuple(Replicate(name, tuple(paths)) for name, paths in groups.items())

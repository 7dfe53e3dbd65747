"""What was named, to sources: a folder, a file, an archive, a table, any of them behind a URL."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Literal

from androscope.batch import remote
from androscope.batch.containers import (
    TAR_ENDINGS,
    count_rows,
    count_zip,
    read_parquet,
    read_tar,
    read_zip,
)
from androscope.batch.listing import Listing, list_folder
from androscope.batch.parts import Item, Part, cut
from androscope.errors import EmptyInputError, SourceError
from androscope.imaging.find import natural_key
from androscope.imaging.formats import EXTENSIONS

__all__ = ["Content", "Kind", "Source", "contents", "open_sources", "parts_of"]

Kind = Literal["folder", "image", "zip", "tar", "parquet", "url"]


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that was named; ``where`` is its path or URL as the rows' names begin.

    Images named one by one are one source, ``files``; ``where`` is the folder they share.
    """

    where: str
    kind: Kind
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What a source holds, as far as is known without reading its images.

    Attributes
    ----------
    images
        How many; ``None`` for a tar archive, which has no table of contents.
    size
        Bytes of the images; of the whole file for tar and Parquet.
    ignored
        Files that are no image by their ending.
    """

    images: int | None
    size: int
    ignored: int = 0


def open_sources(named: Sequence[str | os.PathLike[str]]) -> tuple[Source, ...]:
    """Say what each path, pattern or URL is, in the order given; one named twice counts once.

    Raises
    ------
    SourceError
        If there is no such file or folder.
    EmptyInputError
        If nothing is named.
    """
    found: dict[str, Source] = {}
    for given in [os.fspath(name) for name in named]:
        if remote.is_url(given):
            kind = _kind_of(given, "url")
            # A pattern of archives is several sources, one of images is one.
            for url in [given] if kind == "url" else remote.expand(given):
                found.setdefault(url, Source(url, kind))
            continue
        path = os.path.expanduser(given)  # noqa: PTH111  (names stay as they were written)
        matches = [path]
        if not os.path.lexists(path) and glob.has_magic(path):
            matches = glob.glob(path, recursive=True)  # noqa: PTH207  (absolute patterns too)
            matches.sort(key=lambda match: natural_key(Path(match)))
        for match in matches or [path]:
            if not Path(match).exists():
                raise SourceError(
                    "no such file or folder",
                    path=match,
                    advice="Check the spelling and the folder you are in",
                )
            kind = "folder" if Path(match).is_dir() else _kind_of(match, "image")
            found.setdefault(os.path.realpath(match), Source(match, kind))
    if not found:
        raise EmptyInputError("nothing was named to grade", advice="Name a folder or an archive")
    return tuple(_gathered(found.values()))


def _gathered(sources: Iterable[Source]) -> Iterator[Source]:
    for kind, several in groupby(sources, key=lambda source: source.kind):
        if kind != "image":
            yield from several
            continue
        files = tuple(source.where for source in several)
        folders = {str(Path(file).parent) for file in files}
        yield Source(os.path.commonpath(folders) or ".", "image", files)


def _kind_of(where: str, otherwise: Kind) -> Kind:
    name = where.lower().partition("::")[0]
    if name.endswith(".zip"):
        return "zip"
    if name.endswith(TAR_ENDINGS):
        return "tar"
    return "parquet" if name.endswith((".parquet", ".pq")) else otherwise


def contents(sources: Sequence[Source]) -> list[Content]:
    """Count what each source holds.

    Raises
    ------
    SourceError
        If one is gone or damaged.
    EmptyInputError
        If there is no image in all of them.
    """
    found = [_content(source) for source in sources]
    if not any(content.images is None or content.images for content in found):
        ignored = sum(content.ignored for content in found)
        raise EmptyInputError(
            f"no image in it: looked for {', '.join(EXTENSIONS)}"
            + (f"; {ignored} other files were ignored" if ignored else ""),
            path=sources[0].where,
            advice="Give a folder or an archive with such files; name archives themselves, "
            "or by a pattern such as 'shards/*.parquet'",
        )
    return found


def _content(source: Source) -> Content:
    if source.kind == "folder":
        listing = list_folder(source.where, EXTENSIONS)
        listing.close()
        return Content(listing.count, listing.total, listing.ignored)
    if source.kind == "url":
        listed, ignored = remote.find(source.where, EXTENSIONS)
        return Content(len(listed), sum(size for _, size in listed), ignored)
    if source.kind == "image":
        return Content(len(source.files), sum(map(_size, source.files)))
    with _opened(source.where) as stream:
        if source.kind == "zip":
            return Content(*count_zip(stream, source.where))
        images = count_rows(stream, source.where) if source.kind == "parquet" else None
        return Content(images, stream.seek(0, os.SEEK_END))


def parts_of(source: Source, number: int, part_size: int) -> Iterator[Part]:
    """The parts of a source, in order.

    Raises
    ------
    SourceError
        If it is gone or damaged; from where it is, for a tar archive.
    """
    root = source.where if source.kind in ("folder", "image", "url") else None
    yield from cut(_items(source), number, root, part_size)


def _items(source: Source) -> Iterator[Item]:
    if source.kind == "folder":
        listing: Listing = list_folder(source.where, EXTENSIONS)
        try:
            for path, size in listing:
                yield Item(path, size, where=path)
        finally:
            listing.close()
    elif source.kind == "url":
        for url, size in remote.find(source.where, EXTENSIONS)[0]:
            yield Item(url, size, where=url)
    elif source.kind == "image":
        for file in source.files:
            yield Item(file, _size(file), where=file)
    else:
        read = {"zip": read_zip, "tar": read_tar, "parquet": read_parquet}[source.kind]
        with _opened(source.where) as stream:
            yield from read(stream, source.where)


def _size(file: str) -> int:
    try:
        return Path(file).stat().st_size
    except OSError:
        return 0  # Gone in the meantime: reading it will say so.


def _opened(where: str) -> BinaryIO:
    if remote.is_url(where):
        return remote.open_url(where)
    try:
        return Path(where).open("rb")
    except OSError as error:
        raise SourceError(
            f"cannot be read: {error.strerror or error}",
            path=where,
            advice="See that it is there and may be read, then run the same command",
        ) from error

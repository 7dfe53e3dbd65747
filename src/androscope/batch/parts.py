"""Images of a source in parts, small enough to be lost: what one worker takes at a time.

Where a part ends is decided by names and sizes alone, so that every run over the same source cuts
it alike, and an image added somewhere changes the parts around it only.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

__all__ = ["MAX_BYTES", "PART_SIZE", "Item", "Part", "cut"]

#: Images of a part, about: from half of it to twice as many.
PART_SIZE = 1000

#: Bytes after which a part ends whatever the number of its images: what it holds in memory.
MAX_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a source, read or still to be read.

    Attributes
    ----------
    name
        How rows call it: its path or URL; behind an archive's or a table's, its name inside.
    size
        Its bytes, as far as known without reading it.
    where
        Path or URL to read it from; ``None`` if it was read already.
    data
        Its content, if it was read already.
    reason
        Why its archive or table could not give it.
    """

    name: str
    size: int
    where: str | None = None
    data: bytes | None = field(default=None, repr=False)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Items that follow each other in a source.

    Attributes
    ----------
    place
        Number of the source and number of the part in it: the order of the rows.
    root
        What must still be there if an item is not: the folder that was named, or its URL.
    """

    place: tuple[int, int]
    items: tuple[Item, ...]
    root: str | None = None


def cut(
    items: Iterable[Item], source: int, root: str | None, part_size: int = PART_SIZE
) -> Iterator[Part]:
    """Cut a source's items into parts, in order.

    A part ends behind an item whose name's CRC-32 says so (one in ``part_size / 2``), once it has
    ``part_size / 2`` items; at ``2 * part_size`` items or :data:`MAX_BYTES` in any case.

    Raises
    ------
    ValueError
        If ``part_size`` is below 1.
    """
    if part_size < 1:
        raise ValueError(f"part_size must be at least 1, got {part_size}")
    half = max(1, part_size // 2)
    kept: list[Item] = []
    size = number = 0
    for item in items:
        kept.append(item)
        size += item.size
        marked = zlib.crc32(item.name.encode("utf-8", "surrogateescape")) % half == 0
        if (marked and len(kept) >= half) or len(kept) >= 2 * part_size or size >= MAX_BYTES:
            yield Part((source, number), tuple(kept), root)
            kept, size, number = [], 0, number + 1
    if kept:
        yield Part((source, number), tuple(kept), root)

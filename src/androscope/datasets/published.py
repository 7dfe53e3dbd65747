"""What is known of a published data set before any of it is on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Published", "git_blob_id", "git_blob_id_of"]


@dataclass(frozen=True, slots=True)
class Published:
    """A data set that lies as plain files under one URL.

    Attributes
    ----------
    name
        What the command line calls it; also its folder's name.
    base_url
        URL the file names are appended to; ends in a slash.
    blob_ids
        File name to git blob id, for every file there is.
    licence, citation, source
        To be shown to whoever fetches it.
    large
        Names of the files that may be left out.
    """

    name: str
    base_url: str
    blob_ids: Mapping[str, str]
    licence: str
    citation: str
    source: str
    large: frozenset[str] = frozenset()

    def is_right(self, path: Path) -> bool:
        """Whether the file at ``path`` is there and is the published one of that name."""
        return path.is_file() and git_blob_id_of(path) == self.blob_ids[path.name]

    def names(self, *, large: bool = True) -> tuple[str, ...]:
        """All file names, small files first, so that a broken line leaves the most usable rest."""
        small = tuple(sorted(name for name in self.blob_ids if name not in self.large))
        return small + tuple(sorted(self.large)) if large else small


def git_blob_id(content: bytes) -> str:
    """Id that git gives a file: SHA-1 of ``blob <length>``, a zero byte and the content."""
    return _blob_id([content], len(content))


def git_blob_id_of(path: str | Path) -> str:
    """Git blob id of the file at ``path``. Raises :class:`OSError` as ``open`` does."""
    path = Path(path)
    with path.open("rb") as stream:
        blocks = iter(lambda: stream.read(1 << 20), b"")
        return _blob_id(blocks, path.stat().st_size)


def _blob_id(blocks: Iterable[bytes], length: int) -> str:
    # git's choice, not ours: SHA-1 finds accidents here, it is not asked to resist an attacker.
    digest = hashlib.sha1(b"blob %d\0" % length, usedforsecurity=False)
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()

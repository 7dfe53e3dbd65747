"""A part's images read: their bytes and hashes, or why one of them has none."""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from androscope.batch import remote
from androscope.batch.parts import Item, Part
from androscope.errors import ImageError, ImageUnreadableError, SourceError
from androscope.files import sha256_of
from androscope.imaging.opening import open_image_file

__all__ = ["Loaded", "key_of", "load"]

#: A local file with more bytes than this (a stack) is not read whole: it is decoded from the disk.
_WHOLE = 32_000_000

#: The medium is gone, whatever file was asked for.
_GONE = {
    getattr(errno, name)
    for name in ("ENODEV", "ENXIO", "ENOTCONN", "ESTALE", "EHOSTDOWN", "EHOSTUNREACH", "ETIMEDOUT")
    if hasattr(errno, name)
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """One item with its content.

    Attributes
    ----------
    sha256
        Hex SHA-256 of its bytes; ``None`` if they could not be had.
    source
        Its bytes, or the path of a file too large to be held.
    error
        Why there are none.
    """

    name: str
    sha256: str | None
    source: bytes | Path | None = field(default=None, repr=False)
    error: ImageError | None = None


def key_of(run: str, loaded: list[Loaded]) -> str:
    """Name of a part's rows: a hash of the run's key, and of each item's name and content.

    Equal keys mean equal rows: what is there under a key need not be graded again.
    """
    digest = hashlib.sha256(run.encode())
    for item in loaded:
        content = item.sha256 or f"- {item.error}"
        for text in (item.name, content):
            encoded = text.encode("utf-8", "surrogateescape")
            digest.update(b"%d:%s" % (len(encoded), encoded))
    return digest.hexdigest()[:40]


def load(part: Part) -> list[Loaded]:
    """Read and hash the items of a part, in order.

    An item that cannot be read carries the error; the part does not fail for it.

    Raises
    ------
    SourceError
        If an item cannot be read because the whole source is gone.
    """
    urls = [item.where for item in part.items if item.where and remote.is_url(item.where)]
    fetched = dict(zip(urls, remote.fetch(urls), strict=True)) if urls else {}
    return [_loaded(item, part.root, fetched) for item in part.items]


def _loaded(item: Item, root: str | None, fetched: dict[str, bytes | Exception]) -> Loaded:
    try:
        if item.reason is not None:
            raise ImageUnreadableError(item.reason, advice="Copy the archive again")
        if item.data is not None:
            return _whole(item.name, item.data)
        assert item.where is not None
        if item.where in fetched:
            return _whole(item.name, _of_url(fetched[item.where], root))
        return _of_file(item, root)
    except ImageError as error:
        return Loaded(item.name, None, error=error)


def _whole(name: str, data: bytes) -> Loaded:
    return Loaded(name, hashlib.sha256(data).hexdigest(), data)


def _of_url(found: bytes | Exception, root: str | None) -> bytes:
    if isinstance(found, bytes):
        return found
    if root is not None and not remote.still_there(root):
        raise _lost(root) from found
    detail = " ".join(str(found).split())[:120] or type(found).__name__
    missing = isinstance(found, FileNotFoundError)
    raise ImageUnreadableError(
        "no such file" if missing else f"cannot be fetched ({detail})",
        advice="See that it is there, then run the same command",
    ) from found


def _of_file(item: Item, root: str | None) -> Loaded:
    path = Path(str(item.where))
    try:
        with open_image_file(path) as stream:
            if os.fstat(stream.fileno()).st_size > _WHOLE:
                return Loaded(item.name, sha256_of(path), path)
            return _whole(item.name, stream.read())
    except (ImageUnreadableError, OSError) as error:
        cause = error.__cause__ if isinstance(error, ImageUnreadableError) else error
        number = getattr(cause, "errno", None)
        if root is not None and (number in _GONE or not _is_there(root)):
            raise _lost(root) from error
        if isinstance(error, ImageUnreadableError):
            raise
        raise ImageUnreadableError(
            f"cannot be read: {error.strerror or error}", advice="Check the disk"
        ) from error


def _is_there(root: str) -> bool:
    # An empty folder is what is left of a mount point whose disk is gone.
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


def _lost(root: str) -> SourceError:
    return SourceError(
        "is gone: images that were listed in it cannot be read any more",
        path=root,
        advice="Bring it back (a disk, a network drive) and run the same command: "
        "what was graded is kept",
    )

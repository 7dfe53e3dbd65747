"""What is reached by a URL, through fsspec: S3, HTTP, SFTP, archives inside archives, memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from androscope.errors import SourceError
from androscope.extras import require
from androscope.imaging.find import natural_key

__all__ = ["expand", "fetch", "find", "is_url", "open_url", "still_there"]


def is_url(where: str) -> bool:
    """Whether it is to be read through fsspec."""
    return "://" in where


def _filesystem(url: str) -> tuple[Any, str]:
    core = require("fsspec.core", extra="batch", why="read from a URL")
    try:
        filesystem, path = core.url_to_fs(url)
    except ImportError as error:  # the protocol's own package, such as s3fs
        raise SourceError(
            f"its protocol needs a package of its own ({error})", path=url, advice="Install it"
        ) from error
    except ValueError as error:
        raise SourceError(
            f"cannot be reached: {error}", path=url, advice="Check the URL's beginning"
        ) from error
    return filesystem, path


def _lost(url: str, error: BaseException) -> SourceError:
    detail = " ".join(str(error).split())[:160] or type(error).__name__
    return SourceError(
        f"cannot be reached ({detail})",
        path=url,
        advice="See that it is there, then run the same command: what was graded is kept",
    )


def open_url(url: str) -> BinaryIO:
    """Open a file for reading, with a read-ahead buffer. Raises :class:`SourceError`."""
    filesystem, path = _filesystem(url)
    try:
        opened: BinaryIO = filesystem.open(path, "rb")
    except Exception as error:  # every protocol has errors of its own
        raise _lost(url, error) from error
    return opened


def find(url: str, endings: tuple[str, ...]) -> tuple[list[tuple[str, int]], int]:
    """URL and bytes of the images below a URL in natural order, and how many files are none.

    The whole list is in memory, as fsspec gives it.

    Raises
    ------
    SourceError
        If it cannot be listed.
    """
    filesystem, path = _filesystem(url)
    pattern = "*" in path
    try:
        look = filesystem.glob if pattern else filesystem.find
        found = look(path, detail=True)
    except Exception as error:
        raise _lost(url, error) from error
    root = path.partition("*")[0] if pattern else path
    images = [name for name in found if _shown(name, root) and name.lower().endswith(endings)]
    images.sort(key=lambda name: natural_key(Path(name)))
    listed = [(_named(filesystem, name, url), int(found[name].get("size") or 0)) for name in images]
    return listed, len(found) - len(images)


def expand(url: str) -> list[str]:
    """URLs that a pattern with ``*`` matches, in natural order; another URL is itself.

    Raises
    ------
    SourceError
        If it cannot be listed, or nothing matches.
    """
    if "*" not in url:
        return [url]
    filesystem, path = _filesystem(url)
    try:
        found = filesystem.glob(path)
    except Exception as error:
        raise _lost(url, error) from error
    if not found:
        raise SourceError("nothing matches this pattern", path=url, advice="Check the spelling")
    found.sort(key=lambda name: natural_key(Path(name)))
    return [_named(filesystem, name, url) for name in found]


def _shown(name: str, root: str) -> bool:
    below = name[len(root) :] if name.startswith(root) else name
    return not any(part.startswith(".") for part in below.split("/"))


def _named(filesystem: Any, name: str, url: str) -> str:
    first, chained, rest = url.partition("::")
    if chained:  # zip://*.png::s3://bucket/a.zip: only the first link changes
        return f"{first.partition('://')[0]}://{name.lstrip('/')}::{rest}"
    return str(filesystem.unstrip_protocol(name))


def fetch(urls: Sequence[str]) -> list[bytes | Exception]:
    """Content of each URL, or why it could not be had; at once where the protocol allows."""
    filesystem, _ = _filesystem(urls[0])
    paths = [
        _filesystem(url)[1] if "::" in url else filesystem._strip_protocol(url) for url in urls
    ]
    found = filesystem.cat(paths, on_error="return")
    if isinstance(found, dict):
        return [found.get(path, FileNotFoundError(path)) for path in paths]
    return [found]


def still_there(url: str) -> bool:
    """Whether the URL that was named still answers and holds something."""
    filesystem, path = _filesystem(url)
    try:
        filesystem.invalidate_cache()
        return bool(filesystem.glob(path) if "*" in path else filesystem.exists(path))
    except Exception:  # noqa: BLE001  (out of reach, whatever the protocol calls it)
        return False

"""Files that are there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from androscope.errors import OutputError

__all__ = ["atomic_path", "sha256_of", "write_bytes", "write_text"]


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in ``path``'s folder; rename it to ``path`` if the block succeeds.

    The temporary file keeps the suffix, so that libraries that choose a format by name work. What
    stood at ``path`` is untouched until the rename, and stays if the block raises.

    Raises
    ------
    OutputError
        If the folder cannot be made or written, or the disk is full.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem[:40]}-", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        # mkstemp makes files private; a result should have the mode any other file would get.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}",
            path=path,
            advice="Choose a folder that exists, may be written and has room",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write ``content`` to ``path`` atomically. Raises :class:`OutputError`."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | Path, content: str) -> None:
    """Write ``content`` as UTF-8 to ``path`` atomically. Raises :class:`OutputError`."""
    write_bytes(path, content.encode("utf-8"))


def sha256_of(path: str | Path) -> str:
    """Hex SHA-256 of the file at ``path``. Raises :class:`OSError` as ``open`` does."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

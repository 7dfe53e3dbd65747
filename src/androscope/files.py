"""Files that are there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from androscope.errors import OutputError

__all__ = ["atomic_path", "is_stream", "sha256_of", "write_bytes", "write_text"]


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in ``path``'s folder; rename it to ``path`` if the block succeeds.

    The temporary file keeps the suffix, so that libraries that choose a format by name work. What
    stood at ``path`` is untouched until the rename, and stays if the block raises. A link stays a
    link: the file that it leads to is replaced. Where :func:`is_stream` holds, the whole file is
    made elsewhere and then written into ``path``, which stays what it is.

    Raises
    ------
    OutputError
        If the folder cannot be made or written, the disk is full, or ``path`` is nothing that can
        be written as a file.
    """
    path = Path(path)
    straight = is_stream(path)
    temporary: Path | None = None
    try:
        goal = Path(os.path.realpath(path)) if path.is_symlink() else path
        if not straight:
            goal.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem[:40]}-",
            suffix=path.suffix,
            dir=None if straight else goal.parent,
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        if straight:
            _pour(temporary, path)
            return
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        # mkstemp makes files private; a result should have the mode any other file would get.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(goal)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}",
            path=path,
            advice="Choose a folder that exists, may be written and has room",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def is_stream(path: str | Path) -> bool:
    """Whether ``path`` is written into and never replaced.

    That is a pipe, a character device (``/dev/null``), and whatever standard output leads to: a
    rename would put a file in its place, for root even in ``/dev``, and who reads there gets
    nothing.

    Raises
    ------
    OutputError
        If it is ``-``, which is no file's name here, or a socket or a disk.
    """
    if str(path) == "-":
        raise OutputError(
            "expected a file's name, got -",
            path=path,
            advice="Name a file; /dev/stdout is standard output (with --quiet, if the command has "
            "it, nothing else is printed there)",
        )
    try:
        found = Path(path).stat()
    except OSError:
        return False  # nothing there yet, or writing will say what is wrong
    mode = found.st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or _is_standard_output(found):
        return True
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return False
    raise OutputError(
        f"cannot be written: it is a {'disk' if stat.S_ISBLK(mode) else 'socket'}, expected a "
        "file, a pipe or a character device",
        path=path,
        advice="Choose another name",
    )


def _is_standard_output(found: os.stat_result) -> bool:
    try:
        return os.path.samestat(found, os.fstat(1))
    except OSError:  # closed
        return False


def _pour(whole: Path, into: Path) -> None:
    """Write a file into a pipe or a device, byte for byte."""
    if _is_standard_output(into.stat()):
        # Opened anew, a redirected file would be written from its beginning, over what is there.
        sys.stdout.flush()
        with whole.open("rb") as source, os.fdopen(os.dup(1), "wb") as stream:
            shutil.copyfileobj(source, stream)
        return
    with whole.open("rb") as source, into.open("wb") as stream:
        shutil.copyfileobj(source, stream)


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

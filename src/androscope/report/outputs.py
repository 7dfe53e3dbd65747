"""Where results shall go, tried before the work is done rather than after."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from androscope.errors import OutputError
from androscope.files import is_stream

__all__ = ["check_outputs"]


def check_outputs(
    files: Mapping[str, Path | None], *, folders: Iterable[Path] = (), inputs: Iterable[Path] = ()
) -> None:
    """See that every output can be written; folders that are missing are made.

    Parameters
    ----------
    files
        Output files by the option that named them; ``None`` for those not asked for.
    folders
        Output folders.
    inputs
        Files that must not be overwritten.

    Raises
    ------
    OutputError
        If a file's place is a folder, a folder's place a file, two outputs or an input and an
        output are the same file, a folder may not be written, or a name is ``-`` or that of a
        socket or a disk.
    """
    read = {os.path.realpath(path) for path in inputs}
    taken: dict[str, str] = {}
    for option, path in files.items():
        if path is None:
            continue
        if path.is_dir():
            raise OutputError(
                f"{option} expects a file's name, got a folder",
                path=path,
                advice=f"Name a file in it, such as {path / 'results'}.{option.lstrip('-')}",
            )
        real = os.path.realpath(path)
        if real in read:
            raise OutputError(
                f"{option} would overwrite an image that is to be assessed",
                path=path,
                advice="Choose another name",
            )
        if real in taken:
            raise OutputError(
                f"{taken[real]} and {option} name the same file",
                path=path,
                advice="Give each its own name",
            )
        taken[real] = option
        if is_stream(path):
            _try_stream(path)
        else:
            _try(Path(real).parent, path)
    for folder in folders:
        _try(folder, folder)


def _try_stream(path: Path) -> None:
    # Opening a pipe waits for its reader, and may tell him that all has come: so it is only asked.
    if not os.access(path, os.W_OK):
        raise OutputError(
            f"cannot be written: {os.strerror(errno.EACCES)}",
            path=path,
            advice="Choose a name that may be written",
        )


def _try(folder: Path, path: Path) -> None:
    # Only writing tells: permission bits do not know of full disks, read-only mounts and root.
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}",
            path=path,
            advice="Choose a folder that may be written and has room",
        ) from error

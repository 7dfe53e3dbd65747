"""Opening files so that whatever is wrong comes out as a typed error with a way out."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from androscope.errors import ImageDimensionsError, ImageError, ImageUnreadableError
from androscope.imaging.formats import EXTENSIONS

__all__ = ["named_decoder_errors", "open_image_file"]


@contextmanager
def named_decoder_errors() -> Iterator[None]:
    """Turn whatever a decoder raises on damaged data into an :class:`ImageUnreadableError`."""
    # Decoders raise anything on damaged data: struct.error, IndexError, SyntaxError, zlib.error...
    try:
        yield
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageDimensionsError(
            "too large for this machine's memory",
            advice="Cut it into crops, or use a machine with more memory",
        ) from error
    except Exception as error:
        detail = " ".join(str(error).split())[:120] or type(error).__name__
        raise ImageUnreadableError(
            f"truncated or damaged ({detail})", advice="Export or copy it again"
        ) from error


def open_image_file(path: Path) -> BinaryIO:
    """Open a file for reading. Raises :class:`ImageUnreadableError` for anything that is none."""
    try:
        if path.is_dir():
            raise ImageUnreadableError(
                "expected an image, got a folder",
                advice=f"Give a folder that holds {', '.join(EXTENSIONS)} files, or name the files",
            )
        if path.exists() and not path.is_file():
            raise ImageUnreadableError("expected an image, got a device or pipe")
        return path.open("rb")
    except FileNotFoundError as error:
        pattern = any(character in str(path) for character in "*?")
        raise ImageUnreadableError(
            "no file matches this pattern" if pattern else "no such file",
            advice="Check the spelling and the folder you are in",
        ) from error
    except PermissionError as error:
        raise ImageUnreadableError(
            "may not be read: permission denied", advice="Change the file's permissions"
        ) from error
    except (OSError, ValueError) as error:
        # ValueError: a NUL byte in the name.
        number = getattr(error, "errno", None)
        what = str(error) if number is None else os.strerror(number)
        if number == errno.ENAMETOOLONG:
            what = "the name is too long to be a file's"
        raise ImageUnreadableError(
            f"cannot be opened: {what}", advice="Check the name and the disk"
        ) from error

"""The folder of pictures: each file is named by the SHA-256 of what is in it, and written whole."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from androscope.errors import RecordMissingError
from androscope.files import sha256_of, write_bytes
from androscope.records.chain import digest

__all__ = ["Pictures"]

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Pictures:
    """A folder of PNG files ``ab/ab...png``; none is ever changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, sha256: str) -> Path:
        """Where the picture of that hash lies, or would."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"expected 64 hex digits, got {sha256[:80]!r}")
        return self.folder / sha256[:2] / f"{sha256}.png"

    def path(self, sha256: str) -> Path:
        """Where the picture lies. Raises :class:`RecordMissingError` if it does not."""
        path = self.place(sha256)
        if not path.is_file():
            raise RecordMissingError(
                f"the picture {sha256[:16]}... is not in the folder of images",
                path=self.folder,
                advice="See androscope records verify, and restore a backup",
            )
        return path

    def put(self, png: bytes) -> str:
        """Keep a picture; it is on the disk when this returns. Gives its hash.

        Raises
        ------
        OutputError
            If the folder cannot be written, or the disk is full.
        """
        sha256 = digest(png)
        path = self.place(sha256)
        # What lies there already is believed only by its hash: a damaged file is put right.
        if not (path.is_file() and sha256_of(path) == sha256):
            write_bytes(path, png)
            for folder in (path.parent, self.folder):
                _sync(folder)
        return sha256

    def is_whole(self, sha256: str) -> bool:
        """Whether the picture is there and is what it was."""
        path = self.place(sha256)
        return path.is_file() and sha256_of(path) == sha256

    def __iter__(self) -> Iterator[str]:
        """Hashes of all pictures in the folder, by name."""
        for path in sorted(self.folder.glob("??/*.png")):
            if _SHA256.fullmatch(path.stem):
                yield path.stem


def _sync(folder: Path) -> None:
    # Renaming is on the disk when the folder is; Windows has no such call, and needs none.
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

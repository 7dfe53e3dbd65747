"""A backup's file: one ZIP with every table as JSON lines, every picture, and their hashes.

The same for SQLite and PostgreSQL, so that either can be restored from the other. Members:
``manifest.json``, ``tables/NAME.jsonl`` (an array for each row, columns as in the manifest; bytes
as ``{"base64": ...}``), ``images/SHA256.png``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from androscope.errors import RecordsError
from androscope.records.chain import canonical
from androscope.records.entries import Anchor

__all__ = [
    "FORMAT",
    "Manifest",
    "TableFacts",
    "check_archive",
    "decode_row",
    "encode_row",
    "read_manifest",
    "rows_of",
]

#: Its number is raised when older programs cannot read the file any more.
FORMAT = "androscope.records-backup/1"

_MANIFEST = "manifest.json"
_PIECE = 1 << 20


class TableFacts(BaseModel):
    """One table: its columns in order, how many rows, and the SHA-256 of its member."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    columns: list[str]
    rows: int
    sha256: str


class Manifest(BaseModel):
    """What a backup holds.

    ``images`` are the hashes of the pictures in it; ``None``: it was made without them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: str
    androscope: str
    created: AwareDatetime
    database: str
    revision: str
    log_count: int
    log_head: str
    tables: dict[str, TableFacts]
    images: list[str] | None

    @property
    def anchor(self) -> Anchor:
        """The log as it was when the backup was made."""
        return Anchor(self.log_count, self.log_head)


def encode_row(values: Iterator[Any]) -> bytes:
    """Give a row as a line."""
    cells = [
        {"base64": base64.b64encode(v).decode("ascii")} if isinstance(v, bytes) else v
        for v in values
    ]
    return canonical(cells).encode() + b"\n"


def decode_row(line: bytes) -> list[Any]:
    """Give a row of its line."""
    return [
        base64.b64decode(cell["base64"], validate=True) if isinstance(cell, dict) else cell
        for cell in json.loads(line)
    ]


def read_manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    """Read what a backup holds.

    Raises
    ------
    RecordsError
        If it is no backup, or one of a newer format.
    """
    try:
        text = archive.read(_MANIFEST)
        named = json.loads(text).get("format")
        if named != FORMAT:
            raise RecordsError(
                f"expected a backup of format {FORMAT}, got {named!r}",
                path=path,
                advice="Restore it with the androscope that made it",
            )
        return Manifest.model_validate_json(text)
    except (KeyError, AttributeError, ValueError, ValidationError, zipfile.BadZipFile) as error:
        raise _damaged(path, "it is no backup of records") from error


def rows_of(archive: zipfile.ZipFile, table: str) -> Iterator[list[Any]]:
    """Every row of a table, one by one."""
    with archive.open(f"tables/{table}.jsonl") as stream:
        for line in stream:
            yield decode_row(line)


def check_archive(path: Path) -> Manifest:
    """Hold every member against the manifest's hashes; gives the manifest.

    Raises
    ------
    RecordsError
        If a member is missing, altered or too much; the message names it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = read_manifest(archive, path)
            expected = {f"tables/{n}.jsonl": t.sha256 for n, t in manifest.tables.items()}
            expected |= {f"images/{sha256}.png": sha256 for sha256 in manifest.images or ()}
            names = [name for name in archive.namelist() if name != _MANIFEST]
            different = sorted(set(names) ^ expected.keys())
            if different or len(names) != len(set(names)):
                raise _damaged(path, f"members are missing or too much: {different[:3]}")
            for name, sha256 in expected.items():
                with archive.open(name) as stream:
                    if _sha256(stream) != sha256:
                        raise _damaged(path, f"{name} was altered: it has another hash")
            return manifest
    except FileNotFoundError as error:
        raise RecordsError("there is no such backup", path=path) from error
    except (OSError, zipfile.BadZipFile) as error:
        raise _damaged(path, f"it cannot be read ({error})") from error


def _sha256(stream: IO[bytes]) -> str:
    found = hashlib.sha256()
    while piece := stream.read(_PIECE):
        found.update(piece)
    return found.hexdigest()


def _damaged(path: Path, what: str) -> RecordsError:
    return RecordsError(
        f"the backup cannot be used: {what}",
        path=path,
        advice="Use another backup; nothing was changed",
    )

"""A form with files, taken from the wire straight to the disk; what is too much ends it at once."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from androscope.web.options import Limits
from androscope.web.uploads.names import shown_name
from androscope.web.uploads.refused import TooMuchError, UploadError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

__all__ = ["Received", "ReceivedFile", "receive"]

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file as received: its name is data, ``path`` is ours."""

    name: str
    path: Path
    size: int


@dataclass(slots=True)
class Received:
    """A form's fields, each once, and its files in order; on the disk, and not yet anybody's."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[ReceivedFile] = field(default_factory=list)

    def forget(self) -> None:
        """Remove the files."""
        for file in self.files:
            file.path.unlink(missing_ok=True)


async def receive(
    request: Request,
    folder: Path,
    limits: Limits,
    *,
    allow: Callable[[dict[str, str]], None] | None = None,
) -> Received:
    """Take a form with files.

    Memory holds one piece of it at a time. Files are synced to the disk when this returns.

    Parameters
    ----------
    folder
        Where files are kept, under names of our own.
    limits
        How many files and bytes; checked while they come.
    allow
        Called with the fields that stood before the first file, before that is kept; raises to
        refuse it.

    Raises
    ------
    TooMuchError
        If it is more than the limits allow.
    UploadError
        If it is no form, or breaks off.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise UploadError("expected a form with files (multipart/form-data)")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limits.upload_bytes:
        raise TooMuchError.of_bytes("the upload", limits.upload_bytes)
    form = _Form(folder, limits, allow)
    try:
        parser = MultipartParser(boundary, form.callbacks())
        async for piece in _pieces(request.stream()):
            await run_in_threadpool(_write, parser, piece)
            form.count(len(piece))
        parser.finalize()
        if not form.ended:
            raise UploadError("the upload broke off")
        await run_in_threadpool(_sync, form.received.files, folder)
    except BaseException as error:
        form.close()
        form.received.forget()
        if isinstance(error, FormParserError):
            raise UploadError("the upload is damaged: it is no form with files") from error
        if isinstance(error, ClientDisconnect):
            raise UploadError("the upload broke off") from error
        raise
    return form.received


async def _pieces(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Gather small pieces, so that not each of them crosses into a thread."""
    held = bytearray()
    async for piece in stream:
        held += piece
        if len(held) >= _PIECE:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _write(parser: MultipartParser, piece: bytes) -> None:
    parser.write(piece)


def _sync(files: Iterable[ReceivedFile], folder: Path) -> None:
    for path in [*(file.path for file in files), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class _Form:
    """What the parser calls back."""

    def __init__(
        self, folder: Path, limits: Limits, allow: Callable[[dict[str, str]], None] | None
    ) -> None:
        self.received = Received()
        self.ended = False
        self._folder, self._limits, self._allow = folder, limits, allow
        self._total = 0
        self._header, self._value = b"", b""
        self._disposition = b""
        self._name = ""
        self._text: bytearray | None = None
        self._file: tuple[str, Path, BinaryIO] | None = None
        self._size = 0

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def count(self, size: int) -> None:
        self._total += size
        if self._total > self._limits.upload_bytes:
            raise TooMuchError.of_bytes("the upload", self._limits.upload_bytes)

    def close(self) -> None:
        if self._file is not None:
            _, path, stream = self._file
            stream.close()
            path.unlink(missing_ok=True)
            self._file = None

    def _part_begin(self) -> None:
        self._header, self._value, self._disposition = b"", b"", b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header, self._value = b"", b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise UploadError("the upload is damaged: a part of the form has no name")
        self._name = options[b"name"].decode("utf-8", "replace")
        self._size = 0
        if b"filename" not in options:
            if len(self.received.fields) >= self._limits.fields:
                raise TooMuchError(f"a form may have {self._limits.fields} fields, got more")
            self._text = bytearray()
            return
        if not self.received.files and self._allow is not None:
            self._allow(self.received.fields)
        if len(self.received.files) >= self._limits.files:
            raise TooMuchError(
                f"an upload may have {self._limits.files} files, got more",
                advice="Upload them in several parts: images can be added to a sample",
            )
        name = shown_name(options[b"filename"])
        path = self._folder / uuid.uuid4().hex
        self._file = (name, path, path.open("xb"))

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._file is not None:
            name, _, stream = self._file
            if self._size > self._limits.file_bytes:
                raise TooMuchError.of_bytes(name, self._limits.file_bytes)
            stream.write(memoryview(data)[start:end])
        elif self._text is not None:
            if self._size > self._limits.field_bytes:
                raise TooMuchError.of_bytes(f"the field {self._name}", self._limits.field_bytes)
            self._text += data[start:end]

    def _part_end(self) -> None:
        if self._file is not None:
            name, path, stream = self._file
            stream.close()
            self._file = None
            if name or self._size:  # a browser sends an empty file where none was chosen
                self.received.files.append(ReceivedFile(name or "unnamed", path, self._size))
            else:
                path.unlink()
        elif self._text is not None:
            self.received.fields[self._name] = self._text.decode("utf-8", "replace")
            self._text = None

    def _end(self) -> None:
        self.ended = True

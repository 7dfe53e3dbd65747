"""Files graded for one request and not kept: by the same two processes that grade samples."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from androscope.errors import AndroscopeError, BundleError
from androscope.types import Failure
from androscope.web.uploads.receive import ReceivedFile
from androscope.web.uploads.refused import BusyError
from androscope.web.work.process import Worker
from androscope.web.work.wire import (
    Decoded,
    DecodeTask,
    Graded,
    GradeTask,
    Heat,
    HeatTask,
    Stopped,
    WirePicture,
)

__all__ = ["Direct", "DirectPicture"]

#: Requests at once; further ones are answered with 429.
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class DirectPicture:
    """One picture of a file, and what was found in it."""

    name: str
    index: int | None
    graded: Graded


class Direct:
    """Grades files of a request in the server's working processes.

    Parameters
    ----------
    decoder, grader
        The processes; shared with the queue, one picture at a time.
    folder
        Where a decoded picture lies while it is graded.
    """

    def __init__(self, decoder: Worker, grader: Worker, folder: Path) -> None:
        self._decoder, self._grader, self._folder = decoder, grader, folder
        self._room = threading.BoundedSemaphore(_AT_ONCE)

    def assess(
        self, files: list[ReceivedFile], settings: GradeTask
    ) -> list[DirectPicture | Failure]:
        """Grade each picture of each file, in order; one that cannot be is a failure.

        Parameters
        ----------
        settings
            A task whose ``path``, ``name`` and ``pixel_size_um`` are filled in for each picture.

        Raises
        ------
        BusyError
            If too many requests do this already.
        """
        if not self._room.acquire(blocking=False):
            raise BusyError(
                f"{_AT_ONCE} requests are being graded, and no more may be at once",
                advice="Try again in half a minute, or make a sample, whose images may wait",
            )
        try:
            return [found for file in files for found in self._file(file, settings)]
        finally:
            self._room.release()

    def heat(self, task: HeatTask) -> bytes:
        """Draw where the model looked in a crop, as a PNG.

        Raises
        ------
        BusyError
            If too many requests ask already.
        BundleError
            If the model that graded the crop is not at hand.
        """
        if not self._room.acquire(blocking=False):
            raise BusyError("too many ask where the model looked", advice="Try again")
        try:
            reply = self._grader.ask(task)
        finally:
            self._room.release()
        if isinstance(reply, Heat):
            return reply.png
        assert isinstance(reply, Stopped)
        raise BundleError(reply.reason, advice=reply.advice)

    def _file(self, file: ReceivedFile, settings: GradeTask) -> Iterator[DirectPicture | Failure]:
        try:
            decoded = self._decoder.ask(DecodeTask(path=str(file.path), name=file.name))
        except AndroscopeError as error:
            yield Failure(file.name, None, error.code, error.reason, error.advice)
            return
        if not isinstance(decoded, Decoded):
            yield _failure(file.name, None, decoded)
            return
        for picture in decoded.pictures:
            yield (
                picture
                if isinstance(picture, Failure)
                else self._grade(file.name, picture, settings)
            )

    def _grade(
        self, name: str, picture: WirePicture, settings: GradeTask
    ) -> DirectPicture | Failure:
        path = self._folder / f"{uuid.uuid4().hex}.png"
        page = "" if picture.index is None else f"[{picture.index}]"
        facts = {
            "path": str(path),
            "name": f"{name}{page}",
            "pixel_size_um": picture.pixel_size_um,
            "chroma": picture.chroma,
        }
        try:
            path.write_bytes(picture.png)
            reply = self._grader.ask(settings.model_copy(update=facts))
        except AndroscopeError as error:
            return Failure(name, picture.index, error.code, error.reason, error.advice)
        finally:
            path.unlink(missing_ok=True)
        if isinstance(reply, Graded):
            return DirectPicture(name, picture.index, reply)
        return _failure(name, picture.index, reply)


def _failure(name: str, index: int | None, said: Decoded | Graded | Heat | Stopped) -> Failure:
    assert isinstance(said, Stopped)
    return Failure(name, index, said.code, said.reason, said.advice)

"""Images: each kept once, by its hash, without a tag; names are data and never paths."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from androscope.errors import RecordExistsError, RecordMissingError
from androscope.records.chain import canonical
from androscope.records.clean import CleanFile, CleanPicture, check_clean
from androscope.records.database import AnyRow, Database
from androscope.records.entries import EventKind
from androscope.records.jobs import queue
from androscope.records.log import appending
from androscope.records.pictures import Pictures
from androscope.records.samples import sample_of
from androscope.records.states import failures_that_stand, refresh
from androscope.records.tables import FailureRow, FileRow, ImageRow
from androscope.records.types import Image
from androscope.types import Failure

__all__ = ["Images", "image_of", "images_of"]

_JOINED = select(
    ImageRow.id, ImageRow.sample_id, FileRow.replicate, FileRow.name, ImageRow.page,
    ImageRow.sha256, FileRow.sha256.label("original"), ImageRow.width, ImageRow.height,
    ImageRow.pixel_size_um, ImageRow.chroma_sha256, ImageRow.notes,
).join_from(ImageRow, FileRow, FileRow.id == ImageRow.file_id)  # fmt: skip
_LONGEST = 1000


class Images:
    """The area ``records.images``."""

    def __init__(self, database: Database, pictures: Pictures) -> None:
        self._database = database
        self._pictures = pictures

    def add(
        self,
        sample_id: int,
        file: CleanFile,
        *,
        replicate: str = "1",
        actor: str,
        graded_later: bool = True,
    ) -> tuple[Image, ...]:
        """Keep a file's pictures; those that could not be read are kept as failures.

        The pictures are on the disk before the rows are. A picture is kept once, in however many
        samples it is. The same file again gives what was kept the first time.

        Parameters
        ----------
        file
            From :func:`androscope.records.clean.clean_file`, which may run in another process.
        replicate
            Of which it is.
        graded_later
            Queue a job of kind ``grade`` for each picture.

        Raises
        ------
        RecordMissingError
            If there is no such sample.
        RecordExistsError
            If the sample has a file of that name in that replicate, with other content.
        OutputError
            If the pictures cannot be written.
        ValueError
            If a picture's PNG holds anything but pixels, or a name is blank or too long.
        """
        for what, text in (("a file", file.name), ("a replicate", replicate)):
            if not text.strip() or len(text) > _LONGEST or "\0" in text:
                raise ValueError(f"the name of {what} is 1 to {_LONGEST} characters")
        sizes = [check_clean(p.png) for p in file.pictures if isinstance(p, CleanPicture)]
        kept = [self._put(p) for p in file.pictures if isinstance(p, CleanPicture)]
        rows = iter(zip(kept, sizes, strict=True))
        with appending(self._database) as log:
            connection = log.connection
            sample_of(connection, sample_id)
            before = connection.execute(
                select(FileRow.id, FileRow.sha256).where(
                    FileRow.sample_id == sample_id,
                    FileRow.replicate == replicate,
                    FileRow.name == file.name,
                )
            ).one_or_none()
            if before is not None:
                if before.sha256 == file.sha256:
                    return _of_file(connection, before.id)
                raise RecordExistsError(
                    f"the sample has another file {file.name!r} in replicate {replicate!r}",
                    advice="Rename the file, or put it into another replicate",
                )
            named = {"replicate": replicate, "name": file.name, "sha256": file.sha256}
            file_id = _insert(connection, FileRow, sample_id=sample_id, **named)
            said: builtins.list[dict[str, Any]] = []
            for picture in file.pictures:
                if isinstance(picture, Failure):
                    values = _failure_values(picture)
                    row = _insert(
                        connection, FailureRow, sample_id=sample_id, file_id=file_id,
                        image_id=None, **values,
                    )  # fmt: skip
                    said.append({"failure": row, **values})
                    continue
                (sha256, chroma), (width, height) = next(rows)
                values = {
                    "page": picture.index, "sha256": sha256, "width": width, "height": height,
                    "pixel_size_um": picture.pixel_size_um, "chroma_sha256": chroma,
                }  # fmt: skip
                row = _insert(
                    connection, ImageRow, sample_id=sample_id, file_id=file_id,
                    notes=canonical(list(picture.notes)), **values,
                )  # fmt: skip
                said.append({"image": row, "notes": list(picture.notes), **values})
                if graded_later:
                    queue(connection, "grade", sample_id=sample_id, image_id=row)
            kind = EventKind.IMAGE if kept else EventKind.UNREADABLE
            log.add(
                kind, actor, sample_id=sample_id, data={"file": file_id, **named, "pictures": said}
            )
            refresh(connection, sample_id)
            return _of_file(connection, file_id)

    def _put(self, picture: CleanPicture) -> tuple[str, str | None]:
        """Keep a picture, and how coloured it was; gives the hash of each."""
        if picture.chroma is None:
            return self._pictures.put(picture.png), None
        check_clean(picture.chroma)
        return self._pictures.put(picture.png), self._pictures.put(picture.chroma)

    def get(self, image_id: int) -> Image:
        """Give an image. Raises :class:`RecordMissingError`."""
        with self._database.read() as connection:
            return image_of(connection, image_id)

    def list(self, sample_id: int) -> tuple[Image, ...]:
        """List a sample's images in the order they came."""
        with self._database.read() as connection:
            return images_of(connection, sample_id)

    def failures(self, sample_id: int) -> tuple[tuple[str, Failure], ...]:
        """List ``(replicate, failure)`` of what could not be used, grading's failures too."""
        with self._database.read() as connection:
            return failures_of(connection, sample_id)

    def path(self, sha256: str) -> Path:
        """Where a picture's PNG lies. Raises :class:`RecordMissingError` if it does not."""
        return self._pictures.path(sha256)


def image_of(connection: Connection, image_id: int) -> Image:
    """Give an image. Raises :class:`RecordMissingError`."""
    row = connection.execute(_JOINED.where(ImageRow.id == image_id)).one_or_none()
    if row is None:
        raise RecordMissingError(f"there is no image {image_id}")
    return _image(row)


def images_of(connection: Connection, sample_id: int) -> tuple[Image, ...]:
    """List a sample's images in the order they came."""
    query = _JOINED.where(ImageRow.sample_id == sample_id).order_by(ImageRow.id)
    return tuple(_image(row) for row in connection.execute(query))


def failures_of(connection: Connection, sample_id: int) -> tuple[tuple[str, Failure], ...]:
    """List ``(replicate, failure)`` of what could not be used and still is not."""
    query = (
        select(*FailureRow.__table__.c, FileRow.name, FileRow.replicate)
        .join_from(FailureRow, FileRow, FileRow.id == FailureRow.file_id)
        .where(FailureRow.sample_id == sample_id, failures_that_stand())
        .order_by(FailureRow.id)
    )
    return tuple(
        (row.replicate, Failure(row.name, row.page, row.code, row.reason, row.advice))
        for row in connection.execute(query)
    )


def _of_file(connection: Connection, file_id: int) -> tuple[Image, ...]:
    query = _JOINED.where(ImageRow.file_id == file_id).order_by(ImageRow.id)
    return tuple(_image(row) for row in connection.execute(query))


def _image(row: AnyRow) -> Image:
    return Image(
        id=row.id,
        sample_id=row.sample_id,
        replicate=row.replicate,
        name=row.name,
        index=row.page,
        sha256=row.sha256,
        original_sha256=row.original,
        width=row.width,
        height=row.height,
        pixel_size_um=row.pixel_size_um,
        chroma_sha256=row.chroma_sha256,
        notes=tuple(json.loads(row.notes)),
    )


def _failure_values(failure: Failure) -> dict[str, Any]:
    return {
        "page": failure.index, "code": failure.code, "reason": failure.reason,
        "advice": failure.advice,
    }  # fmt: skip


def _insert(connection: Connection, table: Any, **values: Any) -> int:
    made = connection.execute(insert(table).values(**values)).inserted_primary_key
    assert made is not None  # each of these tables has a key that the database gives
    return int(made[0])

"""Images: each kept once, by its hash, without a tag; names are data and never paths."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from androscope.records.clean import CleanPicture
from androscope.records.types import Image
from androscope.types import Failure

__all__ = ["Images"]


class Images:
    """The area ``records.images``."""

    def add(
        self,
        sample_id: int,
        pictures: Sequence[CleanPicture | Failure],
        *,
        name: str,
        replicate: str = "1",
        actor: str,
        queue: bool = True,
    ) -> tuple[Image, ...]:
        """Keep the pictures of one file; what could not be read is kept as a failure.

        The files are on the disk before the rows are. The same picture in two samples is kept once.

        Parameters
        ----------
        pictures
            From :func:`androscope.records.clean.clean_pictures`, which may run in another process.
        queue
            Also queue a job of kind ``grade`` for each picture.

        Raises
        ------
        RecordMissingError
            If there is no such sample.
        RecordExistsError
            If the sample has a file of that name in that replicate, with other content. The same
            file again gives what was kept the first time.
        ValueError
            If a picture's PNG holds anything but pixels, or is none.
        """
        raise NotImplementedError

    def get(self, image_id: int) -> Image:
        """Give an image. Raises :class:`RecordMissingError`."""
        raise NotImplementedError

    def list(self, sample_id: int) -> tuple[Image, ...]:
        """List a sample's images in the order they came."""
        raise NotImplementedError

    def failures(self, sample_id: int) -> tuple[tuple[str, Failure], ...]:
        """List ``(replicate, failure)`` of what could not be used, grading's failures too."""
        raise NotImplementedError

    def path(self, sha256: str) -> Path:
        """Where a picture's PNG lies. Raises :class:`RecordMissingError` if there is none."""
        raise NotImplementedError

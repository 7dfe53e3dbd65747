"""Crops: what was found in an image, the model's opinion on it, and the verdicts that stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from androscope.records.types import CropRecord, Find, Job, Page, StoredModel
from androscope.types import UInt8Array

__all__ = ["Crops"]


class Crops:
    """The area ``records.crops``."""

    def add(
        self,
        image_id: int,
        finds: Sequence[Find],
        model: StoredModel,
        *,
        kind: str,
        actor: str = "androscope",
        notes: Sequence[str] = (),
        head_length_px: float | None = None,
        scale_origin: str | None = None,
        job: Job | None = None,
    ) -> tuple[CropRecord, ...]:
        """Keep what grading found in an image, its opinion, and that its job is done: at once.

        Parameters
        ----------
        kind
            What the image was taken for: ``field`` or ``crop``.
        notes, head_length_px, scale_origin
            What grading saw in the picture, for the report.
        job
            The job that asked for it.

        Raises
        ------
        RecordExistsError
            If the image was graded: an opinion is never overwritten.
        RecordConflictError
            If the job was cancelled or given to another worker.
        """
        raise NotImplementedError

    def get(self, crop_id: int) -> CropRecord:
        """Give a crop as it stands. Raises :class:`RecordMissingError`."""
        raise NotImplementedError

    def list(
        self,
        sample_id: int,
        *,
        image_id: int | None = None,
        order: Literal["number", "need"] = "number",
        graded_only: bool = False,
        reviewed: bool | None = None,
        page: int = 1,
        per_page: int = 500,
    ) -> Page[CropRecord]:
        """List a sample's crops: as found, or those first that need a person most.

        By need, those come first that nobody has reviewed, then the larger ``need``.
        """
        raise NotImplementedError

    def pixels(self, crop_id: int) -> UInt8Array | None:
        """Give a crop ``(S, S)`` as graded; ``None`` where nothing was cut."""
        raise NotImplementedError

    def png(self, crop_id: int) -> bytes | None:
        """Give a crop's PNG as kept."""
        raise NotImplementedError

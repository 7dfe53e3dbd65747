"""Reviews: each change a person makes is an entry of the log; nothing is overwritten."""

from __future__ import annotations

from collections.abc import Mapping

from androscope.records.types import CropRecord, Event, Observation
from androscope.types import Verdict

__all__ = ["Reviews"]


class Reviews:
    """The area ``records.reviews``."""

    def verdict(
        self,
        crop_id: int,
        part: str,
        to: Verdict,
        *,
        actor: str,
        why: str = "",
        expected: Verdict | None = None,
    ) -> CropRecord:
        """Change the verdict on a part; gives the crop as it stands then.

        Saying what stands already changes nothing but that the crop was reviewed.

        Parameters
        ----------
        expected
            What the person saw when they decided.

        Raises
        ------
        RecordMissingError
            If there is no such crop.
        RecordConflictError
            If another verdict than ``expected`` stands by now.
        ValueError
            If the model did not grade that part.
        """
        raise NotImplementedError

    def sperm(self, crop_id: int, is_sperm: bool, *, actor: str, why: str = "") -> CropRecord:
        """Say that a find is no sperm, or is one after all."""
        raise NotImplementedError

    def accept(self, crop_id: int, *, actor: str, why: str = "") -> CropRecord:
        """Say that a person looked at the crop and agrees with what stands."""
        raise NotImplementedError

    def undo(
        self, crop_id: int, *, actor: str, number: int | None = None, why: str = ""
    ) -> CropRecord:
        """Take back the last change of a crop that still stands, by a further entry.

        Parameters
        ----------
        number
            Number of the entry that is meant, so that another person's is not taken back unseen.

        Raises
        ------
        RecordConflictError
            If there is nothing to take back, or ``number`` is not the last change.
        """
        raise NotImplementedError

    def observe(
        self,
        crop_id: int,
        verdicts: Mapping[str, Verdict],
        *,
        observer: str,
        is_sperm: bool = True,
    ) -> Event:
        """Record a blinded observer's own opinion; the crop's verdicts stay as they are."""
        raise NotImplementedError

    def observations(self, sample_id: int, observer: str | None = None) -> tuple[Observation, ...]:
        """Give each observer's last opinion on each crop of a sample."""
        raise NotImplementedError

    def history(self, crop_id: int) -> tuple[Event, ...]:
        """Give all that was ever said of a crop, in order."""
        raise NotImplementedError

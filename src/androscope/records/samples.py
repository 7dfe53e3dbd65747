"""Samples: made, listed, found."""

from __future__ import annotations

from collections.abc import Mapping

from androscope.records.types import Page, SampleStatus, SampleSummary

__all__ = ["Samples"]


class Samples:
    """The area ``records.samples``."""

    def create(
        self,
        name: str,
        *,
        actor: str,
        pixel_size_um: float | None = None,
        comment: str = "",
        settings: Mapping[str, str] | None = None,
    ) -> SampleSummary:
        """Make a sample.

        Raises
        ------
        RecordExistsError
            If there is one of that name.
        ValueError
            If the name is blank or longer than 200 characters, or the pixel size not above 0.
        """
        raise NotImplementedError

    def get(self, sample_id: int) -> SampleSummary:
        """Give a sample as it stands. Raises :class:`RecordMissingError`."""
        raise NotImplementedError

    def named(self, name: str) -> SampleSummary | None:
        """Give the sample of that name, if there is one."""
        raise NotImplementedError

    def list(
        self,
        *,
        search: str = "",
        status: SampleStatus | None = None,
        page: int = 1,
        per_page: int = 25,
    ) -> Page[SampleSummary]:
        """List samples, the newest first; ``search`` is looked for in names and comments."""
        raise NotImplementedError

"""The log as it can be read; it is written by the other areas alone."""

from __future__ import annotations

from collections.abc import Iterator

from androscope.records.types import Anchor, Event, Page

__all__ = ["Log"]


class Log:
    """The area ``records.log``."""

    def anchor(self) -> Anchor:
        """Give how long the log is, and the hash of its last entry."""
        raise NotImplementedError

    def events(
        self, *, sample_id: int | None = None, page: int = 1, per_page: int = 100
    ) -> Page[Event]:
        """List entries, the newest first."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Event]:
        """Every entry in order, read in pieces."""
        raise NotImplementedError

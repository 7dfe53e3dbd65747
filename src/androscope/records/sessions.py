"""Sessions of the page: the cookie's secret is kept hashed."""

from __future__ import annotations

from androscope.records.people import Session

__all__ = ["Sessions"]


class Sessions:
    """The area ``records.sessions``."""

    def create(self, user_id: int, *, lasts_s: float = 12 * 3600) -> tuple[str, Session]:
        """Begin a session; gives the cookie's secret, which is not kept, and the session."""
        raise NotImplementedError

    def get(self, secret: str) -> Session | None:
        """Give the session of a cookie; ``None`` if it is unknown, over or its user shut out."""
        raise NotImplementedError

    def end(self, secret: str) -> None:
        """End a session; nothing happens if it is over."""
        raise NotImplementedError

    def clear(self) -> int:
        """Forget the sessions that are over; gives how many."""
        raise NotImplementedError

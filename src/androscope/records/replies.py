"""What is kept against brute force and against requests sent twice."""

from __future__ import annotations

from androscope.records.people import Reply

__all__ = ["Attempts", "Replies"]


class Attempts:
    """The area ``records.attempts``: failed attempts to log in."""

    def add(self, name: str, address: str) -> None:
        """Remember a failed attempt."""
        raise NotImplementedError

    def count(self, *, name: str, address: str, within_s: float) -> tuple[int, int]:
        """How many failed of late for that name, and from that address."""
        raise NotImplementedError

    def clear(self, *, name: str) -> None:
        """Forget a name's attempts, when it has come in; those older than a day go too."""
        raise NotImplementedError


class Replies:
    """The area ``records.replies``: answers by idempotency key."""

    def get(self, key: str, *, user: str) -> Reply | None:
        """Give the answer kept for that key of that user."""
        raise NotImplementedError

    def put(self, key: str, reply: Reply, *, user: str) -> Reply:
        """Keep an answer; gives the one that was kept first, if another request was quicker."""
        raise NotImplementedError

    def clear(self, *, older_than_s: float = 24 * 3600) -> int:
        """Forget answers older than that; gives how many."""
        raise NotImplementedError

"""What one server holds while it runs, and how a route gets at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import Request

from androscope.records.store import Records
from androscope.web.offered import Offer
from androscope.web.options import ServeOptions
from androscope.web.work.dispatch import Dispatcher
from androscope.web.work.learn import Learner

__all__ = ["Changes", "State", "state_of"]


class Changes:
    """Tells those who watch a sample that something of it changed.

    Made and watched in the server's event loop; :meth:`tell` may be called from any thread.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._watchers: dict[int, set[asyncio.Event]] = {}
        self.closing = False

    def tell(self, sample_id: int) -> None:
        """Wake those who watch a sample."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._set, sample_id)

    def close(self) -> None:
        """Wake everybody for the last time."""
        self.closing = True
        for sample_id in list(self._watchers):
            self._set(sample_id)

    @asynccontextmanager
    async def watch(self, sample_id: int) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set at each change."""
        event = asyncio.Event()
        self._watchers.setdefault(sample_id, set()).add(event)
        try:
            yield event
        finally:
            watchers = self._watchers[sample_id]
            watchers.discard(event)
            if not watchers:
                del self._watchers[sample_id]

    def _set(self, sample_id: int) -> None:
        for event in self._watchers.get(sample_id, ()):
            event.set()


@dataclass(slots=True)
class State:
    """One server's records and options; the rest is there once it runs."""

    records: Records
    options: ServeOptions
    offer: Offer
    learner: Learner
    dispatcher: Dispatcher | None = None
    changes: Changes | None = field(default=None)

    def wake(self, sample_id: int) -> None:
        """Say that a sample has new work or news."""
        if self.dispatcher is not None:
            self.dispatcher.wake()
        if self.changes is not None:
            self.changes.tell(sample_id)


def state_of(request: Request) -> State:
    """The state of the server that got a request; also a dependency."""
    state: State = request.app.state.androscope
    return state

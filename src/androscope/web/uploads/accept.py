"""An upload accepted: while there is room, from who meant it, with as many files as it may have."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from androscope.web.security.callers import Caller
from androscope.web.security.guard import check_token
from androscope.web.state import State
from androscope.web.uploads.queue import check_room
from androscope.web.uploads.receive import Received, receive

__all__ = ["accept"]


async def accept(
    request: Request, caller: Caller, state: State, check_files: Callable[[int], None]
) -> Received:
    """Take a form's files; they are removed again if anything is wrong with it.

    Parameters
    ----------
    check_files
        Called with how many files came; raises to refuse them.

    Raises
    ------
    BusyError
        If too much waits already.
    UploadError, TooMuchError
        As :func:`~androscope.web.uploads.receive.receive` does.
    """
    limits = state.options.limits
    await run_in_threadpool(check_room, state.records, limits)
    received = await receive(
        request,
        state.options.incoming,
        limits,
        allow=lambda fields: check_token(request, caller, fields),
    )
    try:
        check_token(request, caller, received.fields)
        check_files(len(received.files))
        await run_in_threadpool(check_room, state.records, limits, len(received.files))
    except BaseException:
        received.forget()
        raise
    return received

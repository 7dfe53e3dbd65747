"""Sessions that are kept, so that grading in a loop makes none twice.

A session takes far longer to make than an image to grade.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from threading import Lock

from androscope.model.bundle import Bundle
from androscope.model.session import Session
from androscope.settings import Backend

__all__ = ["kept_session"]

# The card is part of the key (its thresholds may be edited), and so is the process: onnxruntime's
# threads do not survive a fork.
_KEPT = 2
_sessions: OrderedDict[tuple[int, str, int, Backend], Session] = OrderedDict()
_lock = Lock()


def kept_session(bundle: Bundle, threads: int, backend: Backend = "onnxruntime") -> Session:
    """Give the session of ``bundle``, made now or before; the last two are kept."""
    key = (os.getpid(), bundle.card.to_json(), threads, backend)
    with _lock:
        if key not in _sessions:
            _sessions[key] = Session(bundle, threads=threads, backend=backend)
            while len(_sessions) > _KEPT:
                _sessions.popitem(last=False)
        _sessions.move_to_end(key)
        return _sessions[key]

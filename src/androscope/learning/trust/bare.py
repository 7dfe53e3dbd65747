"""A model's session before its card is whole: what the graph itself gives."""

from __future__ import annotations

import hashlib
from pathlib import Path

from androscope.model.bundle import Bundle
from androscope.model.card import Card, CardDraft
from androscope.model.session import Session

__all__ = ["bare_session"]


def bare_session(draft: CardDraft, model: bytes, *, threads: int = 0) -> Session:
    """Open ``model`` with neither calibration, nor conformal data, nor checks in its card."""
    known = draft.model_dump(exclude={"model_sha256", "model_bytes"})
    card = Card(
        **known | {"calibration": None, "conformal": None, "checks": None},
        model_sha256=hashlib.sha256(model).hexdigest(),
        model_bytes=len(model),
    )
    return Session(Bundle(Path(), card, model), threads=threads)

"""A model's session before its card is whole: what the graph itself gives."""

from __future__ import annotations

import hashlib
from pathlib import Path

from androscope.model.bundle import Bundle
from androscope.model.card import Card, CardDraft
from androscope.model.session import Session

__all__ = ["bare_session"]


def bare_session(
    draft: CardDraft, model: bytes, *, threads: int = 0, calibrated: bool = False
) -> Session:
    """Open ``model`` without checks, and without calibration unless ``calibrated``."""
    known = draft.model_dump(exclude={"model_sha256", "model_bytes"})
    bare = {} if calibrated else {"calibration": None, "conformal": None}
    card = Card(
        **known | bare | {"checks": None},
        model_sha256=hashlib.sha256(model).hexdigest(),
        model_bytes=len(model),
    )
    return Session(Bundle(Path(), card, model), threads=threads)

"""The nearest known word to one that is not known, for messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["closest"]


def closest(word: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that is most like ``word``; ``None`` if none is like it."""
    # Without regard to case: difflib finds `adamW` far from nothing but `adamw`.
    folded = {k.lower(): k for k in known}
    near = difflib.get_close_matches(word.lower(), list(folded), n=1)
    return folded[near[0]] if near else None

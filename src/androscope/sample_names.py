"""What a report may say of files: their names in the sample, nothing else of this machine."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from androscope.types import Failure

__all__ = ["renamed", "shown_name", "without_details"]


def shown_name(name: str) -> str:
    """A name with the bytes that are no UTF-8 escaped: reports are text."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def renamed(source: str, path: Path, name: str) -> str:
    """``source`` with the file's place on this machine taken out of it."""
    return name + source.removeprefix(str(path)) if source.startswith(str(path)) else source


def without_details(failure: Failure) -> Failure:
    """Leave out a decoder's own words, which may quote the file's tags."""
    if not failure.reason.startswith("truncated or damaged"):
        return failure
    return replace(failure, reason=re.sub(r" \(.*\)", "", failure.reason))

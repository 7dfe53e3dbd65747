"""The log of a sample in words: who said what, when."""

from __future__ import annotations

from collections.abc import Mapping

from androscope.records.entries import Event, EventKind
from androscope.web.texts import text

__all__ = ["said"]


def said(event: Event) -> str:
    """What an entry says, in one line."""
    data, crop = event.data, event.crop_id
    match event.kind:
        case EventKind.IMAGE | EventKind.UNREADABLE:
            name = data.get("name") or data.get("reason") or ""
            return text(f"history.{event.kind.value}", name=name)
        case EventKind.GRADED:
            return text("history.graded", count=_length(data, "crops"))
        case EventKind.VERDICT:
            words = {key: text(f"outcome.{data[key]}") for key in ("from", "to")}
            return text("history.verdict", crop=crop, part=data["part"], words=_arrow(words))
        case EventKind.SPERM:
            return text("history.sperm" if data["to"] else "history.no_sperm", crop=crop)
        case EventKind.UNDO:
            return text("history.undo", crop=crop, number=data["undoes"])
        case EventKind.SIGN:
            return text("history.sign", version=data["version"])
        case EventKind.ACCEPT | EventKind.OBSERVE:
            return text(f"history.{event.kind.value}", crop=crop)
        case EventKind.SAMPLE:
            return text("history.sample")
        case _:
            return event.kind.value


def _length(data: Mapping[str, object], key: str) -> int:
    found = data.get(key)
    return len(found) if isinstance(found, list | tuple) else 0


def _arrow(words: Mapping[str, str]) -> str:
    return f"{words['from']} → {words['to']}"

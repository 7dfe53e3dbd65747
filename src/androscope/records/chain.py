"""The chain of the log, pure: what is hashed, and how an entry holds the one before it.

An entry's hash is the SHA-256 of the previous entry's hash (64 hex digits; zeros before the first),
a line feed, and the entry as canonical JSON: UTF-8, keys sorted, no blanks, no escapes but those
JSON asks for, numbers as Python prints them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

__all__ = ["GENESIS", "canonical", "chained", "digest", "from_text", "now", "parsed"]

#: What stands for the hash of the entry before the first.
GENESIS = "0" * 64


def canonical(value: object) -> str:
    """Give ``value`` as canonical JSON. Raises :class:`ValueError` for NaN and infinities."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )


def digest(content: str | bytes) -> str:
    """SHA-256 in hex, of text as UTF-8."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def chained(
    previous: str,
    *,
    number: int,
    at: str,
    actor: str,
    kind: str,
    sample_id: int | None,
    crop_id: int | None,
    data: object,
) -> str:
    """Hash of an entry behind one whose hash is ``previous``."""
    body = canonical(
        {
            "number": number,
            "at": at,
            "actor": actor,
            "kind": kind,
            "sample": sample_id,
            "crop": crop_id,
            "data": data,
        }
    )
    return digest(f"{previous}\n{body}")


def now() -> str:
    """Give the time as it is kept: ISO 8601, UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Read a time as it is kept."""
    return datetime.fromisoformat(text)


def parsed(text: str) -> Mapping[str, object]:
    """Read an object kept as canonical JSON."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, got {type(value).__name__}")
    return value

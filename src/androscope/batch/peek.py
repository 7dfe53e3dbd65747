"""What a batch would do, without doing it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from androscope.batch.measure import Speed
from androscope.batch.run import Batch
from androscope.batch.sources import Content
from androscope.batch.state import JOURNAL, folder_of

__all__ = ["Plan", "kept_rows", "plan_of"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch would read, and how long it would take here.

    Attributes
    ----------
    contents
        Of each source.
    kept
        Rows of an unfinished batch at the output.
    speed
        Of one thread.
    seconds
        For all images by that speed, with as many threads or processes as asked for; ``None`` if a
        source does not say how many it holds. Reading and decoding are not counted.
    """

    contents: tuple[Content, ...]
    kept: int
    speed: Speed
    seconds: float | None


def plan_of(batch: Batch) -> Plan:
    """Count and measure. Raises as :meth:`Batch.contents`."""
    found = tuple(batch.contents())
    speed = batch.speed()
    counts = [content.images for content in found if content.images is not None]
    seconds = None
    if len(counts) == len(found):
        seconds = sum(counts) * speed.seconds / (batch.workers or batch.threads)
    return Plan(found, kept_rows(batch.out), speed, seconds)


def kept_rows(out: Path) -> int:
    """Rows in the journal of an unfinished batch; 0 if there is none. Nothing is changed."""
    try:
        lines = (folder_of(out) / JOURNAL).read_bytes().split(b"\n")[:-1]
        return sum(json.loads(line).get("rows", 0) for line in lines)
    except (OSError, ValueError, AttributeError):
        return 0

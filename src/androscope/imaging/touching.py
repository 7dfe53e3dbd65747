"""Heads that the frame cuts, and heads that touch each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from androscope.imaging.located import Flag, Located

__all__ = ["flagged"]


def flagged(items: Sequence[Located], size: tuple[int, int]) -> tuple[Located, ...]:
    """Mark heads that the frame of ``size`` (width, height) cuts, and those that touch another."""
    touching: set[int] = set()
    for a, first in enumerate(items):
        for b in range(a):
            second = items[b]
            if first.is_sperm and second.is_sperm and _touch(first, second):
                touching |= {a, b}
    result = []
    for number, item in enumerate(items):
        flags: set[Flag] = set(item.flags)
        left, top, right, bottom = item.box
        if left < 0 or top < 0 or right > size[0] or bottom > size[1]:
            flags.add("edge")
        if number in touching:
            flags.add("overlapping")
        result.append(replace(item, flags=frozenset(flags)))
    return tuple(result)


def _touch(a: Located, b: Located) -> bool:
    """Whether two heads' ellipses reach each other along the line between their centres."""
    gap = math.hypot(a.x - b.x, a.y - b.y)
    if gap > (a.length + b.length) / 2:
        return False
    way = math.atan2(-(b.y - a.y), b.x - a.x)
    return gap < _reach(a, way) + _reach(b, way)


def _reach(item: Located, way: float) -> float:
    turn = way - math.radians(item.angle_deg)
    long, short = item.length / 2, item.width / 2
    return long * short / math.hypot(short * math.cos(turn), long * math.sin(turn))

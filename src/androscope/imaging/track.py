"""One sperm seen in many frames is one sperm: finds joined from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Track", "follow"]

#: Furthest a head may be from where it is expected, head lengths.
_GATE = 1.5
#: Frames a sperm may be lost for, behind another or out of focus.
_LOST = 3


@dataclass(slots=True)
class Track:
    """One thing followed.

    Attributes
    ----------
    seen
        ``(frame, number)`` of each find that is it: which frame, and which of that frame's points.
    """

    seen: list[tuple[int, int]] = field(default_factory=list)
    _places: list[tuple[float, float]] = field(default_factory=list)

    def add(self, frame: int, number: int, place: tuple[float, float]) -> None:
        """Append a find."""
        self.seen.append((frame, number))
        self._places.append(place)

    def expected(self, frame: int) -> tuple[float, float]:
        """Where it should be: on, at the speed between its last two finds."""
        x, y = self._places[-1]
        if len(self._places) < 2:
            return x, y
        (x0, y0), frames = self._places[-2], self.seen[-1][0] - self.seen[-2][0]
        ahead = (frame - self.seen[-1][0]) / frames
        return x + (x - x0) * ahead, y + (y - y0) * ahead

    def gap(self, frame: int, place: tuple[float, float]) -> float:
        """How far a find lies from where it was or should be, whichever is nearer."""
        return min(math.dist(self.expected(frame), place), math.dist(self._places[-1], place))


def follow(
    frames: Sequence[Sequence[tuple[float, float]]], head_length: float
) -> tuple[Track, ...]:
    """Join finds over frames, the nearest first, each find to one track.

    Parameters
    ----------
    frames
        For each frame in order of time, ``(x, y)`` of its finds, px.
    head_length
        Length of a normal head, px: the unit of the gate.

    Returns
    -------
    tuple of Track
        Every find is in exactly one, in order of their first find. Paths that cross within a head's
        length may be exchanged, and what leaves the field and comes back counts again.
    """
    tracks: list[Track] = []
    for frame, points in enumerate(frames):
        alive = [t for t in tracks if frame - t.seen[-1][0] <= _LOST]
        pairs = sorted(
            (gap, row, number)
            for row, track in enumerate(alive)
            for number, place in enumerate(points)
            if (gap := track.gap(frame, place)) <= _GATE * head_length
        )
        used_tracks: set[int] = set()
        used_points: set[int] = set()
        for _, row, number in pairs:
            if row not in used_tracks and number not in used_points:
                alive[row].add(frame, number, points[number])
                used_tracks.add(row)
                used_points.add(number)
        for number, place in enumerate(points):
            if number not in used_points:
                track = Track()
                track.add(frame, number, place)
                tracks.append(track)
    return tuple(tracks)

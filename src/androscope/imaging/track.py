"""One sperm seen in many frames is one sperm: finds joined from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from androscope.imaging.head_scale import HEAD_UM

__all__ = ["FASTEST_UM_S", "Track", "follow"]

#: What human sperm swim at most, um/s, along the path of the head.
FASTEST_UM_S = 150.0
#: How far from where it is expected a head is found: it swings, and its centre is an estimate. Head
#: lengths, of a sperm whose motion is known.
_SWING = 1.0
#: Likewise what the centre alone is off by.
_OFF = 0.5
#: Frames a sperm may be lost for, behind another or out of focus.
_LOST = 3
#: Steps that its speed is taken over: one alone tells more of the head's swing.
_STEPS = 3


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

    def covers(self, frame: int) -> bool:
        """Whether it is seen in a frame, or before it and behind it."""
        return self.seen[0][0] <= frame <= self.seen[-1][0]

    def expected(self, frame: int) -> tuple[float, float]:
        """Where it should be: on, at the speed of its last steps."""
        x, y = self._places[-1]
        back = min(_STEPS, len(self._places) - 1)
        if not back:
            return x, y
        (x0, y0), frames = self._places[-1 - back], self.seen[-1][0] - self.seen[-1 - back][0]
        ahead = (frame - self.seen[-1][0]) / frames
        return x + (x - x0) * ahead, y + (y - y0) * ahead

    def off(self, frame: int, place: tuple[float, float]) -> float:
        """How far a find lies from where it was or should be, whichever is nearer, px."""
        return min(math.dist(self.expected(frame), place), self.step(place))

    def step(self, place: tuple[float, float]) -> float:
        """How far a find lies from where it was, px."""
        return math.dist(self._places[-1], place)


def follow(
    frames: Sequence[Sequence[tuple[float, float]]], head_length: float, rate: float
) -> tuple[Track, ...]:
    """Join finds over frames, the nearest first, each find to one track.

    First each track takes the find nearest to where it was or should be by its motion, within a
    head's length. What is left, finds that were never followed among it, is joined to what was seen
    in the frame before within reach of the fastest sperm.

    Parameters
    ----------
    frames
        For each frame in order of time, ``(x, y)`` of its finds, px.
    head_length
        Length of a normal head, px, which is also known in um: the unit of what is in reach.
    rate
        Frames a second.

    Returns
    -------
    tuple of Track
        Every find is in exactly one, in order of their first find. Paths that cross within a head's
        length may be exchanged, and what leaves the field and comes back is another track.
    """
    reach = (_OFF + FASTEST_UM_S / HEAD_UM / rate) * head_length
    tracks: list[Track] = []
    for frame, points in enumerate(frames):
        alive = [t for t in tracks if frame - t.seen[-1][0] <= _LOST + 1]
        left = dict(enumerate(points))

        def off(track: Track, place: tuple[float, float], now: int = frame) -> float:
            return track.off(now, place)

        _join(frame, alive, left, off, _SWING * head_length)
        waiting = (t for t in alive if t.seen[-1][0] == frame - 1)
        _join(frame, waiting, left, Track.step, reach)
        for number, place in left.items():
            track = Track()
            track.add(frame, number, place)
            tracks.append(track)
    return tuple(tracks)


def _join(
    frame: int,
    tracks: Iterable[Track],
    left: dict[int, tuple[float, float]],
    gap: Callable[[Track, tuple[float, float]], float],
    most: float,
) -> None:
    """Give finds to tracks, the smallest gap first; what is given is taken out of ``left``."""
    given = list(tracks)
    pairs = sorted(
        (apart, row, number)
        for row, track in enumerate(given)
        for number, place in left.items()
        if (apart := gap(track, place)) <= most
    )
    used: set[int] = set()
    for _, row, number in pairs:
        if row not in used and number in left:
            given[row].add(frame, number, left.pop(number))
            used.add(row)

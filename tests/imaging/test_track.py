"""Finds joined over frames: each in one track, swimmers of any speed followed, gates kept."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.imaging.head_scale import HEAD_UM
from androscope.imaging.track import FASTEST_UM_S, Track, follow

place = st.tuples(st.floats(0, 500), st.floats(0, 500))
HEAD = 27.5
UM = HEAD_UM / HEAD


@given(st.lists(st.lists(place, max_size=6), max_size=6), st.sampled_from([15, 25, 50]))
def test_every_find_is_in_exactly_one_track(
    frames: list[list[tuple[float, float]]], rate: int
) -> None:
    tracks = follow(frames, 20, rate)
    seen = [pair for track in tracks for pair in track.seen]
    assert sorted(seen) == [(f, n) for f, points in enumerate(frames) for n in range(len(points))]
    for track in tracks:
        numbers = [frame for frame, _ in track.seen]
        assert numbers == sorted(set(numbers))


def swimmers(
    speed: float, rate: float, *, n: int = 60, swing_um: float = 0.0, found: float = 1.0
) -> tuple[list[list[tuple[float, float]]], list[list[int]]]:
    """A field of 1920 x 1080 px over a second, a third of the sperm at rest.

    Gives the places of those found in each frame, and which sperm each is. Swimmers go straight,
    their heads swing ``swing_um`` to both sides ten times a second.
    """
    rng = np.random.default_rng(0)
    starts = rng.uniform((0, 0), (1920, 1080), (n, 2))
    ways = rng.uniform(0, 2 * math.pi, n)
    speeds = np.where(np.arange(n) % 3, speed, 0) / UM / rate
    along = np.stack([np.cos(ways), np.sin(ways)], axis=1)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    frames, who = [], []
    for t in range(max(2, round(rate))):
        swing = swing_um / UM * math.sin(20 * math.pi * t / rate) * (speeds > 0)
        places = starts + along * (speeds * t)[:, None] + across * swing[:, None]
        inside = ((places >= 0) & (places < (1920, 1080))).all(axis=1)
        there = np.flatnonzero(inside & (rng.random(n) < found))
        frames.append([(float(x), float(y)) for x, y in places[there]])
        who.append([int(i) for i in there])
    return frames, who


@pytest.mark.parametrize("speed", [0, 20, 40, 60, 80, 100, 150])
@pytest.mark.parametrize("rate", [25, 50])
def test_a_full_field_is_followed_at_any_speed(speed: float, rate: float) -> None:
    frames, who = swimmers(speed, rate)
    tracks = follow(frames, HEAD, rate)
    lone = sum(len(track.seen) == 1 for track in tracks)
    assert lone <= 0.005 * sum(map(len, frames))
    middle = len(frames) // 2
    here = [track for track in tracks if len(track.seen) > 1 and track.covers(middle)]
    assert len(here) == pytest.approx(len(frames[middle]), abs=1)
    # And it is the same sperm that is followed, not its neighbour.
    pure = sum(len({who[f][n] for f, n in track.seen}) == 1 for track in here)
    assert pure >= 0.85 * len(here)


@pytest.mark.parametrize("speed", [0, 40, 100, 150])
def test_heads_that_swing_and_are_missed_now_and_then_count_once(speed: float) -> None:
    frames, _ = swimmers(speed, 25, swing_um=2.5, found=0.9)
    tracks = follow(frames, HEAD, 25)
    here = [track for track in tracks if len(track.seen) > 1 and track.covers(len(frames) // 2)]
    all_there, _ = swimmers(speed, 25, swing_um=2.5)
    assert len(here) == pytest.approx(len(all_there[len(frames) // 2]), rel=0.06)


def test_one_that_is_lost_for_three_frames_stays_one() -> None:
    frames = [[(10.0 * t, 50.0)] if t not in (3, 4, 5) else [] for t in range(8)]
    assert len(follow(frames, 20, 25)) == 1


def test_one_that_is_lost_for_long_counts_again() -> None:
    frames = [[(50.0, 50.0)] if t in (0, 9) else [] for t in range(10)]
    assert len(follow(frames, 20, 25)) == 2


@pytest.mark.parametrize("rate", [15, 25, 50])
def test_a_jump_out_of_reach_is_another_sperm(rate: float) -> None:
    reach = FASTEST_UM_S / rate / UM + HEAD / 2
    assert len(follow([[(0.0, 0.0)], [(reach + 1, 0.0)]], HEAD, rate)) == 2
    assert len(follow([[(0.0, 0.0)], [(reach - 1, 0.0)]], HEAD, rate)) == 1


def test_swimmers_that_pass_keep_their_ways() -> None:
    # Speed tells them apart where they meet.
    frames = [[(20.0 * t, 100.0), (160 - 20.0 * t, 108.0)] for t in range(9)]
    tracks = follow(frames, 20, 25)
    assert len(tracks) == 2
    assert all(number == track.seen[0][1] for track in tracks for _, number in track.seen)


def test_paths_told_wrongly_count_once_each_all_the_same() -> None:
    # Two in one lane: the second comes to lie nearer to where the first was than the first itself.
    frames = [[(30.0 * t, 0.0), (30.0 * t + 45, 0.0)] for t in range(9)]
    tracks = follow(frames, 20, 25)
    assert sum(track.covers(4) and len(track.seen) > 1 for track in tracks) == 2


@pytest.mark.parametrize(
    ("frame", "covered"), [(0, False), (1, True), (2, True), (4, True), (5, False)]
)
def test_a_track_covers_the_frames_between_its_finds(frame: int, covered: bool) -> None:
    track = Track()
    track.add(1, 0, (0, 0))
    track.add(4, 0, (1, 1))
    assert track.covers(frame) is covered

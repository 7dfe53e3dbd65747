"""Finds joined over frames: each in one track, straight swimmers followed, gates kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from androscope.imaging.track import follow

place = st.tuples(st.floats(0, 500), st.floats(0, 500))


@given(st.lists(st.lists(place, max_size=6), max_size=6))
def test_every_find_is_in_exactly_one_track(frames: list[list[tuple[float, float]]]) -> None:
    tracks = follow(frames, 20)
    seen = [pair for track in tracks for pair in track.seen]
    assert sorted(seen) == [(f, n) for f, points in enumerate(frames) for n in range(len(points))]
    for track in tracks:
        numbers = [frame for frame, _ in track.seen]
        assert numbers == sorted(set(numbers))


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_swimmers_in_a_line_are_one_each(dx: float, dy: float) -> None:
    # 30 px a frame is 1.5 head lengths; their lanes are five apart.
    starts = [(0.0, 0.0), (300.0, 0.0), (0.0, 300.0)]
    if dx * dx + dy * dy > 30**2:
        dx, dy = dx / 2, dy / 2
    frames = [[(x + dx * t, y + dy * t) for x, y in starts] for t in range(8)]
    tracks = follow(frames, 20)
    assert len(tracks) == 3
    assert all(len(track.seen) == 8 for track in tracks)


def test_one_that_is_lost_for_two_frames_stays_one() -> None:
    frames = [[(10.0 * t, 50.0)] if t not in (3, 4) else [] for t in range(8)]
    assert len(follow(frames, 20)) == 1


def test_one_that_is_lost_for_long_counts_again() -> None:
    frames = [[(50.0, 50.0)] if t in (0, 9) else [] for t in range(10)]
    assert len(follow(frames, 20)) == 2


def test_a_jump_is_another_sperm() -> None:
    assert len(follow([[(0.0, 0.0)], [(31.0, 0.0)]], 20)) == 2
    assert len(follow([[(0.0, 0.0)], [(29.0, 0.0)]], 20)) == 1


def test_swimmers_that_pass_keep_their_ways() -> None:
    # Speed tells them apart where they meet.
    frames = [[(20.0 * t, 100.0), (160 - 20.0 * t, 108.0)] for t in range(9)]
    tracks = follow(frames, 20)
    assert len(tracks) == 2
    assert all(number == track.seen[0][1] for track in tracks for _, number in track.seen)

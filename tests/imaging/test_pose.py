from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from androscope.imaging.phantom_set import phantom_set
from androscope.imaging.pose import HeadPose, head_pose

#: Points right: its front is at larger x.
RIGHT = HeadPose(x=30.0, y=32.0, length=36.0, width=24.0, angle_deg=0.0, directed=True)


@pytest.mark.parametrize(
    ("x", "y", "place"),
    [
        pytest.param(46, 32, "front", id="front"),
        pytest.param(32, 40, "middle", id="middle, to the side"),
        pytest.param(14, 32, "back", id="back"),
        pytest.param(51, 32, "front", id="a little off the outline"),
        pytest.param(56, 32, "outside", id="ahead of it"),
        pytest.param(30, 50, "outside", id="beside it"),
    ],
)
def test_places_on_the_head(x: float, y: float, place: str) -> None:
    assert RIGHT.place(x, y) == place
    # The same, turned by half a turn: front and back change places.
    turned = replace(RIGHT, angle_deg=180.0)
    assert turned.place(60 - x, 64 - y) == place
    undirected = replace(RIGHT, directed=False).place(x, y)
    assert undirected == {"front": "end", "back": "end"}.get(place, place)


def test_up_is_up() -> None:
    up = replace(RIGHT, angle_deg=90.0)
    assert up.place(30, 18) == "front"
    assert up.place(30, 46) == "back"


def test_heads_of_phantoms_are_found_and_mostly_the_right_way_round() -> None:
    phantoms = phantom_set(40, 77)
    found = [(p, pose) for p in phantoms if (pose := head_pose(p.pixels)) is not None]
    assert len(found) >= 36
    directed = [(p, pose) for p, pose in found if pose.directed]
    assert len(directed) >= 20
    right = [abs((pose.angle_deg - p.angle_deg + 180) % 360 - 180) < 90 for p, pose in directed]
    assert np.mean(right) >= 0.9


def test_no_head() -> None:
    assert head_pose(np.full((64, 64), 130, np.uint8)) is None

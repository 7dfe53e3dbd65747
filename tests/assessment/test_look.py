from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from androscope.assessment.look import FLOOR, Look, read_map, side_of
from androscope.imaging.pose import HeadPose
from androscope.types import PartVerdict, Verdict

NORMAL, ABNORMAL, UNDECIDED = Verdict.NORMAL, Verdict.ABNORMAL, Verdict.UNDECIDED
POSE = HeadPose(x=31.5, y=31.5, length=38, width=26, angle_deg=0.0, directed=True)


def _part(verdict: Verdict, probability: float = 0.6) -> PartVerdict:
    return PartVerdict("vacuole", probability, 0.5, verdict)


def _map(**at: float) -> Any:
    """Zeros ``(64, 64)`` but for pixels named such as ``x10y20``."""
    heat = np.zeros((64, 64), np.float32)
    for name, value in at.items():
        x, y = name[1:].split("y")
        heat[int(y), int(x)] = value
    return heat


@pytest.mark.parametrize(
    ("verdict", "probability", "side"),
    [
        pytest.param(ABNORMAL, 0.9, ABNORMAL, id="abnormal"),
        pytest.param(NORMAL, 0.1, NORMAL, id="normal"),
        pytest.param(UNDECIDED, 0.5, ABNORMAL, id="undecided, at the threshold"),
        pytest.param(UNDECIDED, 0.4, NORMAL, id="undecided, below it"),
        pytest.param(NORMAL, 0.6, NORMAL, id="a verdict by an error rate is believed"),
    ],
)
def test_what_evidence_is_read_for(verdict: Verdict, probability: float, side: Verdict) -> None:
    assert side_of(_part(verdict, probability)) is side


def test_the_peak_is_that_of_the_verdicts_side() -> None:
    heat = _map(x45y32=2.0, x30y33=1.0, x10y20=-3.0)
    assert read_map(heat, _part(ABNORMAL), POSE) == Look(
        "vacuole", ABNORMAL, 45, 32, 2.0, 1 / 4096, "front"
    )
    assert read_map(heat, _part(NORMAL), POSE) == Look(
        "vacuole", NORMAL, 10, 20, 3.0, 1 / 4096, "outside"
    )
    assert read_map(heat, _part(ABNORMAL), None).place is None


@pytest.mark.parametrize(
    ("look", "words"),
    [
        pytest.param(
            Look("head", ABNORMAL, 30, 12, 1.0, 0.13, "front"),
            "speaks most for abnormal at 30, 12, front of the head; half of the evidence is in 13% "
            "of the crop",
            id="on the head",
        ),
        pytest.param(
            Look("head", NORMAL, 3, 1, 1.0, 0.5, "outside"),
            "speaks most for normal at 3, 1, outside the head; half of the evidence is in 50% of "
            "the crop",
            id="off it",
        ),
        pytest.param(
            Look("head", NORMAL, 3, 1, 1.0, 0.5, None),
            "speaks most for normal at 3, 1; half of the evidence is in 50% of the crop",
            id="no head found",
        ),
        pytest.param(
            Look("head", NORMAL, None, None, 0.0, None, None),
            "nothing in the crop speaks for normal",
            id="nothing",
        ),
        pytest.param(
            Look("head", ABNORMAL, None, None, 0.042, 0.3, None),
            f"no one place speaks for abnormal: hiding any takes 0.04 log odds at most, and a "
            f"place takes {FLOOR:g}",
            id="below the floor",
        ),
    ],
)
def test_in_words(look: Look, words: str) -> None:
    assert look.words == words


def test_half_of_the_evidence() -> None:
    even = np.ones((64, 64), np.float32)
    assert read_map(even, _part(ABNORMAL), None).half == 0.5
    half = _map(x1y1=1.0, x2y2=1.0, x3y3=1.0, x4y4=1.0)
    assert read_map(half, _part(ABNORMAL), None).half == 2 / 4096


def test_nothing_speaks_for_the_verdict() -> None:
    assert read_map(_map(x1y1=-1.0), _part(ABNORMAL), POSE) == Look(
        "vacuole", ABNORMAL, None, None, 0.0, None, None
    )


@pytest.mark.parametrize(
    ("strength", "ringed"),
    [(FLOOR * 0.99, False), (FLOOR, True), (FLOOR * 1.01, True)],
)
def test_below_the_floor_no_place_is_named(strength: float, ringed: bool) -> None:
    heat = np.zeros((64, 64))
    heat[20, 30] = strength
    look = read_map(heat, _part(ABNORMAL), POSE)  # type: ignore[arg-type]
    assert ((look.x, look.y) == (30, 20)) is ringed
    assert (look.place is not None) is ringed
    assert look.strength == strength
    assert look.half == 1 / 4096

from __future__ import annotations

import math

import pytest

from androscope.learning.size_curve import MEAN, Sized, crops_learned, curve


@pytest.mark.parametrize(
    ("record", "crops"),
    [
        pytest.param({}, 100, id="all"),
        pytest.param({"held_out": {"crops": ["a"] * 25}}, 75, id="held out"),
        pytest.param(
            {"held_out": {"crops": ["a"] * 25}, "part": {"crops": 37, "of": 75}}, 37, id="part"
        ),
    ],
)
def test_crops_that_a_run_learned(record: dict[str, object], crops: int) -> None:
    data = {"data": {"splits": {"train": {"crops": 100}}}}
    assert crops_learned(data | record) == crops


def run(crops: int, seed: int, head: float, tail: float) -> Sized:
    return Sized(crops, seed, {"head": {"accuracy": head}, "tail": {"accuracy": tail}})


def test_mean_and_deviation_over_seeds_by_size() -> None:
    runs = [run(50, 1, 0.6, 0.8), run(100, 0, 0.9, 0.7), run(50, 0, 0.8, 0.6)]
    small, large = curve(runs)
    assert (small.crops, small.seeds, large.crops, large.seeds) == (50, (0, 1), 100, (0,))
    assert small.scores["head"]["accuracy"] == pytest.approx((0.7, math.sqrt(0.02)))
    assert small.scores[MEAN]["accuracy"] == pytest.approx((0.7, 0.0), abs=1e-12)
    assert large.scores[MEAN]["accuracy"] == (pytest.approx(0.8), None)


def test_a_score_that_is_undefined_is_left_out() -> None:
    (point,) = curve([run(50, 0, math.nan, 0.5), run(50, 1, 0.5, 0.5)])
    assert point.scores["head"]["accuracy"] == (0.5, None)
    assert point.scores[MEAN]["accuracy"] == (0.5, None)
    (point,) = curve([run(50, 0, math.nan, 0.5)])
    assert point.scores["head"]["accuracy"] == (None, None)

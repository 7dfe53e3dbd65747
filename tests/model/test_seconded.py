"""The filter's finds, seconded by the locator: on fields of known truth, and rule by rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from androscope.imaging.locate import locate
from androscope.imaging.located import Finder, Flag, Found, Located
from androscope.imaging.phantom_field import PhantomField, render_field
from androscope.imaging.phantom_optics import Optics
from androscope.learning.location import Tally, match_points
from androscope.model import seconded as module
from androscope.model.locator import Locator
from androscope.model.locator_bundle import is_shipped, load_locator
from androscope.model.seconded import NEAR, SECONDED, seconded
from androscope.types import UInt8Array

LENGTH = 20.0
FIELD = np.full((100, 200), 120, np.uint8)


class FakeSeen:
    """Probabilities by the place asked for."""

    size = (200, 100)

    def __init__(self, near: dict[float, float]) -> None:
        self.near = near

    def sperm_near(self, points: list[tuple[float, float]], within: float) -> list[float]:
        assert within == NEAR * LENGTH
        return [self.near[x] for x, _ in points]


class FakeLocator:
    """Finds what it is told to."""

    def __init__(self, near: dict[float, float], items: list[Located]) -> None:
        self.seen, self.items = FakeSeen(near), tuple(items)

    def look(self, pixels: UInt8Array, head_length: float) -> FakeSeen:
        assert head_length == LENGTH
        return self.seen

    def found(self, seen: FakeSeen) -> Found:
        assert seen is self.seen
        return Found(self.items, LENGTH, 0)


def at(x: float, score: float = 1.0, *flags: Flag) -> Located:
    return Located(x, 50.0, LENGTH, 10.0, 90.0, score, frozenset(flags))


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Found]:
    def run(proposed: list[Located], near: dict[float, float], sure: list[Located]) -> Found:
        monkeypatch.setattr(module, "locate", lambda *_: Found(tuple(proposed), LENGTH, -1))
        return seconded(FakeLocator(near, sure))(FIELD, LENGTH)  # type: ignore[arg-type]

    return run


def shown(found: Found) -> list[tuple[float, float, set[str]]]:
    return [(item.x, item.score, set(item.flags)) for item in found.items]


def test_what_is_not_seconded_is_debris_and_kept(find: Callable[..., Found]) -> None:
    found = find([at(40), at(100), at(160)], {40: 0.9, 100: SECONDED, 160: 0.24}, [])
    assert shown(found) == [(40, 0.9, set()), (100, SECONDED, set()), (160, 0.24, {"debris"})]
    assert [item.x for item in found.sperm] == [40, 100]
    assert (found.sign, found.head_length) == (-1, LENGTH)


def test_what_the_network_is_sure_of_counts_once(find: Callable[..., Found]) -> None:
    sure = [at(46, 0.8), at(100, 0.7), at(166, 0.6), at(165, 0.5, "debris")]
    found = find([at(40), at(160)], {40: 0.8, 160: 0.1}, sure)
    # 46 is the head at 40 again; the sperm at 166 is not kept away by the debris beside it.
    assert [(x, set(f)) for x, _, f in shown(found)] == [
        (40, set()), (100, set()), (166, set()), (160, {"debris"}),
    ]  # fmt: skip


def test_round_cells_stay_what_they_are_and_flags_are_made_anew(
    find: Callable[..., Found],
) -> None:
    found = find([at(100, 1.0, "round"), at(40)], {100: 0.0, 40: 0.9}, [at(53, 0.8), at(3, 0.7)])
    assert shown(found) == [
        (40, 0.9, set()), (53, 0.8, set()), (3, 0.7, {"edge"}), (100, 0.0, {"round"}),
    ]  # fmt: skip
    crowded = find([at(40)], {40: 0.9}, [at(40 + NEAR * LENGTH + 0.1, 0.8)])
    assert [flags for _, _, flags in shown(crowded)] == [set(), set()]  # 10 px wide, 12 apart


needs_locator = pytest.mark.skipif(not is_shipped(), reason="no locator is shipped")


@cache
def fields() -> tuple[PhantomField, ...]:
    optics = Optics(polarity="bright-field")
    return tuple(
        render_field(640, 480, 12, seed, pixel_size_um=0.3, debris=10, round_cells=2, optics=optics)
        for seed in (31, 32, 33)
    )


def score(find: Finder) -> Tally:
    total = Tally()
    for field in fields():
        length = float(np.mean([max(sperm.axes) for sperm in field.sperm]))
        points = [(item.x, item.y) for item in find(field.pixels, length).sperm]
        found = len(match_points(points, [sperm.centre for sperm in field.sperm]))
        total += Tally(found, len(points) - found, len(field.sperm) - found)
    return total


@needs_locator
def test_together_they_are_better_than_the_filter_alone() -> None:
    alone, both = score(locate), score(seconded(Locator(load_locator(), threads=1)))
    assert both.precision > alone.precision
    assert both.recall >= alone.recall - 0.03
    assert both.f1 > alone.f1


@needs_locator
def test_an_empty_field_has_nothing_in_it() -> None:
    assert seconded(Locator(load_locator(), threads=1))(FIELD, LENGTH).items == ()

"""Dark heads, found by two ways together: the blob filter proposes, the locator seconds.

The filter misses hardly a dark head but takes debris and blurred cells for some; the network is
rarely wrong of what it is sure of, but less sure of looks that it has not learned. So a find of the
filter counts if the network thinks a sperm there at all likely, and what the network is sure of
counts anyway.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from androscope.imaging.locate import locate
from androscope.imaging.located import Finder, Found, Located
from androscope.imaging.touching import flagged
from androscope.model.locator import Locator
from androscope.types import UInt8Array

__all__ = ["NEAR", "SECONDED", "seconded"]

#: Probability of a sperm from which a find of the filter is seconded. Chosen on rendered fields in
#: bright field, in focus and out of it, some with a wrong head length, where the mean F1 of both
#: together is highest (`python benchmarks/seconded_finds.py`); SVIA took no part in it.
SECONDED = 0.25

#: Finds nearer to each other than this, in head lengths, are of one thing.
NEAR = 0.6


def seconded(locator: Locator) -> Finder:
    """A finder of dark heads.

    Its scores are the network's probabilities. What only the filter takes for a sperm is kept as
    ``debris``: it is no sperm, and not dropped in silence either.
    """

    def find(pixels: UInt8Array, head_length: float) -> Found:
        seen = locator.look(pixels, head_length)
        proposed = locate(pixels, head_length)
        reach = NEAR * head_length
        probabilities = seen.sperm_near([(item.x, item.y) for item in proposed.items], reach)
        items = [
            _judged(item, float(probability))
            for item, probability in zip(proposed.items, probabilities, strict=True)
        ]
        # A sperm that the network is sure of is not kept away by what was turned down beside it.
        taken = [item for item in items if item.is_sperm]
        items += [
            item
            for item in locator.found(seen).items
            if not _near(item, taken if item.is_sperm else items, reach)
        ]
        items.sort(key=lambda item: -item.score)
        return Found(flagged(items, seen.size), head_length, proposed.sign)

    return find


def _judged(item: Located, probability: float) -> Located:
    if item.is_sperm and probability < SECONDED:
        item = replace(item, flags=item.flags | {"debris"})
    return replace(item, score=probability)


def _near(item: Located, others: Sequence[Located], reach: float) -> bool:
    return any(math.hypot(item.x - one.x, item.y - one.y) <= reach for one in others)

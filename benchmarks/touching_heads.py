"""How often two heads that touch would be graded as one, on phantom fields of every polarity.

    python benchmarks/touching_heads.py [--fields 7] [--seed 250] [--locator auto]

Each field has pairs of touching heads on one side and as many heads alone on the other. A pair
counts as graded if a find near either head, or between them, has no flag. Heads are said to be as
long as they are, and 0.85 and 1.15 times as long. The limits were chosen on seeds 50 to 56; those
from 250 on chose nothing.
"""

from __future__ import annotations

import argparse
import math

import numpy as np

from androscope.finders import AUTO, finder
from androscope.imaging.head_scale import HEAD_UM
from androscope.imaging.located import Finder
from androscope.imaging.phantom_field import PhantomField, render_field
from androscope.imaging.phantom_optics import Polarity

PIXEL_SIZE_UM, WIDTH, HEIGHT, HEADS = 0.16, 800, 600, 16
#: A find within this of a head's centre, or of the middle of a pair, is of it, px.
NEAR = 12.0
POLARITIES: tuple[Polarity, ...] = ("bright-field", "phase-positive", "phase-negative")


def field(seed: int, polarity: Polarity, *, touching: bool) -> PhantomField:
    """One half of a field."""
    return render_field(
        WIDTH, HEIGHT, HEADS, seed, pixel_size_um=PIXEL_SIZE_UM, touching=touching, debris=6,
        round_cells=3, polarity=polarity,
    )  # fmt: skip


def counted(
    find: Finder, fields: list[tuple[PhantomField, PhantomField]], factor: float
) -> list[int]:
    """Pairs, pairs graded, heads alone that were found, and those of them called overlapping."""
    pairs = graded = alone = flagged = 0
    for pairwise, single in fields:
        pixels = np.hstack([pairwise.pixels, single.pixels])
        sperm = find(pixels, factor * HEAD_UM / PIXEL_SIZE_UM).sperm
        free = [(item.x, item.y) for item in sperm if not item.flags]
        for first, second in zip(pairwise.sperm, pairwise.sperm[1:], strict=False):
            if second.touches:
                middle = tuple(np.mean([first.centre, second.centre], axis=0))
                spots = (first.centre, second.centre, middle)
                pairs += 1
                graded += any(math.dist(p, spot) < NEAR for p in free for spot in spots)
        for one in single.sperm:
            centre = (one.centre[0] + WIDTH, one.centre[1])
            near = [
                i for i in sperm if math.dist((i.x, i.y), centre) < NEAR and "edge" not in i.flags
            ]
            alone += bool(near)
            flagged += any("overlapping" in item.flags for item in near)
    return [pairs, graded, alone, flagged]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fields", type=int, default=7)
    parser.add_argument("--seed", type=int, default=250, help="of the first field")
    parser.add_argument("--locator", default=AUTO)
    arguments = parser.parse_args()
    find = finder(arguments.locator, threads=1)
    heads = ("said / true", "pairs", "graded", "alone", "flagged")
    print(f"{'':<16}" + "".join(f"{head:>13}" for head in heads))
    for polarity in POLARITIES:
        seeds = range(arguments.seed, arguments.seed + arguments.fields)
        fields = [
            (field(seed, polarity, touching=True), field(seed, polarity, touching=False))
            for seed in seeds
        ]
        for factor in (0.85, 1.0, 1.15):
            cells = [f"{factor:.2f}", *map(str, counted(find, fields, factor))]
            print(f"{polarity:<16}" + "".join(f"{cell:>13}" for cell in cells))


if __name__ == "__main__":
    main()

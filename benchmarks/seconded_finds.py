"""F1 of dark heads on rendered fields: filter and network alone, and together by a threshold.

    python benchmarks/seconded_finds.py [--fields 14]

What `SECONDED` of `androscope.model.seconded` was chosen by. Fields are rendered in bright field,
debris and round cells in them: in focus, out of it, noisy, and with a head length told that is
wrong. No video takes part.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from unittest import mock

import numpy as np

from androscope.imaging.locate import locate
from androscope.imaging.located import Finder
from androscope.imaging.phantom_field import PhantomField, render_field
from androscope.imaging.phantom_optics import random_optics
from androscope.learning.location import Tally, match_points
from androscope.model import seconded
from androscope.model.locator import Locator
from androscope.model.locator_bundle import load_locator

THRESHOLDS = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)

#: Beyond focus (um), noise (grey levels), and the head length told over the true one.
CONDITIONS = {
    "in focus": (0.0, 1.5, 1.0),
    "2 um beyond": (2.0, 3.0, 1.0),
    "4 um beyond, noise": (4.0, 5.0, 1.0),
    "told 1.3 x": (0.0, 2.0, 1.3),
    "told 0.75 x": (0.0, 2.0, 0.75),
}


def rendered(seed: int, defocus: float, noise: float) -> PhantomField:
    """A field of twelve sperm and a dozen other things."""
    rng = np.random.default_rng(seed)
    optics = replace(random_optics(rng, polarity="bright-field"), tilt=0.0, noise=noise)
    optics = replace(optics, defocus_um=optics.defocus_um + defocus * float(rng.choice([-1, 1])))
    return render_field(
        640, 480, 12, seed, pixel_size_um=0.3, debris=10, round_cells=2, optics=optics
    )


def score(find: Finder, fields: list[PhantomField], told: float) -> float:
    """F1 over fields."""
    total = Tally()
    for field in fields:
        length = told * float(np.mean([max(sperm.axes) for sperm in field.sperm]))
        points = [(item.x, item.y) for item in find(field.pixels, length).sperm]
        found = len(match_points(points, [sperm.centre for sperm in field.sperm]))
        total += Tally(found, len(points) - found, len(field.sperm) - found)
    return total.f1


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fields", type=int, default=14, help="per condition")
    arguments = parser.parse_args()
    locator = Locator(load_locator("locator"), threads=1)
    print(f"F1 over {arguments.fields} rendered fields each; together, from probability")
    print(f"{'':<22}{'filter':>8}{'network':>9}" + "".join(f"{t:>7}" for t in THRESHOLDS))
    rows = []
    for number, (name, (defocus, noise, told)) in enumerate(CONDITIONS.items()):
        seeds = range(5000 + 1000 * number, 5000 + 1000 * number + arguments.fields)
        fields = [rendered(seed, defocus, noise) for seed in seeds]
        row = [score(locate, fields, told), score(locator, fields, told)]
        for threshold in THRESHOLDS:
            with mock.patch.object(seconded, "SECONDED", threshold):
                row.append(score(seconded.seconded(locator), fields, told))
        rows.append(row)
        show(name, row)
    show("mean", list(np.mean(rows, axis=0)))


def show(name: str, row: list[float]) -> None:
    """Print one row."""
    cells = "".join(f"{value:>7.3f}" for value in row[2:])
    print(f"{name:<22}{row[0]:>8.3f}{row[1]:>9.3f}{cells}", flush=True)


if __name__ == "__main__":
    main()

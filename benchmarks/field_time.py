"""Where the time goes in a whole field: 1920 x 1080 px, 60 sperm, located and graded.

    python benchmarks/field_time.py [--threads 2] [--runs 9] [--locator classical]

The field is a phantom of known pixel size, read from a TIFF; the models are at hand, and the scale
has been held against the heads of earlier fields, as both are from the second field of a batch on.
What the first ones take longer stands below: an unknown scale is estimated on up to five of a
batch, a known one is checked on one to three. Times are wall and CPU seconds of this process,
medians over the runs; on a busy machine the wall tells of the others' work too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import tifffile

from androscope.fields import FieldOptions, finder, grade_items, locate_and_grade
from androscope.imaging.contrast import contrast_view
from androscope.imaging.field import read_field
from androscope.imaging.head_estimate import estimate_head_length
from androscope.imaging.head_scale import HEAD_UM, scale_of
from androscope.imaging.phantom_field import render_field
from androscope.imaging.read import read_image
from androscope.model.locator import Locator
from androscope.predict import Grader
from androscope.report.fields import write_field_overlay

WIDTH, HEIGHT, SPERM, UM = 1920, 1080, 60, 0.16
GOAL = 1.5

T = TypeVar("T")


def timed(what: Callable[[], T], runs: int) -> tuple[T, float, float]:
    """Result, median wall and median CPU seconds; the first run is not counted."""
    walls, processor = [], []
    for run in range(runs + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        result = what()
        if run:
            walls.append(time.perf_counter() - wall)
            processor.append(time.process_time() - cpu)
    return result, statistics.median(walls), statistics.median(processor)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--locator", default="locator")
    arguments = parser.parse_args()
    find = finder(arguments.locator, threads=arguments.threads)
    grader = Grader(threads=arguments.threads)
    options = FieldOptions(pixel_size_um=UM, find=find)
    runs = arguments.runs

    print(f"{os.cpu_count()} cores, {arguments.threads} threads, Python {sys.version.split()[0]}")
    field = render_field(WIDTH, HEIGHT, SPERM, 1, pixel_size_um=UM, debris=SPERM, round_cells=3)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "field.tif"
        tifffile.imwrite(path, field.pixels)
        rows = []
        image, *spent = timed(lambda: read_image(path), runs)
        rows.append(("read the TIFF", *spent))
        scale = scale_of([], pixel_size_um=UM)
        head = HEAD_UM / UM
        if isinstance(find, Locator):
            view, *spent = timed(lambda: contrast_view(image.pixels, head), runs)
            rows.append(("  background and contrast", *spent))
            _, *spent = timed(lambda: find.maps(view.contrast), runs)
            rows.append(("  the network", *spent))
        found, *spent = timed(lambda: find(image.pixels, head), runs)
        rows.append((f"locate ({arguments.locator})", *spent))
        read, *spent = timed(lambda: read_field(image, scale=scale, find=find), runs)
        rows.append(("locate and cut crops", *spent))
        _, *spent = timed(lambda: grade_items(read, grader), runs)
        rows.append((f"grade {len(read.gradable)} crops", *spent))
        graded, *spent = timed(
            lambda: locate_and_grade(read_image(path), grader, options, scale=scale), runs
        )
        whole = spent[0]
        rows.append(("all of it: read, locate, grade", *spent))
        _, *spent = timed(lambda: write_field_overlay(temporary, 1, graded), max(1, runs // 3))
        rows.append(("beside it: the overlay", *spent))
        estimated, *spent = timed(lambda: estimate_head_length(image.pixels), max(1, runs // 3))
        rows.append(("first fields: the scale by heads", *spent))
    print(f"{'':<34}{'wall, s':>9}{'CPU, s':>9}")
    for name, wall, cpu in rows:
        print(f"{name:<34}{wall:>9.3f}{cpu:>9.3f}")
    shown = "-" if estimated is None else f"{estimated.length:.1f}"
    print(
        f"{len(found.sperm)} located of {SPERM}; "
        f"goal {GOAL} s: {'met' if whole <= GOAL else 'NOT met'}; "
        f"a head {head:.1f} px, estimated {shown}"
    )


if __name__ == "__main__":
    main()

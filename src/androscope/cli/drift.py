"""``androscope drift``: whether a lab's new images have moved from a reference."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from androscope.cli.agree import svg_path
from androscope.cli.options import JsonFileOption, ModelOption, ThreadsOption

__all__ = ["drift"]


def drift(
    reference: Annotated[
        Path,
        typer.Argument(
            metavar="REFERENCE",
            help="Crops from when all was well: a folder, each sub-folder a sample.",
            show_default=False,
        ),
    ],
    new: Annotated[
        Path,
        typer.Argument(
            metavar="NEW",
            help="New crops: a folder, each sub-folder a sample, charted in their natural order.",
            show_default=False,
        ),
    ],
    model: ModelOption = None,
    alpha: Annotated[
        float,
        typer.Option(
            min=0.001, max=0.2, help="Share of false alarms to accept where nothing moved."
        ),
    ] = 0.01,
    permutations: Annotated[int, typer.Option(min=99, max=100_000, help="Of the tests.")] = 999,
    seed: Annotated[int, typer.Option(min=0, help="Of the random numbers.")] = 0,
    json: JsonFileOption = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.svg",
            callback=svg_path,
            help="Draw the control chart.",
            show_default=False,
        ),
    ] = None,
    threads: ThreadsOption = None,
) -> None:
    """See whether new crops look, or are graded, otherwise than a reference.

    A test of what the network sees (its embeddings), with the size of the
    difference; which simple measures moved, in words; and a control chart
    of the percentage of normal sperm, sample by sample. For internal
    quality control. What the model's checks refuse is compared too, is in
    no percentage, and is counted.

    Exit code: 0 compared, whether moved or not (see --json); 1 some images
    could not be graded, and are listed; 2 nothing was done.

    [bold]Examples[/bold]

        $ androscope drift 2024/ 2025/

        $ androscope drift control/january control/june --plot chart.svg
    """
    from androscope.datasets.moved import drift as compare
    from androscope.datasets.moved import gather
    from androscope.imaging.find import find_images
    from androscope.predict import Grader
    from androscope.report.drift import print_drift, write_json, write_plot
    from androscope.report.outputs import check_outputs
    from androscope.report.table import console_for, print_failures

    inputs = [path for where in (reference, new) for path in find_images([where])]
    check_outputs({"--json": json, "--plot": plot}, inputs=inputs)
    # What is refused has to be seen, or a lamp so bad that all is refused would not be a move.
    grader = Grader(model, threads=threads, grade_anyway=True)
    before, after = (gather(where, grader, seed=seed) for where in (reference, new))
    found = compare(before, after, alpha=alpha, permutations=permutations, seed=seed)
    print_drift(console_for(sys.stdout), found)
    if json is not None:
        write_json(json, found)
    if plot is not None:
        write_plot(plot, found)
    failures = (*before.failures, *after.failures)
    print_failures(console_for(sys.stderr), failures)
    if failures:
        raise typer.Exit(1)

"""``androscope suggest``: which unlabelled crops to label next, and a sheet to do it in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from androscope.cli.options import ModelOption, ThreadsOption

if TYPE_CHECKING:
    from rich.console import Console

    from androscope.datasets.suggest import Suggestions

__all__ = ["suggest"]

#: Rows of the table that are printed; the sheet has all.
_ROWS = 20


def suggest(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Unlabelled crops: files, folders, patterns."),
    ],
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many to suggest.")] = 50,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The sheet to label them in, as CSV.")
    ] = Path("to-label.csv"),
    crops: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write a picture of each; needed where they are pages of a file.",
            show_default=False,
        ),
    ] = None,
    labelled: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Crops labelled already (or a sheet on its way): left out, and what is like them "
            "comes later.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random draws.")] = 0,
    threads: ThreadsOption = None,
) -> None:
    """Rank unlabelled crops: those the model doubts, and no two alike.

    By BADGE (Ash et al. 2020). Label the sheet's rows (0 normal, 1
    abnormal, blank where you cannot tell), remove those you leave out, and
    give it to androscope adapt. What the model thinks is not in the sheet.

    Exit code: 0 done; 1 some images could not be graded, and are listed;
    2 nothing was done.

    [bold]Examples[/bold]

        $ androscope suggest crops/ --count 100 --out to-label.csv

        $ androscope suggest crops/ --labelled to-label.csv --out second.csv
    """
    from androscope.datasets.suggest import sheet_text, write_crops, write_sheet
    from androscope.datasets.suggest import suggest as choose
    from androscope.imaging.find import find_images
    from androscope.predict import Grader
    from androscope.report.outputs import check_outputs
    from androscope.report.table import console_for, print_failures

    inputs = [Path(path) for path in find_images(paths).paths]
    check_outputs({"--out": out}, folders=[] if crops is None else [crops], inputs=inputs)
    # Images that the model would refuse are those it has the most to learn from.
    grader = Grader(model, threads=threads, grade_anyway=True)
    found = choose(paths, grader, count, labelled=labelled, seed=seed)
    pictures = None if crops is None else write_crops(crops, found)
    write_sheet(out, sheet_text(found, out, pictures))
    _print(console_for(sys.stdout), found)
    typer.echo(f"The sheet to label them in: {out}")
    print_failures(console_for(sys.stderr), found.failures)
    if found.failures:
        raise typer.Exit(1)


def _print(console: Console, found: Suggestions) -> None:
    from rich.table import Table
    from rich.text import Text

    from androscope.report.names import printable

    table = Table(box=None, pad_edge=False)
    for head in ("", "Image", *found.labels, "doubt", "novelty"):
        table.add_column(head, justify="left" if head == "Image" else "right")
    for number, one in enumerate(found.chosen[:_ROWS], start=1):
        parts = (f"{part.probability:.2f}" for part in one.graded.assessment.parts)
        name = Text(printable(one.graded.assessment.name))
        table.add_row(str(number), name, *parts, f"{one.pick.doubt:.2f}", f"{one.pick.novelty:.2f}")
    console.print(table)
    hidden = len(found.chosen) - _ROWS
    if hidden > 0:
        console.print(f"... and {hidden} more in the sheet.")
    known = f", {found.known} of them labelled already" if found.known else ""
    console.print(
        f"{len(found.chosen)} of {found.seen} crops{known}. Numbers are probabilities of abnormal."
    )

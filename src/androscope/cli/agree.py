"""``androscope agree``: two observers or more, or an observer and the model, compared."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from androscope.cli.options import JsonFileOption
from androscope.cli.options_learning import BootstrapSeedOption

__all__ = ["agree"]


class SampleOption(StrEnum):
    """What makes a sample."""

    PATIENT = "patient"
    FOLDER = "folder"


def svg_path(path: Path | None) -> Path | None:
    """Refuse a plot's name that does not end in .svg."""
    if path is not None and path.suffix.lower() != ".svg":
        raise typer.BadParameter(f"expected a name that ends in .svg, got {path.name}")
    return path


def agree(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="A.csv B.csv...",
            help="Verdicts on the same images, one file per observer: from assess --csv, or a "
            "table path,head,acrosome,vacuole,tail. The first is what others are held against.",
            show_default=False,
        ),
    ],
    by: Annotated[
        SampleOption | None,
        typer.Option(
            help="What makes a sample, for the percentages of samples.",
            show_default="patient if named, else folder",
        ),
    ] = None,
    json: JsonFileOption = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.svg",
            callback=svg_path,
            help="Draw kappa, agreement, and the samples after Bland and Altman.",
            show_default=False,
        ),
    ] = None,
    seed: BootstrapSeedOption = 0,
) -> None:
    """Compare observers, or an observer and the model, on the same sperm.

    For each part and for whole sperm: the table of both, agreement,
    Cohen's kappa, what B finds of A's abnormal and leaves of A's normal,
    with 95% intervals; for three or more, Fleiss's kappa; and how far
    percentages of samples differ (Bland and Altman).

    [bold]Examples[/bold]

        $ androscope agree anna.csv ben.csv

        $ androscope agree anna.csv model.csv --by patient --plot agree.svg
    """
    from androscope.assessment.concordance import concordance
    from androscope.assessment.matching import match
    from androscope.datasets.verdicts import read_observers
    from androscope.report.agree import print_concordance, write_json
    from androscope.report.agree_plot import write_plot
    from androscope.report.outputs import check_outputs
    from androscope.report.table import console_for

    observers = read_observers(files)
    check_outputs({"--json": json, "--plot": plot}, inputs=files)
    for observer in observers:
        for note in observer.notes:
            typer.secho(f"note: {observer.name}: {note}", err=True, fg=typer.colors.YELLOW)
    matched = match(observers)
    found = concordance(matched, None if by is None else by.value, seed=seed)
    print_concordance(console_for(sys.stdout), found, matched)
    if json is not None:
        write_json(json, found, matched)
    if plot is not None:
        write_plot(plot, found)

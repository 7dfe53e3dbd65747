"""``androscope explain``: where the model looked, crop by crop and label by label."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from androscope.cli.options import (
    ErrorRateOption,
    FitAsAssessOption,
    FitOption,
    GradeAnywayOption,
    ModelOption,
    PixelSizeOption,
    ThreadsOption,
    named_paths,
    note,
    note_unreachable,
    progress_bar,
)

if TYPE_CHECKING:
    from androscope.assessment.look import Look
    from androscope.explanation import Explained
    from androscope.model.card import Card
    from androscope.types import Assessment, Failure

    _Row = tuple[Assessment, tuple[Look, ...], str]

__all__ = ["explain"]


def explain(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Images of single sperm: files, folders, patterns, .npy stacks, or - for paths "
            "from standard input, one on a line.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write a picture per crop and label: the heat map over the crop.",
            show_default=False,
        ),
    ] = None,
    npy: Annotated[
        bool, typer.Option("--npy", help="Write the maps of each crop into --out too, as .npy.")
    ] = False,
    html: Annotated[
        bool, typer.Option("--html", help="Write a page of the pictures, --out's index.html, too.")
    ] = False,
    label: Annotated[
        list[str] | None,
        typer.Option(help="Explain this label; may be given several times.", show_default="all"),
    ] = None,
    model: ModelOption = None,
    error_rate: ErrorRateOption = None,
    grade_anyway: GradeAnywayOption = False,
    pixel_size: PixelSizeOption = None,
    fit: FitAsAssessOption = FitOption.AUTO,
    threads: ThreadsOption = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but what could not be explained.")
    ] = False,
) -> None:
    """Show where the model looked in images of single sperm.

    Prints a row per crop and label: probability and verdict, the place
    that speaks most for it (px, and where on the head), what hiding it
    costs in log odds, and how much of the crop holds half of the
    evidence. A heat map shows what the model reacted to, not whether
    it is right.

    Exit code: 0 all were explained; 1 some could not be, and each is
    listed with its reason; 2 nothing was done.

    [bold]Examples[/bold]

        $ androscope explain crop.png --out maps

        $ androscope explain crops/ --label vacuole --out maps --npy
    """
    from androscope.explanation import PROVES_NOT, explain_stream
    from androscope.imaging.find import find_images
    from androscope.predict import Grader
    from androscope.report.names import NOTICE
    from androscope.report.outputs import check_outputs
    from androscope.report.table import console_for, print_failures
    from androscope.types import Failure

    for option, given in (("--npy", npy), ("--html", html)):
        if given and out is None:
            raise typer.BadParameter(
                "needs a folder to write to: give --out DIR", param_hint=option
            )
    found = find_images(named_paths(paths))
    check_outputs({}, folders=[] if out is None else [out], inputs=found)
    grader = Grader(model, threads=threads, error_rate=error_rate, grade_anyway=grade_anyway)
    labels = _chosen(label, grader.card.labels)
    note_unreachable(grader)
    if not quiet:
        note(grader.pixel_size_warning(pixel_size))
    failures: list[Failure] = []
    rows: list[_Row] = []
    started = time.monotonic()
    with progress_bar(quiet, "Explaining") as progress:
        for item in explain_stream(
            found.paths, grader, pixel_size=pixel_size, fit=fit.value, progress=progress
        ):
            if isinstance(item, Failure):
                failures.append(item)
                continue
            stem = _stem(len(rows) + 1, item)
            if out is not None:
                _write(out, stem, item, labels, npy=npy)
            rows.append((item.assessment, item.looks, stem))
    seconds = time.monotonic() - started
    if html and out is not None:
        _write_page(out, rows, labels, grader.card, failures)
    if not quiet:
        _print(rows, labels)
        each = f", {seconds / len(rows):.2f} s each" if rows else ""
        typer.echo(f"{len(rows)} explained by {grader.card.name}{each}.")
        typer.echo(PROVES_NOT)
        typer.echo(NOTICE)
    print_failures(console_for(sys.stderr), failures)
    if failures:
        raise typer.Exit(1)


def _chosen(named: list[str] | None, labels: tuple[str, ...]) -> tuple[str, ...]:
    if not named:
        return labels
    for name in named:
        if name not in labels:
            raise typer.BadParameter(
                f"{name!r} is not assessed by this model; it assesses {', '.join(labels)}",
                param_hint="--label",
            )
    return tuple(label for label in labels if label in named)


def _stem(number: int, item: Explained) -> str:
    from androscope.report.thumbnails import thumbnail_name

    return thumbnail_name(number, item.crop).removesuffix(".png")


def _write(folder: Path, stem: str, item: Explained, labels: tuple[str, ...], *, npy: bool) -> None:
    import numpy as np

    from androscope.explanation import overlay_png
    from androscope.files import atomic_path, write_bytes

    for label in labels:
        write_bytes(folder / f"{stem}-{label}.png", overlay_png(item, label))
    if npy:
        with atomic_path(folder / f"{stem}.npy") as temporary:
            np.save(temporary, np.stack([item.map_of(label) for label in labels]))


def _write_page(
    folder: Path, rows: list[_Row], labels: tuple[str, ...], card: Card, failures: list[Failure]
) -> None:
    from androscope.explanation import PROVES_NOT
    from androscope.files import write_text
    from androscope.report.heat_page import HeatCell, HeatRow, heat_page

    page = heat_page(
        [
            HeatRow(
                assessment.name,
                "; ".join(flag.reason for flag in assessment.flags),
                tuple(
                    HeatCell(assessment[k.label], f"{stem}-{k.label}.png", k.words)
                    for k in looks
                    if k.label in labels
                ),
            )
            for assessment, looks, stem in rows
        ],
        labels,
        facts={"Model": f"{card.name} {card.version}", "Model's SHA-256": card.model_sha256},
        caution=PROVES_NOT,
        failures=failures,
    )
    write_text(folder / "index.html", page)


def _print(rows: list[_Row], labels: tuple[str, ...]) -> None:
    from rich.text import Text

    from androscope.report.names import printable
    from androscope.report.table import console_for, table_for

    if not rows:
        return
    console = console_for(sys.stdout)
    flagged = ["did not pass"] if any(assessment.flags for assessment, _, _ in rows) else []
    table = table_for(
        console, "Image", "label", "verdict", "probability", "peak x, y", "on the head", "log odds",
        "half in", *flagged,
    )  # fmt: skip
    for assessment, looks, _ in rows:
        for look in looks:
            if look.label not in labels:
                continue
            part = assessment[look.label]
            table.add_row(
                Text(printable(assessment.name)),
                look.label,
                part.verdict.value,
                f"{part.probability:.2f}",
                "-" if look.x is None else f"{look.x}, {look.y}",
                look.place or "-",
                f"{look.strength:.2f}",
                "-" if look.half is None else f"{look.half:.0%}",
                *([", ".join(flag.check for flag in assessment.flags)] if flagged else []),
            )
    console.print(table)
    console.print()

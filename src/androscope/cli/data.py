"""``androscope data``: get labelled crops, look at them, check one's own."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from androscope.cli.data_text import (
    count_bar,
    download_bar,
    print_counts,
    print_examined,
    print_fetched,
    print_pairs,
    print_table,
)

__all__ = ["data"]

data = typer.Typer(
    help="Get labelled crops, look at them, check your own.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


class Name(StrEnum):
    """Data sets that can be downloaded."""

    MHSMA = "mhsma"


_Seed = Annotated[int, typer.Option(min=0, help="Of the random numbers.")]


@data.command("download")
def download(
    name: Annotated[Name, typer.Argument(help="The data set.")],
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="DIR", help="Take a copy on this machine; no network is used."
        ),
    ] = None,
    only_64: Annotated[
        bool, typer.Option("--only-64", help="Leave out the two large files of 128-pixel crops.")
    ] = False,
) -> None:
    """Fetch a published data set, every file checked against its git blob id.

    What is here and right is not fetched again; what broke off goes on.

    [bold]Examples[/bold]

        $ androscope data download mhsma

        $ androscope data download mhsma --from ~/mhsma-dataset/mhsma
    """
    from androscope.datasets.download import copy_from, fetch
    from androscope.datasets.mhsma import MHSMA, folders
    from androscope.settings import load_settings

    published = {Name.MHSMA: MHSMA}[name]
    *elsewhere, into = folders(load_settings())
    typer.echo(f"licence:  {published.licence}")
    typer.echo(f"cite:     {published.citation}")
    typer.echo(f"source:   {published.source if source is None else source}")
    with download_bar() as report:
        if source is not None:
            done = copy_from(
                published,
                source.expanduser(),
                into,
                elsewhere=elsewhere,
                large=not only_64,
                report=report,
            )
        else:
            done = fetch(published, into, elsewhere=elsewhere, large=not only_64, report=report)
    print_fetched(done, total=len(published.blob_ids))


@data.command("describe")
def describe(
    target: Annotated[
        str, typer.Argument(metavar="mhsma|PATH", help="A data set's name, or your own data.")
    ],
    sheet: Annotated[
        Path | None,
        typer.Option(
            help="Where the contact sheet goes; the pairs' goes beside it.",
            show_default="build/<name>.png",
        ),
    ] = None,
    seed: _Seed = 0,
    all_pairs: Annotated[bool, typer.Option("--all", help="List every pair.")] = False,
) -> None:
    """Count the labels per split, find the same sperm in two splits, write contact sheets.

    [bold]Examples[/bold]

        $ androscope data describe mhsma

        $ androscope data describe lab/labels.csv --sheet build/lab.png
    """
    from rich.console import Console

    from androscope.datasets import describe as description
    from androscope.datasets import load
    from androscope.imaging.sheet import write_png

    dataset = load(target, seed=seed)
    with Console(stderr=True).status("comparing crops across splits"):
        found = description.describe(dataset)
    print_counts(found)
    print_pairs(found, all_pairs=all_pairs)
    sheet = Path("build") / f"{dataset.name}.png" if sheet is None else sheet
    write_png(sheet, description.sample_sheet(dataset, seed=seed))
    typer.echo(f"\ncontact sheet: {sheet}")
    pairs = description.pair_sheet(dataset, found.pairs)
    if pairs is not None:
        beside = sheet.with_name(f"{sheet.stem}-pairs{sheet.suffix}")
        write_png(beside, pairs)
        typer.echo(f"pairs:         {beside}")
    if dataset.licence is not None:
        typer.echo(f"Pictures under {dataset.licence}: do not commit or publish these files.")


@data.command("check")
def check(
    path: Annotated[
        Path, typer.Argument(help="A CSV, a folder per class, or a folder of npy pairs.")
    ],
) -> None:
    """Look for everything wrong with your own labelled crops, all at once.

    Exit code: 0 clean; 1 there are problems, each listed with its line.

    [bold]Examples[/bold]

        $ androscope data check lab/labels.csv

        $ androscope data check lab/
    """
    from androscope.datasets.check import examine

    with count_bar("reading") as progress:
        examined = examine(path, progress=progress)
    for problem in examined.problems:
        typer.echo(str(problem))
    print_examined(examined)
    if examined.problems:
        raise typer.Exit(1)


@data.command("compare")
def compare(
    out: Annotated[Path, typer.Option(help="The contact sheet.")] = Path("build/compare.png"),
    n: Annotated[int, typer.Option(min=1, max=5000, help="How many of each are shown.")] = 60,
    seed: _Seed = 0,
) -> None:
    """Put MHSMA and phantoms side by side: a contact sheet and measures of both.

    [bold]Example[/bold]

        $ androscope data compare --out build/compare.png
    """
    import numpy as np
    from rich.table import Table

    from androscope.datasets import load
    from androscope.datasets.appearance import MEASURES, appearance
    from androscope.imaging.phantom_set import phantom_set
    from androscope.imaging.sheet import contact_sheet, write_png

    train = load("mhsma").splits["train"]
    phantoms = np.stack([phantom.pixels for phantom in phantom_set(max(n, 300), seed)])
    shown = np.random.default_rng(seed).permutation(len(train))[:n]
    rows, captions = [], []
    for start in range(0, n, 6):
        for word, crops in (("MHSMA", train.crops[shown]), ("phantom", phantoms[:n])):
            part = list(crops[start : start + 6])
            blanks = 6 - len(part)
            rows += part + [np.zeros_like(phantoms[0])] * blanks
            captions += [word] * len(part) + [""] * blanks
    write_png(out, contact_sheet(rows, columns=12, scale=2, captions=captions))
    table = Table(title="5th, 50th and 95th percentile over the crops")
    table.add_column("measure")
    table.add_column(f"MHSMA train ({len(train)})", justify="right")
    table.add_column(f"phantoms ({len(phantoms)})", justify="right")
    real, made = appearance(train.crops), appearance(phantoms)
    for key, what in MEASURES.items():
        cells = (
            "  ".join(f"{value:.1f}" for value in np.percentile(measured[key], [5, 50, 95]))
            for measured in (real, made)
        )
        table.add_row(what, *cells)
    print_table(table)
    typer.echo(f"contact sheet: {out}")
    typer.echo("It holds pictures of MHSMA (CC BY-NC-SA 4.0): do not commit or publish it.")


@data.command("phantom")
def phantom(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the PNG files and labels.")],
    n: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 100,
    seed: _Seed = 0,
) -> None:
    """Render phantoms with their true labels, ready for check and training.

    [bold]Example[/bold]

        $ androscope data phantom --out build/phantoms --n 200 --seed 1
    """
    from androscope.imaging.phantom_set import write_phantoms

    table = write_phantoms(out, n, seed)
    typer.echo(f"{n} phantoms in {out}; their labels are in {table}")


@data.command("phantom-fields")
def phantom_fields(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the fields and the truth.")],
    n: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 2,
    sperm: Annotated[int, typer.Option(min=0, max=60, help="Sperm in each.")] = 12,
    pixel_size: Annotated[
        float, typer.Option(metavar="UM", min=0.05, max=1, help="Micrometres per pixel.")
    ] = 0.16,
    seed: _Seed = 0,
) -> None:
    """Render whole fields of view with specks and round cells, and the truth about each.

    [bold]Example[/bold]

        $ androscope data phantom-fields --out build/fields --n 4
    """
    from androscope.imaging.phantom_field_set import write_phantom_fields

    size = round(128 / pixel_size), round(96 / pixel_size)
    try:
        table = write_phantom_fields(out, n, seed, sperm=sperm, size=size, pixel_size_um=pixel_size)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--sperm") from error
    typer.echo(f"{n} fields in {out}; what is in them stands in {table}")

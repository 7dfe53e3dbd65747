"""``androscope data``: get labelled crops, look at them, check one's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from androscope.datasets.check import Examined
    from androscope.datasets.describe import Description
    from androscope.datasets.download import Fetched, Report
    from androscope.datasets.types import Counts

__all__ = ["data"]

data = typer.Typer(
    help="Get labelled crops, look at them, check your own.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

#: Pairs that are printed unless all are asked for.
_FEW_PAIRS = 10


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
    with _download_bar() as report:
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
    _print_fetched(done, total=len(published.blob_ids))


def _print_fetched(done: Fetched, *, total: int) -> None:
    if done.added:
        typer.echo(f"added:    {len(done.added)} files to {done.folder}")
    if done.kept:
        typer.echo(f"kept:     {len(done.kept)} files, here already and right")
    if done.missing:
        typer.echo(f"missing:  {', '.join(done.missing)}: work on 64-pixel crops needs neither")
    verified = len(done.added) + len(done.kept)
    typer.echo(f"verified: {verified} of {total} files have their git blob id")


@contextmanager
def _download_bar() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    # Transient, on standard error: the lines that stay are those on standard output.
    console = Console(stderr=True)
    with Progress(
        *columns,
        TransferSpeedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        tasks: dict[str, object] = {}

        def report(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done, total=total)  # type: ignore[arg-type]

        yield report


@contextmanager
def _count_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


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
    _print_counts(found)
    _print_pairs(found, all_pairs=all_pairs)
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


def _print_counts(found: Description) -> None:
    dataset = found.dataset
    _print_table(_counts_table(dataset.name, found.counts))
    if found.differences is not None:
        typer.echo(
            "counts:        equal to the published table"
            if not found.differences
            else "counts:        DIFFERENT from the published table"
        )
        for line in found.differences:
            typer.echo(f"  {line}")
    for heading, text in (
        ("licence:", dataset.licence),
        ("cite:", dataset.citation),
        ("source:", dataset.source),
        *(("note:", note) for note in dataset.notes),
    ):
        if text is not None:
            typer.echo(f"{heading:<14} {text}")


def _print_pairs(found: Description, *, all_pairs: bool) -> None:
    from rich.table import Table

    from androscope.datasets.duplicates import THRESHOLD

    exact = sum(pair.exact for pair in found.pairs)
    typer.echo(
        f"\nsame sperm in two splits: {len(found.pairs)} pairs at a similarity of {THRESHOLD} or "
        f"more, {exact} of them identical to the pixel"
    )
    for split in found.dataset.splits:
        if split != "train":
            typer.echo(
                f"  {split}: {found.crops_seen(split)} of {len(found.dataset.splits[split])} crops "
                "show a sperm that train shows too"
            )
    shown = found.pairs if all_pairs else found.pairs[:_FEW_PAIRS]
    for pair in shown:
        typer.echo(
            f"  {pair.similarity:.3f}  {pair.split_a}/{pair.index_a}  {pair.split_b}/{pair.index_b}"
            + ("  turned or mirrored" if pair.turned else "")
        )
    if len(shown) < len(found.pairs):
        typer.echo(f"  and {len(found.pairs) - len(shown)} more; --all lists them")
    if not any(band.pairs for band in found.bands):
        return
    table = Table(title="how the threshold is judged: likenesses across splits")
    for heading in ("similarity", "pairs", "turned", "labels that differ"):
        table.add_column(heading, justify="right")
    for band in reversed(found.bands):
        table.add_row(
            f"{band.low:.3f} to {band.high:.3f}",
            str(band.pairs),
            f"{band.turned}",
            f"{band.labels_differing} of {band.labels_compared}",
        )
    _print_table(table)
    typer.echo(
        "Two pictures of one sperm need no turning and bear the same labels. A chance likeness"
    )
    typer.echo("is as often turned or mirrored, and its labels differ as those of any two crops.")


def _counts_table(title: str, counts: dict[str, dict[str, Counts]]) -> Table:
    from rich.table import Table

    blanks = any(c.unlabelled for by_label in counts.values() for c in by_label.values())
    table = Table(title=title)
    table.add_column("split")
    table.add_column("label")
    for heading in ("normal", "abnormal", *(["not labelled"] if blanks else [])):
        table.add_column(heading, justify="right")
    for split, by_label in counts.items():
        for number, (label, count) in enumerate(by_label.items()):
            cells = [split if number == 0 else "", label, str(count.normal), str(count.abnormal)]
            table.add_row(*cells, *([str(count.unlabelled)] if blanks else []))
        table.add_section()
    return table


def _print_table(table: Table) -> None:
    from rich import box
    from rich.console import Console

    # Lines that every terminal and every pipe can carry.
    table.box = box.SIMPLE if sys.stdout.isatty() else box.ASCII2
    # Not as a title, which a narrow table would wrap.
    typer.echo(f"\n{table.title}")
    table.title = None
    Console(highlight=False).print(table)


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

    with _count_bar("reading") as progress:
        examined = examine(path, progress=progress)
    for problem in examined.problems:
        typer.echo(str(problem))
    _print_examined(examined)
    if examined.problems:
        raise typer.Exit(1)


def _print_examined(examined: Examined) -> None:
    counts = examined.counts()
    if counts and examined.listing.label_names:
        _print_table(_counts_table("labels of the crops that could be read", counts))
    for warning in examined.warnings():
        typer.echo(f"warning: {warning}")
    crops = f"{len(examined.entries)} crops"
    number = len(examined.problems)
    if number:
        problems = "1 problem" if number == 1 else f"{number} problems"
        typer.echo(f"{problems}; {crops} could be read")
    else:
        typer.echo(f"no problems in {crops}")


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
    _print_table(table)
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

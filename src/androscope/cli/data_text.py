"""What the commands of ``androscope data`` print: progress, tables, pairs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from androscope.datasets.check import Examined
    from androscope.datasets.describe import Description
    from androscope.datasets.download import Fetched, Report
    from androscope.datasets.types import Counts

__all__ = [
    "count_bar",
    "download_bar",
    "print_counts",
    "print_examined",
    "print_fetched",
    "print_pairs",
    "print_table",
]

#: Pairs that are printed unless all are asked for.
_FEW_PAIRS = 10


def print_fetched(done: Fetched, *, total: int) -> None:
    """Print what a download or a copy did."""
    if done.added:
        typer.echo(f"added:    {len(done.added)} files to {done.folder}")
    if done.kept:
        typer.echo(f"kept:     {len(done.kept)} files, here already and right")
    if done.missing:
        typer.echo(f"missing:  {', '.join(done.missing)}: work on 64-pixel crops needs neither")
    verified = len(done.added) + len(done.kept)
    typer.echo(f"verified: {verified} of {total} files have their git blob id")


@contextmanager
def download_bar() -> Iterator[Report]:
    """Give a function that a download reports to; a bar per file on a terminal."""
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
def count_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how many of how many are done; a bar on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_counts(found: Description) -> None:
    """Print the counts, whether they are the published ones, and where the data is from."""
    dataset = found.dataset
    print_table(_counts_table(dataset.name, found.counts))
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


def print_pairs(found: Description, *, all_pairs: bool) -> None:
    """Print the pairs across splits, and what the threshold is judged by."""
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
    print_table(table)
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


def print_table(table: Table) -> None:
    """Print a table below its title, in lines that every terminal and every pipe can carry."""
    from rich import box
    from rich.console import Console

    table.box = box.SIMPLE if sys.stdout.isatty() else box.ASCII2
    # Not as a title, which a narrow table would wrap.
    typer.echo(f"\n{table.title}")
    table.title = None
    Console(highlight=False).print(table)


def print_examined(examined: Examined) -> None:
    """Print counts and warnings, and how many problems there are."""
    counts = examined.counts()
    if counts and examined.listing.label_names:
        print_table(_counts_table("labels of the crops that could be read", counts))
    for warning in examined.warnings():
        typer.echo(f"warning: {warning}")
    crops = f"{len(examined.entries)} crops"
    number = len(examined.problems)
    if number:
        problems = "1 problem" if number == 1 else f"{number} problems"
        typer.echo(f"{problems}; {crops} could be read")
    else:
        typer.echo(f"no problems in {crops}")

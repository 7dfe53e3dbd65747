"""``androscope leaderboard``: ranked results with their sources, and the check of new ones."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from androscope.cli.leaderboard_text import entry_lines, ranking_lines

if TYPE_CHECKING:
    from androscope.benchmark.entries import Board

__all__ = ["leaderboard"]

leaderboard = typer.Typer(
    help="See who grades how well, and submit predictions.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


class ProtocolName(StrEnum):
    """Values of ``--protocol``; those of ``androscope.benchmark.entries.Protocol``."""

    OFFICIAL = "official"
    FOLDS = "folds"
    UNKNOWN = "unknown"


_Dataset = Annotated[str, typer.Option(metavar="NAME", help="Data set of the leaderboard.")]
_File = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Data file of a leaderboard.", show_default="the one shipped"
    ),
]


@leaderboard.command("show")
def show(
    label: Annotated[
        str | None, typer.Option(help="head, acrosome, vacuole, ...", show_default="all")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="accuracy, precision, recall, f_half, g_mean, roc_auc or mcc.",
            show_default="accuracy; with --json all",
        ),
    ] = None,
    dataset: _Dataset = "mhsma",
    file: _File = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON instead, with sources and remarks.")
    ] = False,
) -> None:
    """Print the ranking, the best first.

    A verified row was computed from predictions; an unverified one is a claim.

    [bold]Examples[/bold]

        $ androscope leaderboard show --label head

        $ androscope leaderboard show --metric mcc --json
    """
    from androscope.benchmark.board import known
    from androscope.benchmark.document import leaderboard_json
    from androscope.benchmark.ranking import labels_of
    from androscope.learning.metrics import METRICS

    board = _board(file, dataset)
    of = tuple(board.by_name[dataset].labels)
    labels = labels_of(board, dataset) if label is None else (known("label", label, of),)
    chosen = metric or (None if as_json else METRICS[0])
    metrics = METRICS if chosen is None else (known("metric", chosen, METRICS),)
    if as_json:
        typer.echo(leaderboard_json(board, dataset, labels, metrics), nl=False)
        return
    for one in labels:
        typer.echo("\n".join([*ranking_lines(board, dataset, one, metrics[0]), ""]))
    typer.echo("Sources, code and remarks: `androscope leaderboard page`, or --json.")


@leaderboard.command("submit")
def submit(
    predictions: Annotated[
        Path,
        typer.Argument(
            help="A CSV: id, and a column of probabilities of abnormal per label; "
            "the predictions.csv of `androscope evaluate` is one."
        ),
    ],
    name: Annotated[str, typer.Option(help="What the method is called.")],
    protocol: Annotated[
        ProtocolName,
        typer.Option(
            help="official: nothing of the test split was learned from or chosen on; "
            "folds: predictions of a cross-validation."
        ),
    ],
    paper: Annotated[
        str | None, typer.Option(help="A DOI, an address or a citation.", show_default="none")
    ] = None,
    code: Annotated[
        str | None, typer.Option(help="Address of the code.", show_default="none")
    ] = None,
    date: Annotated[
        str | None,
        typer.Option(help="YYYY, YYYY-MM or YYYY-MM-DD.", show_default="today"),
    ] = None,
    thresholds: Annotated[
        list[str] | None,
        typer.Option(
            "--threshold",
            metavar="LABEL=VALUE",
            help="Probability from which LABEL is abnormal, chosen on validation; may be repeated.",
            show_default="the file's, else 0.5",
        ),
    ] = None,
    dataset: _Dataset = "mhsma",
    file: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Data file to add the row to; where there is none, a copy of the one shipped.",
        ),
    ] = Path("leaderboard.json"),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and score; write nothing.")
    ] = False,
) -> None:
    """Check predictions of a test split, compute every score, and add a verified row.

    A file that is not good is refused with every reason at once.

    [bold]Examples[/bold]

        $ androscope leaderboard submit predictions.csv --name Mine --protocol official --dry-run

        $ androscope leaderboard submit p.csv --name Mine --protocol official --threshold head=0.4
    """
    from androscope.benchmark.board import alone, with_entry, write_board
    from androscope.benchmark.entries import Protocol
    from androscope.benchmark.verify import Claim, verify

    limits = _limits(thresholds or [])
    claim = Claim(
        name=name,
        date=date or datetime.now(UTC).date().isoformat(),
        protocol=Protocol(protocol.value),
        paper=paper,
        code=code,
    )
    # From reading to writing nobody else may add a row: it would be lost.
    with nullcontext() if dry_run else alone(file):
        board = _board(file if file.exists() else None, dataset)
        entry = verify(predictions, board, board.by_name[dataset], claim, limits)
        board = with_entry(board, entry)
        if not dry_run:
            write_board(file, board)
    typer.echo("\n".join([*entry_lines(board, entry), ""]))
    typer.echo("Nothing was written (--dry-run)" if dry_run else f"Added to {file}")


@leaderboard.command("page")
def page(
    out: Annotated[Path, typer.Option(metavar="FILE", help="The HTML file.")],
    dataset: _Dataset = "mhsma",
    file: _File = None,
) -> None:
    """Write the leaderboard as one HTML page that needs no server and no network.

    [bold]Example[/bold]

        $ androscope leaderboard page --out leaderboard.html
    """
    from androscope.benchmark.page import write_page

    write_page(out, _board(file, dataset), dataset)
    typer.echo(f"Written to {out}")


def _board(file: Path | None, dataset: str) -> Board:
    from androscope.benchmark.board import SHIPPED, known, read_board

    board = read_board(SHIPPED if file is None else file)
    known("data set", dataset, board.by_name)
    return board


def _limits(given: list[str]) -> dict[str, float]:
    limits: dict[str, float] = {}
    for text in given:
        label, _, value = text.partition("=")
        try:
            number = float(value)
        except ValueError:
            raise typer.BadParameter(
                f"expected LABEL=VALUE such as head=0.42, got {text!r}", param_hint="--threshold"
            ) from None
        if label in limits:
            raise typer.BadParameter(f"{label} is given twice", param_hint="--threshold")
        limits[label] = number
    return limits

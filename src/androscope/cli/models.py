"""``androscope models``: the bundles that grade, and what their cards say."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from androscope.cli.options import complete_model

__all__ = ["models"]

models = typer.Typer(
    help="See which models there are, and what is known of them.", no_args_is_help=True
)


_Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME|DIR",
        autocompletion=complete_model,
        help="A shipped model or a bundle's folder.",
    ),
]


@models.command("list")
def list_models() -> None:
    """List the models inside this installation.

    [bold]Example[/bold]

        $ androscope models list
    """
    from androscope.model.bundle import default_name, load_bundle, shipped_names

    names = shipped_names()
    if not names:
        typer.echo("No model is shipped with this installation; --model DIR takes a bundle.")
        return
    rows = [("name", "version", "method", "labels", "size", "")]
    for name in names:
        card = load_bundle(name).card
        default = "default" if name == default_name() else ""
        size = f"{card.model_bytes / 1e6:.1f} MB"
        rows.append((name, card.version, card.method, ", ".join(card.labels), size, default))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo(line.rstrip())


@models.command("show")
def show(
    name: _Name = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print card.json instead.")] = False,
) -> None:
    """Print a model's card: intended use, training data, metrics with intervals, limits, hashes.

    [bold]Example[/bold]

        $ androscope models show
    """
    from androscope.model.bundle import load_bundle
    from androscope.model.card_text import card_text

    card = load_bundle(name).card
    if as_json:
        typer.echo(card.to_json(), nl=False)
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(card_text(card)))
    else:
        typer.echo(card_text(card), nl=False)


@models.command("verify")
def verify(name: _Name) -> None:
    """Check a bundle: card, hash, labels, shapes, and that the model runs.

    [bold]Example[/bold]

        $ androscope models verify default
    """
    import numpy as np

    from androscope.model.bundle import CARD_FILE, MODEL_CARD_FILE, MODEL_FILE, load_bundle
    from androscope.model.card_text import card_text
    from androscope.model.session import Session

    bundle = load_bundle(name)
    card = bundle.card
    typer.echo(f"ok    {CARD_FILE}: {card.name} {card.version}, {card.method}")
    typer.echo(f"ok    {MODEL_FILE}: SHA-256 {card.model_sha256}")
    session = Session(bundle)
    typer.echo(
        f"ok    labels and shapes: {', '.join(card.labels)}; crops {card.input.size} px, "
        f"embedding {card.network.embedding_dim}"
    )
    size = card.input.size
    session.predict(np.zeros((2, size, size), np.uint8))
    typer.echo("ok    the model runs")
    text = bundle.folder / MODEL_CARD_FILE
    if not text.is_file():
        typer.echo(f"note  {MODEL_CARD_FILE} is missing; `androscope models show` prints it")
    elif text.read_text(encoding="utf-8", errors="replace") != card_text(card):
        typer.echo(f"note  {MODEL_CARD_FILE} is not what this version makes of {CARD_FILE}")
    else:
        typer.echo(f"ok    {MODEL_CARD_FILE} is made from {CARD_FILE}")
    known = {CARD_FILE, MODEL_FILE, MODEL_CARD_FILE}
    if card.checks is not None and card.checks.domain is not None:
        typer.echo(f"ok    {card.checks.domain.file}: SHA-256 {card.checks.domain.sha256}")
        known.add(card.checks.domain.file)
    for other in sorted(p.name for p in bundle.folder.iterdir() if p.name not in known):
        typer.echo(f"note  {other} is no part of a bundle and is never read")

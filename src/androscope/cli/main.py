"""The command line's front door: its table of contents and the way errors leave it.

Exit codes: 0 done; 1 some images could not be assessed (the others were); 2 the command was wrong
or could not be carried out.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from androscope import __version__
from androscope.cli.assess import assess
from androscope.cli.config import config
from androscope.cli.data import data
from androscope.cli.demo import demo
from androscope.cli.evaluate import crossval, evaluate
from androscope.cli.models import models
from androscope.errors import AndroscopeError

__all__ = ["app", "main"]

app = typer.Typer(
    name="androscope",
    help="Grade sperm morphology from microscope images: head, acrosome, vacuole and tail.\n\n"
    "For research use only: not a medical device. Images never leave this machine.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"androscope {__version__}")
        raise typer.Exit


@app.callback()
def _androscope(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


# The order here is the order of `androscope --help`. These modules import typer and little else;
# what a command needs, it imports when it runs.
app.command(rich_help_panel="Assess")(assess)
app.command(rich_help_panel="Assess")(demo)
app.add_typer(models, name="models", rich_help_panel="Models")
app.add_typer(data, name="data", rich_help_panel="Data")
app.add_typer(config, name="config", rich_help_panel="Learn")
app.command(rich_help_panel="Learn")(evaluate)
app.command(rich_help_panel="Learn")(crossval)


def main() -> None:
    """Run the command line; typed errors become one line on standard error and exit code 2."""
    try:
        app()
    except AndroscopeError as error:
        typer.secho(f"error: {error}", err=True, fg=typer.colors.RED)
        sys.exit(2)

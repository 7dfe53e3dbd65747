"""The command line's front door: its table of contents and the way errors leave it.

Exit codes: 0 done; 1 some images could not be assessed (the others were); 2 the command was wrong
or could not be carried out.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from androscope import __version__
from androscope.cli.adapt import adapt
from androscope.cli.agree import agree
from androscope.cli.assess import assess
from androscope.cli.audit import audit_labels
from androscope.cli.batch import batch
from androscope.cli.benchmark import benchmark
from androscope.cli.benchmark_locate import locate
from androscope.cli.benchmark_trust import trust
from androscope.cli.calibrate import calibrate
from androscope.cli.config import config
from androscope.cli.data import data
from androscope.cli.demo import demo
from androscope.cli.drift import drift
from androscope.cli.evaluate import crossval, evaluate
from androscope.cli.explain import explain
from androscope.cli.leaderboard import leaderboard
from androscope.cli.models import models
from androscope.cli.quantise import quantise
from androscope.cli.records import records
from androscope.cli.report import report
from androscope.cli.search import search
from androscope.cli.serve import serve
from androscope.cli.suggest import suggest
from androscope.cli.train import export, train
from androscope.cli.train_locator import train_locator
from androscope.cli.users import users
from androscope.errors import AndroscopeError

__all__ = ["app", "main"]

#: Chapters of `androscope --help`, in this order.
PANELS = ("Assess", "The lab's page", "Data", "Learn", "Models", "Compare")


class _Contents(TyperGroup):
    """Commands by chapter; typer would put all groups behind all single commands."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=self._chapter)

    def _chapter(self, name: str) -> int:
        panel = getattr(self.commands[name], "rich_help_panel", None)
        return PANELS.index(panel) if panel in PANELS else len(PANELS)


app = typer.Typer(
    name="androscope",
    cls=_Contents,
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


# Within a chapter, commands come in this order. These modules import typer and little else; what a
# command needs, it imports when it runs.
app.command(rich_help_panel="Assess")(assess)
app.command(rich_help_panel="Assess")(batch)
app.command(rich_help_panel="Assess")(explain)
app.command(rich_help_panel="Assess")(report)
app.command(rich_help_panel="Assess")(agree)
app.command(rich_help_panel="Assess")(drift)
app.add_typer(records, name="records", rich_help_panel="Assess")
app.command(rich_help_panel="Assess")(demo)
app.command(rich_help_panel="The lab's page")(serve)
app.add_typer(users, name="users", rich_help_panel="The lab's page")
app.add_typer(models, name="models", rich_help_panel="Models")
app.add_typer(data, name="data", rich_help_panel="Data")
app.command("audit-labels", rich_help_panel="Data")(audit_labels)
app.add_typer(config, name="config", rich_help_panel="Learn")
app.command(rich_help_panel="Learn")(train)
app.add_typer(search, name="search", rich_help_panel="Learn")
app.command(rich_help_panel="Learn")(evaluate)
app.command(rich_help_panel="Learn")(crossval)
app.command(rich_help_panel="Learn")(export)
app.command(rich_help_panel="Learn")(suggest)
app.command(rich_help_panel="Learn")(adapt)
app.command(rich_help_panel="Learn")(calibrate)
app.command(rich_help_panel="Learn")(quantise)
app.command("train-locator", rich_help_panel="Learn")(train_locator)
benchmark.command("locate")(locate)
benchmark.command("trust")(trust)
app.add_typer(benchmark, name="benchmark", rich_help_panel="Compare")
app.add_typer(leaderboard, name="leaderboard", rich_help_panel="Compare")


def main() -> None:
    """Run the command line; typed errors become one line on standard error and exit code 2."""
    # Pydantic looks for plugins in every installed package; none is of use here.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # What numpy multiplies here is small: its threads cost a start-up, and, where several processes
    # run, far more than they gain. The networks have threads of their own.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A file name may hold what the terminal's encoding lacks; escaped is better than not at all.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="androscope")
    except AndroscopeError as error:
        typer.secho(f"error: {error}", err=True, fg=typer.colors.RED)
        sys.exit(2)

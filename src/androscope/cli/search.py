"""``androscope search``: a configuration's values searched on validation, and what came of it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from androscope.cli.options import JsonOption
from androscope.cli.options_learning import (
    ConfigDataOption,
    ConfigLabelOption,
    CpuThreadsOption,
    QuietResultOption,
    config_changes,
)

if TYPE_CHECKING:
    from androscope.search.record import SearchRecord

__all__ = ["search"]

search = typer.Typer(
    help="Search a configuration's values, judged on validation alone.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


class KeepName(StrEnum):
    """Values of ``--keep``."""

    BEST = "best"
    ALL = "all"
    NONE = "none"


_Storage = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        envvar="OPTUNA_STORAGE",
        show_envvar=True,
        help="A database that machines share, such as postgresql://user@host/name.",
        show_default="DIR/study.db",
    ),
]


@search.command("spaces")
def spaces() -> None:
    """List the spaces that come with androscope.

    [bold]Example[/bold]

        $ androscope search spaces
    """
    _require("yaml")
    from androscope.search.file import SPACES, load_space

    for name in SPACES.names():
        found = load_space(name)
        typer.echo(f"{name:<8}config {found.space.config}: {', '.join(found.space.space)}")


@search.command("space")
def space(
    name: Annotated[
        str, typer.Argument(metavar="SPACE", help="A shipped space, or a YAML file, checked.")
    ],
) -> None:
    """Print a space, after a check of every key and value in it.

    [bold]Example[/bold]

        $ androscope search space dmtl > my-space.yaml
    """
    _require("yaml")
    from androscope.search.file import SPACES, load_space

    load_space(name)
    typer.echo(SPACES.find(name).text, nl=False)


@search.command("run")
def run(
    space: Annotated[
        str, typer.Argument(metavar="SPACE", help="A YAML file, or a shipped space: dmtl, dtl.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The search's folder.")],
    trials: Annotated[
        int, typer.Option(min=1, help="In all, those of earlier starts and other machines too.")
    ] = 50,
    jobs: Annotated[int, typer.Option(min=1, help="Trials at a time.")] = 1,
    threads: CpuThreadsOption = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=0, metavar="MINUTES", help="Begin no trial after so long."),
    ] = None,
    storage: _Storage = None,
    name: Annotated[
        str | None,
        typer.Option(help="Of the search in the database.", show_default="the space's"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the proposals.")] = 0,
    keep: Annotated[
        KeepName, typer.Option(help="Trials whose run's folder stays.")
    ] = KeepName.BEST,
    heartbeat: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="SECONDS",
            help="Between a trial's signs of life; four missing, another machine tries it again.",
        ),
    ] = 30,
    label: ConfigLabelOption = None,
    data: ConfigDataOption = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key in all trials; repeatable."),
    ] = None,
    quiet: QuietResultOption = False,
) -> None:
    """Train one configuration of the space after another, ever better ones, and keep the best.

    Trials are fitted on train and judged on valid; test is not read.
    One that does worse than most at the same epoch is given up.

    Started again, it goes on: a trial that was killed is tried again
    from its last epoch. A trial that fails is recorded, no more.

    [bold]Examples[/bold]

        $ androscope search run dmtl --out searches/dmtl --trials 50

        $ androscope search run dtl --label head --out searches/head --jobs 2

        $ androscope train searches/dmtl/best.yaml
    """
    _require()
    from androscope.search.file import load_space
    from androscope.search.run import search as carry_out

    loaded = load_space(space, config_changes(overrides, label=label, data=data))
    try:
        found = carry_out(
            loaded,
            out,
            trials=trials,
            jobs=jobs,
            threads=threads,
            timeout=None if timeout is None else 60 * timeout,
            storage=storage,
            name=name,
            seed=seed,
            keep=keep.value,
            heartbeat=heartbeat,
            report=(lambda _: None)
            if quiet
            else lambda line: typer.secho(line, err=True, dim=True),
        )
    except KeyboardInterrupt as error:
        typer.echo(f"Interrupted. The same command goes on with {out}", err=True)
        raise typer.Exit(130) from error
    _print(found, out)
    if found.best is None:
        raise typer.Exit(1)


@search.command("show")
def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A search's folder.")],
    storage: _Storage = None,
    name: Annotated[
        str | None,
        typer.Option(help="Of the search in the database.", show_default="as DIR/search.json says"),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw importance and trials: .svg, .png or .pdf."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print a search's best trials and which keys mattered, while it runs or after.

    [bold]Examples[/bold]

        $ androscope search show searches/dmtl

        $ androscope search show searches/dmtl --plot search.png
    """
    _require("yaml", "filelock", "optuna")
    from androscope.search.plot import plot_search
    from androscope.search.show import look_at

    found = look_at(folder, storage, name)
    if plot is not None:
        plot_search(plot, found)
    if as_json:
        typer.echo(found.model_dump_json(indent=1))
        return
    _print(found, folder)
    if plot is not None:
        typer.echo(f"Written to {plot}")


def _print(found: SearchRecord, out: Path) -> None:
    from androscope.search.show import lines

    typer.echo("\n".join(lines(found, out)))


def _require(*modules: str) -> None:
    # Not torch and its family: what trains are other processes, which look for it themselves.
    from androscope.extras import require

    for module in modules or ("yaml", "sklearn", "matplotlib", "filelock", "optuna"):
        require(module, extra="train", why="search configurations")

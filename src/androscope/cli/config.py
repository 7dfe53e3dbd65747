"""``androscope config``: the configurations that are shipped, every key, and a file's faults."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["config"]

config = typer.Typer(help="See and check training configurations.", no_args_is_help=True)

_Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a key; may be repeated."),
]


def _require() -> None:
    from androscope.extras import require

    require("yaml", extra="train", why="read configurations")


@config.command("list")
def list_configs() -> None:
    """List the configurations that come with androscope.

    [bold]Example[/bold]

        $ androscope config list
    """
    _require()
    from androscope.learning.config_file import CONFIGS, load_config

    for name in CONFIGS.names():
        found = load_config(name)
        labels = ", ".join(found.labels) if found.method == "dmtl" else "one label (--label)"
        size = f"{found.data.crop_size} px crops"
        typer.echo(f"{name:<12}{found.backbone.name:<22}{size:<15}{labels}")


@config.command("show")
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A shipped configuration, or a YAML file.")
    ],
    full: Annotated[
        bool, typer.Option("--full", help="Every key with its value, instead of the text.")
    ] = False,
    overrides: _Overrides = None,
) -> None:
    """Print a configuration: as it was written, or with every default filled in.

    [bold]Examples[/bold]

        $ androscope config show dmtl-paper

        $ androscope config show dmtl --full > my.yaml
    """
    _require()
    from androscope.learning.config_file import CONFIGS, dump_config, load_config

    found = load_config(name, overrides or ())
    if full or overrides:
        typer.echo(dump_config(found), nl=False)
        return
    typer.echo(CONFIGS.find(name).text, nl=False)


@config.command("check")
def check(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A YAML file, or a shipped configuration.")
    ],
    overrides: _Overrides = None,
) -> None:
    """Check a configuration, and list all that is wrong with it at once.

    Its keys and values first; then whether the backbone, the weights and the data that it names
    are here. What could not be looked for is said.

    [bold]Example[/bold]

        $ androscope config check my.yaml
    """
    _require()
    from androscope.learning.config_file import load_config
    from androscope.learning.config_reach import look_up

    found = load_config(file, overrides or ())
    unchecked = look_up(found)
    typer.echo(f"{file}: good. {found.method} for {', '.join(found.labels)}")
    for line in unchecked:
        typer.echo(f"not checked: {line}")


@config.command("keys")
def keys(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="As the tables of docs/configuration.md.")
    ] = False,
) -> None:
    """List every key, what it takes, its default and what it is for.

    [bold]Example[/bold]

        $ androscope config keys
    """
    _require()
    from androscope.learning import config_keys

    if markdown:
        typer.echo(config_keys.markdown(), nl=False)
        return
    for key in config_keys.all_keys():
        typer.echo(f"{key.path}: {key.takes} [{key.default}]")
        if key.description:
            typer.echo(f"    {key.description}")

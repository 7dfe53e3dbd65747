"""Options and arguments that commands share which train, adapt and measure models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

if TYPE_CHECKING:
    from androscope.types import Views

__all__ = [
    "BootstrapSeedOption",
    "BundleArgument",
    "ConfigArgument",
    "ConfigDataOption",
    "ConfigLabelOption",
    "ConfigSeedOption",
    "CpuThreadsOption",
    "LabelledDataOption",
    "NewBundleOption",
    "NewVersionOption",
    "OverridesOption",
    "QuietResultOption",
    "ResamplesOption",
    "SplitOption",
    "WholeJsonOption",
    "config_changes",
    "views_of",
]

# Of what is trained: a configuration, and changes of it.

ConfigArgument = Annotated[
    str, typer.Argument(metavar="CONFIG", help="A YAML file, or a shipped configuration.")
]

ConfigLabelOption = Annotated[
    str | None, typer.Option(help="Learn this label alone: short for --set labels=[LABEL].")
]

ConfigDataOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|PATH",
        help="Labelled crops: mhsma, or the path of your own.",
        show_default="the configuration's",
    ),
]

ConfigSeedOption = Annotated[
    int | None,
    typer.Option(min=0, help="Of all random draws.", show_default="the configuration's"),
]

OverridesOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a key; may be repeated."),
]

CpuThreadsOption = Annotated[
    int | None,
    typer.Option(min=1, help="CPU threads of all of them together.", show_default="all"),
]

QuietResultOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print the result alone.")]


def views_of(value: int) -> Views:
    """Views of a crop, as an option gives them."""
    from androscope.types import Views

    if value not in get_args(Views):
        *others, last = map(str, get_args(Views))
        expected = f"{', '.join(others)} or {last}"
        raise typer.BadParameter(f"expected {expected}, got {value}", param_hint="--views")
    return cast(Views, value)


# Of a bundle that another one is made from.

BundleArgument = Annotated[
    str, typer.Argument(metavar="BUNDLE", help="A bundle's folder or a shipped model.")
]

NewBundleOption = Annotated[Path, typer.Option(metavar="DIR", help="The new bundle's folder.")]

NewVersionOption = Annotated[
    str | None, typer.Option(help="Of the new bundle.", show_default="the old one's")
]

# Of what is measured, and how.

LabelledDataOption = Annotated[
    str, typer.Option(metavar="NAME|PATH", help="Labelled crops: mhsma, or the path of your own.")
]

SplitOption = Annotated[str, typer.Option(help="train, valid or test.")]

BootstrapSeedOption = Annotated[int, typer.Option(min=0, help="Of the bootstrap.")]

ResamplesOption = Annotated[int, typer.Option(min=100, help="Draws of the bootstrap.")]

WholeJsonOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write all of it as JSON.")
]


def config_changes(
    overrides: Sequence[str] | None,
    *,
    label: str | None = None,
    data: str | None = None,
    seed: int | None = None,
) -> list[str]:
    """``key=value`` for each of these options that is given, what ``--set`` says last."""
    return [
        *([f"labels=[{label}]"] if label else []),
        # A JSON string is a YAML string, whatever is in the path.
        *([f"data.dataset={json.dumps(data, ensure_ascii=False)}"] if data else []),
        *([f"seed={seed}"] if seed is not None else []),
        *(overrides or []),
    ]

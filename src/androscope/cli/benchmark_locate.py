"""``androscope benchmark locate``: how well sperm are found in frames whose boxes are known."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from androscope.cli.options import JsonOption
from androscope.cli.options_learning import WholeJsonOption

if TYPE_CHECKING:
    from androscope.imaging.located import Finder

__all__ = ["locate"]


class SetName(StrEnum):
    """Published sets of frames with boxes."""

    SVIA = "svia"
    VISEM = "visem"


def locate(
    sets: Annotated[
        list[SetName] | None,
        typer.Argument(
            metavar="[SET]...", help="svia, visem.", show_default="those that are on this machine"
        ),
    ] = None,
    locators: Annotated[
        list[str] | None,
        typer.Option(
            "--locator",
            metavar="NAME|DIR",
            help="A locator, classical, or auto; may be repeated.",
            show_default="the shipped one, classical, and auto, which is what assess uses",
        ),
    ] = None,
    head_length: Annotated[
        float, typer.Option(metavar="PX", min=3.1, help="What they are told: one for all videos.")
    ] = 16.0,
    threads: Annotated[int, typer.Option(min=0, help="Threads; 0: one per core.")] = 0,
    markdown: Annotated[bool, typer.Option("--markdown", help="As a table for a page.")] = False,
    as_json: JsonOption = False,
    out: WholeJsonOption = None,
) -> None:
    """Score the locating of sperm per video, beside a blob filter tuned on that very video.

    Frames that a locator learned from, by its card, are left out for
    every method.

    [bold]Examples[/bold]

        $ androscope benchmark locate

        $ androscope benchmark locate svia --locator runs/my-locator --markdown
    """
    from androscope.extras import require

    if markdown and as_json:
        raise typer.BadParameter("choose one of --markdown and --json")
    require("scipy", extra="train", why="match what was found with boxes")
    from androscope.datasets.located import LOCATED, load_located
    from androscope.errors import DatasetMissingError
    from androscope.files import write_text
    from androscope.learning.locating import locating_document, score_videos
    from androscope.learning.locating_text import locating_lines

    loaded = []
    for name in [item.value for item in sets] if sets else list(LOCATED):
        try:
            loaded.append(load_located(name))
        except DatasetMissingError as error:
            if sets:
                raise
            typer.secho(f"note: {error}", err=True, fg=typer.colors.YELLOW)
    if not loaded:
        raise DatasetMissingError(
            f"none of {', '.join(LOCATED)} is on this machine",
            advice="Set ANDROSCOPE_DATA to the folder that holds them",
        )
    methods, learned = _methods(locators, threads)
    scores = score_videos(
        loaded,
        methods,
        head_length=head_length,
        learned_from=learned,
        report=lambda line: typer.secho(line, err=True, dim=True),
    )
    document = locating_document(scores, head_length)
    if out is not None:
        write_text(out, json.dumps(document, indent=1, allow_nan=False) + "\n")
    if as_json:
        typer.echo(json.dumps(document, indent=1, allow_nan=False))
        return
    typer.echo("\n".join(locating_lines(document, markdown=markdown)))


def _methods(
    locators: list[str] | None, threads: int
) -> tuple[dict[str, Finder], dict[str, tuple[str, ...]]]:
    """Finders by their names in the table, and the frames of each set that any learned from."""
    from androscope.fields import AUTO, CLASSICAL, finder
    from androscope.imaging.locate import locate as classical
    from androscope.model.locator import Locator
    from androscope.model.locator_bundle import DEFAULT_LOCATOR, load_locator

    methods: dict[str, Finder] = {}
    learned: dict[str, tuple[str, ...]] = {}
    for named in locators or [DEFAULT_LOCATOR, CLASSICAL, AUTO]:
        if named == CLASSICAL:
            methods[CLASSICAL] = classical
            continue
        bundle = load_locator(DEFAULT_LOCATOR if named == AUTO else named)
        if named == AUTO:
            methods[AUTO] = finder(AUTO, threads=threads)
        else:
            name = f"{bundle.card.name} {bundle.card.version}"
            methods[name] = Locator(bundle, threads=threads)
        for part in bundle.card.frames:
            before = learned.get(part.dataset, ())
            learned[part.dataset] = (*before, *part.learned, *part.chosen)
    return methods, learned

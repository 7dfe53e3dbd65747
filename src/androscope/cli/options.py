"""Options and arguments that several commands share, and what they say of them."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from androscope.imaging.inputs import Progress
    from androscope.predict import Grader

__all__ = [
    "BitDepthOption",
    "ErrorRateOption",
    "FieldsOption",
    "FitAsAssessOption",
    "FitOption",
    "GradeAnywayOption",
    "HeadLengthOption",
    "JsonFileOption",
    "JsonOption",
    "LocatorOption",
    "MarkdownOption",
    "ModelOption",
    "PixelSizeOption",
    "ThreadsOption",
    "VideoEveryOption",
    "complete_model",
    "named_paths",
    "note",
    "note_unreachable",
    "progress_bar",
]


def complete_model(incomplete: str) -> list[str]:
    """Names of shipped models that begin so, for the shell."""
    from androscope.model.bundle import shipped_names

    return [name for name in shipped_names() if name.startswith(incomplete)]


def _rate(value: float | None) -> float | None:
    # `not in range` rather than `outside`: NaN compares false with everything.
    if value is not None and not 0 < value <= 0.5:
        raise typer.BadParameter(f"expected a share above 0 and at most 0.5, got {value:g}")
    return value


def _micrometres(value: float | None) -> float | None:
    if value is not None and not 0 < value < 1000:
        raise typer.BadParameter(f"expected micrometres per pixel above 0, got {value:g}")
    return value


def _pixels(value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and 0 < value < 100_000):
        raise typer.BadParameter(f"expected a length in pixels above 0, got {value:g}")
    return value


def _seconds(value: float | None) -> float | None:
    if value is not None and not 1 <= value < 100_000:
        raise typer.BadParameter(f"expected seconds, 1 at least, got {value:g}")
    return value


class FitOption(StrEnum):
    """How an image becomes the model's crop; :func:`androscope.imaging.crop.to_crop` does it."""

    AUTO = "auto"
    RESIZE = "resize"
    CENTRE = "centre"


FitAsAssessOption = Annotated[
    FitOption, typer.Option(help="How an image becomes a crop, as in assess.")
]

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|DIR",
        autocompletion=complete_model,
        help="A shipped model or a bundle's folder.",
        show_default="the shipped one",
    ),
]

ErrorRateOption = Annotated[
    float | None,
    typer.Option(
        metavar="R",
        callback=_rate,
        help="Leave undecided what cannot be decided with at most this share of wrong verdicts, of "
        "truly normal and of truly abnormal parts; such as 0.1.",
        show_default="the setting; verdicts by thresholds",
    ),
]

GradeAnywayOption = Annotated[
    bool,
    typer.Option(
        "--grade-anyway",
        help="Grade images that do not pass the model's checks too, and keep their flags in every "
        "output; otherwise they are refused.",
    ),
]

PixelSizeOption = Annotated[
    float | None,
    typer.Option(
        metavar="UM",
        callback=_micrometres,
        help="Micrometres per pixel, where the files do not say. A file that does is believed; a "
        "difference is told.",
        show_default=False,
    ),
]

BitDepthOption = Annotated[
    int | None,
    typer.Option(
        metavar="BITS",
        min=8,
        max=16,
        help="Bits of the camera's values, where files of more than 8 bits do not say.",
        show_default="the setting; guessed",
    ),
]

FieldsOption = Annotated[
    bool | None,
    typer.Option(
        "--fields/--crops",
        help="Take every image as a field of view with many sperm, or as a crop of one.",
        show_default="by size",
    ),
]

HeadLengthOption = Annotated[
    float | None,
    typer.Option(
        metavar="PX",
        callback=_pixels,
        help="Length of a normal head in the fields; believed before any pixel size, the files' "
        "too.",
        show_default="estimated",
    ),
]

VideoEveryOption = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        callback=_seconds,
        help="Of videos take another field of view every so many seconds; only where the stage was "
        "moved in between, for else the same sperm count again.",
        show_default="one, at the beginning",
    ),
]

LocatorOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|DIR",
        help="What finds the sperm of fields: auto (by polarity), classical (a filter), "
        "locator (the shipped network), or a locator's folder.",
        show_default="auto",
    ),
]

ThreadsOption = Annotated[
    int | None,
    typer.Option(min=0, max=1024, help="Threads; 0: one per core.", show_default=False),
]


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]

JsonFileOption = Annotated[
    Path | None, typer.Option(help="Write everything as JSON.", show_default=False)
]

MarkdownOption = Annotated[bool, typer.Option("--markdown", help="As tables for a page.")]


def named_paths(paths: list[str]) -> list[str]:
    """The paths named, those of standard input in the place of ``-``."""
    named: list[str] = []
    for path in paths:
        if path != "-":
            named.append(path)
            continue
        text = sys.stdin.read()
        # `find -print0`, for names with newlines in them.
        lines = text.split("\0") if "\0" in text else text.splitlines()
        named += [line for line in lines if line]
    return named


def note(message: str | None) -> None:
    """Print a note on standard error, if there is one."""
    if message:
        typer.secho(f"note: {message}", err=True, fg=typer.colors.YELLOW)


def note_unreachable(grader: Grader) -> None:
    """Say on standard error which classes an error rate is too low ever to rule out."""
    from androscope.assessment.conformal import unreachable

    names = () if grader.error_rate is None else unreachable(grader.card, grader.error_rate)
    if names:
        note(
            f"at an error rate of {grader.error_rate:g} too few validation crops ever rule "
            f"out: {', '.join(names)}"
        )


@contextmanager
def progress_bar(quiet: bool, doing: str, *, shown_from: int = 0) -> Iterator[Progress | None]:
    """Show on a terminal how much is done, once there are ``shown_from`` things to do."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=None, visible=not shown_from)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=total >= shown_from)

        yield advance

"""``androscope batch``: any number of images to one Parquet file."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from androscope.cli.options import (
    BitDepthOption,
    ErrorRateOption,
    FitAsAssessOption,
    FitOption,
    GradeAnywayOption,
    ModelOption,
    PixelSizeOption,
    note,
    note_unreachable,
)

if TYPE_CHECKING:
    from androscope.batch.peek import Plan
    from androscope.batch.run import Batch, Outcome

__all__ = ["batch"]

#: Exit code of a command that was interrupted, as shells have it.
_INTERRUPTED = 130


def batch(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SRC...",
            help="Folders, .zip or .tar archives, Parquet files with image bytes, images, patterns "
            "in quotes, or URLs of any of these.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The Parquet file to write.", show_default=False)
    ],
    model: ModelOption = None,
    pixel_size: PixelSizeOption = None,
    bit_depth: BitDepthOption = None,
    fit: FitAsAssessOption = FitOption.AUTO,
    error_rate: ErrorRateOption = None,
    grade_anyway: GradeAnywayOption = False,
    threads: Annotated[
        int,
        typer.Option(
            min=0,
            max=1024,
            help="Threads that read and grade; 0: one per CPU.",
        ),
    ] = 0,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=4096,
            help="Grade in so many processes of one thread each instead, here or on the cluster.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1, max=4096, help="Crops per forward pass.", show_default="the fastest here"
        ),
    ] = None,
    part_size: Annotated[
        int,
        typer.Option(
            min=1, max=100_000, help="Images, about, that a kill costs at most per worker."
        ),
    ] = 1000,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Grade on this Ray cluster: HOST:PORT, auto, or local to start one here.",
            show_default=False,
        ),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Throw an unfinished batch at --out away.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and how long it would take.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Grade any number of images into one Parquet file.

    One row per image: verdicts, the image's hash, or why there are none.
    However it ends, the same command goes on where it was; an image that
    did not change is not graded again.

    Exit code: 0 all were graded; 1 some could not be, and their rows say
    why; 2 nothing was written, what was graded is kept.

    [bold]Examples[/bold]

        $ androscope batch crops/ --out results.parquet

        $ androscope batch 'shards/*.parquet' --out results.parquet --dry-run

        $ androscope batch s3://bank/crops --out results.parquet --ray head:6379
    """
    from androscope.batch.key import Options
    from androscope.batch.run import Batch
    from androscope.settings import load_settings

    options = replace(
        Options.of(load_settings()),
        pixel_size=pixel_size,
        fit=fit.value,
        grade_anyway=grade_anyway,
    )
    if bit_depth is not None:
        options = replace(options, bit_depth=bit_depth)
    if error_rate is not None:
        options = replace(options, error_rate=error_rate)
    made = Batch(
        sources,
        out,
        model=model,
        options=options,
        threads=threads,
        workers=workers,
        ray=ray,
        batch_size=batch_size,
        part_size=part_size,
        restart=restart,
    )
    warning = made.grader.pixel_size_warning(pixel_size)
    if not quiet:
        note(warning)
        note_unreachable(made.grader)
    if dry_run:
        from androscope.batch.peek import plan_of

        _print_plan(made, plan_of(made))
        return
    outcome = _run(made, quiet)
    if not quiet:
        _print_outcome(made, outcome)
    if outcome.failed:
        raise typer.Exit(1)


def _run(made: Batch, quiet: bool) -> Outcome:
    from androscope.cli.batch_progress import watching

    try:
        with watching(sys.stderr, quiet) as watch:
            return made.run(watch)
    except KeyboardInterrupt as error:
        typer.secho(
            f"interrupted: what was graded is kept beside {made.out}; the same command goes on",
            err=True,
        )
        raise typer.Exit(_INTERRUPTED) from error


def _print_plan(made: Batch, plan: Plan) -> None:
    from androscope.cli.batch_progress import duration, size_text
    from androscope.report.names import printable

    for source, content in zip(made.sources, plan.contents, strict=True):
        count = "images, not counted" if content.images is None else f"{content.images:,} images"
        more = f"; {content.ignored:,} other files" if content.ignored else ""
        where = printable(source.where)
        typer.echo(f"{where} ({source.kind}): {count}, {size_text(content.size)}{more}")
    counts = [content.images or 0 for content in plan.contents]
    at_least = "at least " if any(c.images is None for c in plan.contents) else ""
    typer.echo(f"in all: {at_least}{sum(counts):,} images")
    if plan.kept:
        typer.echo(f"an unfinished batch is kept at {made.out}: {plan.kept:,} rows")
    card = made.grader.card
    typer.echo(
        f"{card.name} {card.version}: {plan.speed.seconds * 1000:.2f} ms per crop in one thread, "
        f"{plan.speed.batch_size} crops per pass"
    )
    hands = f"{made.workers} processes" if made.workers else f"{made.threads} threads"
    if plan.seconds is not None:
        typer.echo(
            f"grading takes about {duration(plan.seconds)} with {hands}, reading not counted"
        )


def _print_outcome(made: Batch, outcome: Outcome) -> None:
    from androscope.cli.batch_progress import duration

    kept = f", {outcome.kept:,} of them from before" if outcome.kept else ""
    what = "is as it was" if outcome.unchanged else "written"
    typer.echo(f"{made.out} {what}: {outcome.rows:,} rows in {duration(outcome.seconds)}{kept}")
    if outcome.failed:
        failed = ", ".join(f"{count:,} {code}" for code, count in sorted(outcome.failed.items()))
        typer.echo(
            f"without a verdict: {outcome.failed.total():,} ({failed}); error_reason says why",
            err=True,
        )
    note(_guesses(outcome))
    typer.echo("For research use only: not a medical device.")


def _guesses(outcome: Outcome) -> str | None:
    """What to say of bit depths that were guessed; a batch reads each file once, so one by one."""
    if not outcome.guessed:
        return None
    counts = sorted((int(bits), count) for bits, count in outcome.guessed.items())
    said = ", ".join(f"{bits} bits in {count:,} rows" for bits, count in counts)
    if len(counts) == 1:
        return f"the bit depth was guessed ({said}): give --bit-depth to be sure"
    return (
        f"the bit depth was guessed file by file, and differs ({said}): verdicts on images of one "
        "camera were made at different contrast; give --bit-depth"
    )

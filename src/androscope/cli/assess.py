"""``androscope assess``: images in, verdicts out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from androscope.cli.assess_fields import Gathered, print_fields
from androscope.cli.options import (
    BitDepthOption,
    ErrorRateOption,
    FieldsOption,
    FitOption,
    GradeAnywayOption,
    HeadLengthOption,
    JsonFileOption,
    LocatorOption,
    ModelOption,
    PixelSizeOption,
    ThreadsOption,
    VideoEveryOption,
    named_paths,
    note,
    note_unreachable,
    progress_bar,
)

if TYPE_CHECKING:
    from androscope.types import Results

__all__ = ["assess"]

#: From this many images on, grading takes long enough to be watched.
_WORTH_A_BAR = 64
#: What the results say of the images that is printed, too.
_TOLD = ("pixel_size_warning", "pixel_size_differs", "bit_depth_warning", "too_small")


def assess(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Images of single sperm, or fields of view and videos: files, folders, patterns, "
            ".npy stacks, or - for paths from standard input, one on a line.",
            show_default=False,
        ),
    ],
    model: ModelOption = None,
    error_rate: ErrorRateOption = None,
    grade_anyway: GradeAnywayOption = False,
    csv: Annotated[
        Path | None, typer.Option(help="Write a row per image as CSV.", show_default=False)
    ] = None,
    json: JsonFileOption = None,
    parquet: Annotated[
        Path | None,
        typer.Option(help="Write a row per image as Parquet.", show_default=False),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Write a page with thumbnails; needs no server.", show_default=False),
    ] = None,
    thumbnails: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write each crop, as graded, into a folder.", show_default=False
        ),
    ] = None,
    pixel_size: PixelSizeOption = None,
    bit_depth: BitDepthOption = None,
    fields: FieldsOption = None,
    head_length: HeadLengthOption = None,
    locator: LocatorOption = None,
    video_every: VideoEveryOption = None,
    located: Annotated[
        Path | None,
        typer.Option(help="Write a row per thing found in fields, as CSV.", show_default=False),
    ] = None,
    overlay: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write each field with what was found in it.", show_default=False
        ),
    ] = None,
    fit: Annotated[
        FitOption,
        typer.Option(
            help="How an image becomes a crop: by its pixel size if known (auto), by resizing, "
            "or by cutting out the centre."
        ),
    ] = FitOption.AUTO,
    threads: ThreadsOption = None,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, max=4096, help="Crops per forward pass.", show_default=False),
    ] = None,
    all_rows: Annotated[bool, typer.Option("--all", help="Print every row, however many.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but what could not be assessed.")
    ] = False,
) -> None:
    """Grade images of single sperm, or find the sperm of whole fields and grade those.

    Prints a verdict and the probability of abnormal for each part,
    then the sample's fractions with their intervals.

    Exit code: 0 all were assessed; 1 some could not be (a field without a
    sperm to grade is one), and each is listed with its reason; 2 nothing
    was done.

    [bold]Examples[/bold]

        $ androscope assess crop.png

        $ androscope assess crops/ --csv results.csv --html results.html

        $ androscope assess crops/ --error-rate 0.1

        $ androscope assess field.tif --pixel-size 0.11 --overlay overlays

        $ find . -name '*.tif' | androscope assess - --quiet --json results.json
    """
    from androscope.fields import FieldOptions, finder, grade_pictures
    from androscope.imaging.find import find_images
    from androscope.imaging.formats import EXTENSIONS, VIDEO_EXTENSIONS
    from androscope.imaging.video import Sampling
    from androscope.predict import Grader
    from androscope.report.fields import write_located
    from androscope.report.html import THUMBNAILS
    from androscope.report.outputs import check_outputs
    from androscope.report.parquet import require_parquet
    from androscope.report.table import console_for, print_failures, print_results
    from androscope.settings import load_settings

    endings = EXTENSIONS if fields is False else (*EXTENSIONS, *VIDEO_EXTENSIONS)
    found = find_images(named_paths(paths), endings=endings)
    outputs = {"--csv": csv, "--json": json, "--parquet": parquet, "--html": html}
    outputs["--located"] = located
    folders = [folder for folder in (thumbnails, overlay) if folder is not None]
    check_outputs(outputs, folders=folders, inputs=found)
    if parquet is not None:
        require_parquet()
    grader = Grader(model, threads=threads, error_rate=error_rate, grade_anyway=grade_anyway)
    find = None if locator is None else finder(locator, threads=threads or 0)
    options = FieldOptions(
        pixel_size_um=pixel_size,
        head_length=head_length,
        find=find,
        sampling=Sampling(every=video_every),
        bit_depth=bit_depth,
    )
    gathered = Gathered(
        thumbnails=thumbnails, overlay=overlay, keep=THUMBNAILS if html is not None else 0
    )
    note_unreachable(grader)
    errors = console_for(sys.stderr)
    if found.repeated:
        note(f"{found.repeated} named more than once; each is graded once")
    if found.ignored and not quiet:
        note(f"files without an image's ending, not looked at: {found.ignored}")
    size = load_settings().batch_size if batch_size is None else batch_size
    with progress_bar(quiet, "Assessing", shown_from=_WORTH_A_BAR) as progress:
        for item in grade_pictures(
            found.paths,
            grader,
            options,
            fields=fields,
            fit=fit.value,
            batch_size=size,
            progress=progress,
        ):
            gathered.add(item)
    results = gathered.results(grader, options)
    for name, warning in results.extra.items():
        if name in _TOLD or name.startswith("scale_warning"):
            note(warning)
    if located is not None:
        write_located(located, gathered.fields)
    _write(results, csv=csv, json=json, parquet=parquet, html=html)
    if not quiet:
        print_fields(gathered.fields, all_rows=all_rows)
        print_results(console_for(sys.stdout), results, all_rows=all_rows)
    print_failures(errors, results.failures)
    if results.failures:
        raise typer.Exit(1)


def _write(
    results: Results,
    *,
    csv: Path | None,
    json: Path | None,
    parquet: Path | None,
    html: Path | None,
) -> None:
    if csv is not None:
        from androscope.report.csv import write_csv

        write_csv(csv, results)
    if json is not None:
        from androscope.report.json import write_json

        write_json(json, results)
    if parquet is not None:
        from androscope.report.parquet import write_parquet

        write_parquet(parquet, results)
    if html is not None:
        from androscope.report.html import write_html

        write_html(html, results)

"""``androscope report``: a sample's folder in, a report for a person to sign out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from androscope.cli.options import (
    BitDepthOption,
    ErrorRateOption,
    FieldsOption,
    GradeAnywayOption,
    HeadLengthOption,
    LocatorOption,
    ModelOption,
    PixelSizeOption,
    ThreadsOption,
    VideoEveryOption,
    note_unreachable,
    progress_bar,
)

if TYPE_CHECKING:
    from androscope.report.sample.document import SampleReport

__all__ = ["print_summary", "report"]


def report(
    sample: Annotated[
        Path,
        typer.Argument(
            metavar="SAMPLE_DIR",
            help="A folder of fields, videos or crops; each sub-folder is a replicate.",
            show_default=False,
        ),
    ],
    out: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Where to: .pdf, .html, .json or .csv, by the ending. May be given several times.",
            show_default="report.pdf",
        ),
    ] = None,
    formats: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Write --out once in each of these formats, such as pdf,html.",
            show_default=False,
        ),
    ] = None,
    fhir: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write FHIR R4 (DiagnosticReport and Observations), .json.",
            show_default=False,
        ),
    ] = None,
    sample_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="What the sample is called in the report. No patient's name is needed.",
            show_default="the folder's name",
        ),
    ] = None,
    replicate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATTERN",
            help="A replicate by its file names, such as a='*_a_*.tif'; instead of sub-folders.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    error_rate: ErrorRateOption = None,
    grade_anyway: GradeAnywayOption = False,
    pixel_size: PixelSizeOption = None,
    bit_depth: BitDepthOption = None,
    head_length: HeadLengthOption = None,
    fields: FieldsOption = None,
    locator: LocatorOption = None,
    video_every: VideoEveryOption = None,
    threads: ThreadsOption = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but what could not be used.")
    ] = False,
) -> None:
    """Grade a sample and write a report for a person to read and sign.

    Counts, fractions with 95% intervals, WHO's test of two replicates,
    TZI, SDI and MAI where the model's labels support them, pictures, and
    the hash of every image. Of the images, nothing but pixels, pixel
    size, name and hash is kept.

    Exit code: 0 every image was used; 1 some could not be read or were
    refused by the checks, and the report lists them; 2 nothing was done.

    [bold]Examples[/bold]

        $ androscope report sample-17 --out sample-17.pdf

        $ androscope report sample-17 --out r.pdf --out r.csv --pixel-size 0.11
    """
    from androscope.fields import FieldOptions, finder
    from androscope.imaging.sample_folder import find_sample
    from androscope.imaging.video import Sampling
    from androscope.predict import Grader
    from androscope.report.fhir import require_fhir, write_fhir
    from androscope.report.outputs import check_outputs
    from androscope.report.sample.build import build_report
    from androscope.report.sample.outputs import report_files, write_report
    from androscope.report.table import console_for, print_failures
    from androscope.samples import grade_sample

    files = report_files(
        out or [Path("report.pdf")], [name for name in (formats or "").split(",") if name.strip()]
    )
    found = find_sample(sample, _rules(replicate or []))
    if fhir is not None:
        require_fhir()
    outputs = {f"--out {path}": path for path in files}
    check_outputs({**outputs, "--fhir": fhir}, inputs=found.paths)
    if found.ignored and not quiet:
        typer.secho(
            f"note: files without an image's ending, not looked at: {found.ignored}",
            err=True,
            fg=typer.colors.YELLOW,
        )
    grader = Grader(model, threads=threads, error_rate=error_rate, grade_anyway=grade_anyway)
    note_unreachable(grader)
    options = FieldOptions(
        pixel_size_um=pixel_size,
        head_length=head_length,
        find=None if locator is None else finder(locator, threads=threads or 0),
        sampling=Sampling(every=video_every),
        bit_depth=bit_depth,
    )
    with progress_bar(quiet, "Grading") as progress:
        findings = grade_sample(
            found,
            grader,
            options,
            sample_id=sample_id,
            taken_as="by size" if fields is None else "fields" if fields else "crops",
            progress=progress,
        )
    document = build_report(findings)
    for path in files:
        write_report(path, document, findings)
    if fhir is not None:
        write_fhir(fhir, document)
    if not quiet:
        print_summary(document)
        for path in (*files, *([] if fhir is None else [fhir])):
            typer.echo(f"Report: {path}")
    print_failures(console_for(sys.stderr), findings.not_used)
    if findings.not_used:
        raise typer.Exit(1)


def print_summary(document: SampleReport) -> None:
    """Print the report's first lines: what was counted, the result, what is to be known."""
    from androscope.report.names import printable

    counts, normal = document.counts, document.normal
    lines = [f"Sample {document.sample}: {counts.found} sperm found, {counts.assessed} assessed."]
    if normal.fraction is not None and normal.low is not None and normal.high is not None:
        lines.append(
            f"Normal in every graded part: {normal.count} of {normal.of}, {normal.fraction:.1%} "
            f"(95% interval {normal.low:.1%} to {normal.high:.1%})."
        )
    if counts.undecided and document.normal_bounds is not None:
        low, high = document.normal_bounds
        lines.append(
            f"Undecided: {counts.undecided} of {counts.assessed} sperm; with them, {low:.1%} to "
            f"{high:.1%} could be normal."
        )
    lines.append(document.agreement.verdict)
    lines += [f"To be known: {warning}" for warning in document.warnings]
    lines.append(document.notice)
    for line in lines:
        typer.echo(printable(line))


def _rules(given: list[str]) -> dict[str, str]:
    rules: dict[str, str] = {}
    for rule in given:
        name, equals, pattern = rule.partition("=")
        if not (name and equals and pattern) or name in rules:
            what = "each name once" if name in rules else "NAME=PATTERN"
            raise typer.BadParameter(f"--replicate expects {what}, got {rule!r}")
        rules[name] = pattern
    return rules

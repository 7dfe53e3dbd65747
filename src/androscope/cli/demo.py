"""``androscope demo``: the whole way from picture to page, on phantoms whose truth is known."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from androscope.cli.options import ModelOption
from androscope.cli.report import print_summary

if TYPE_CHECKING:
    from androscope.predict import Grader
    from androscope.types import Verdict

__all__ = ["demo"]


def demo(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the phantoms and the results.")
    ] = Path("demo"),
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=2000, help="Phantoms.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other phantoms.")] = 0,
    fields: Annotated[
        int, typer.Option(min=0, max=100, help="Fields in each of the sample's two replicates.")
    ] = 3,
    model: ModelOption = None,
) -> None:
    """Grade rendered sperm, show verdicts beside the truth, and report a rendered sample.

    Phantoms are drawn by a formula, each with its defects known. The
    model has learned from real sperm alone, so this shows how the tool
    works, and nothing of how well it grades: that is in the model's card.

    [bold]Example[/bold]

        $ androscope demo --out demo
    """
    from androscope.imaging.phantom_set import write_phantoms
    from androscope.predict import Grader
    from androscope.report.csv import write_csv
    from androscope.report.html import write_html
    from androscope.report.json import write_json
    from androscope.report.outputs import check_outputs
    from androscope.report.table import console_for, print_failures, print_results

    page, table, whole = out / "index.html", out / "results.csv", out / "results.json"
    check_outputs({"--html": page, "--csv": table, "--json": whole}, folders=[out / "phantoms"])
    # Rendered sperm are no photographs, and the checks tell them apart: here they are graded all
    # the same, and carry their flags.
    grader = Grader(model, grade_anyway=True)
    labels = write_phantoms(out / "phantoms", count, seed)
    known = _read(labels)
    results = grader.assess(list(known), keep_crops=True)
    truth = [known[Path(assessment.source)] for assessment in results.assessments]
    write_csv(table, results)
    write_json(whole, results)
    write_html(page, results, truth=truth, title="Phantom sperm, graded")
    print_results(console_for(sys.stdout), results, all_rows=True, truth=truth)
    print_failures(console_for(sys.stderr), results.failures)
    typer.echo(f"\nPhantoms and their truth: {labels.parent}")
    typer.echo(f"Results: {table}, {whole}")
    typer.echo(f"Page:    {page.resolve().as_uri()}")
    if fields:
        typer.echo()
        _report(out, fields, seed, grader)
    if results.failures:
        raise typer.Exit(1)


def _report(out: Path, fields: int, seed: int, grader: Grader) -> None:
    """Render a sample of two replicates and report it, as PDF where Typst is installed."""
    from androscope.errors import MissingExtraError
    from androscope.imaging.phantom_field_set import write_phantom_fields
    from androscope.report.sample.build import build_report
    from androscope.report.sample.outputs import report_files, write_report
    from androscope.samples import grade_sample

    for number, replicate in enumerate("ab"):
        write_phantom_fields(out / "sample" / replicate, fields, 2 * seed + number)
    findings = grade_sample(out / "sample", grader, sample_id="phantom")
    document = build_report(findings)
    print_summary(document)
    typer.echo(f"\nFields and their truth: {out / 'sample'}")
    for name, what in (("sample-report.pdf", "PDF"), ("sample-report.html", "HTML")):
        try:
            (path,) = report_files([out / name])
        except MissingExtraError as error:
            typer.echo(f"Report: no {what}: {error}")
            continue
        write_report(path, document, findings)
        typer.echo(f"Report: {path.resolve().as_uri()}")


def _read(table: Path) -> dict[Path, dict[str, Verdict]]:
    """Give the pictures that a table of labels names, in its order, and what it says of them."""
    from androscope.types import ABNORMAL, NORMAL, PARTS, Verdict

    verdicts = {str(NORMAL): Verdict.NORMAL, str(ABNORMAL): Verdict.ABNORMAL}
    with table.open(encoding="utf-8", newline="") as stream:
        return {
            table.parent / row["path"]: {part: verdicts[row[part]] for part in PARTS}
            for row in csv.DictReader(stream)
        }

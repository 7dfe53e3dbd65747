"""Fields of view in ``androscope assess``: what is kept and written of each as it comes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from androscope.assessment.field import GradedField
    from androscope.fields import FieldOptions
    from androscope.predict import Graded, Grader
    from androscope.types import Assessment, Crop, Failure, Results

__all__ = ["Gathered", "print_fields"]


@dataclass(slots=True)
class Gathered:
    """What was graded so far; pictures and crops are written at once and let go.

    Attributes
    ----------
    thumbnails, overlay
        Folders for crops as graded, and for fields with what was found in them.
    keep
        Crops that are kept, for a page.
    """

    thumbnails: Path | None = None
    overlay: Path | None = None
    keep: int = 0
    assessments: list[Assessment] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    crops: list[Crop] = field(default_factory=list)
    fields: list[GradedField] = field(default_factory=list)
    #: Pictures that were graded as crops.
    single: int = 0

    def add(self, item: Graded | GradedField | Failure) -> None:
        """Take in the next result. Raises :class:`~androscope.errors.OutputError`."""
        from androscope.predict import Graded
        from androscope.types import Failure

        if isinstance(item, Failure):
            self.failures.append(item)
        elif isinstance(item, Graded):
            self.single += 1
            self._graded(item.assessment, item.crop)
        else:
            self._field(item)

    def _graded(self, assessment: Assessment, crop: Crop) -> None:
        from androscope.report.thumbnails import write_thumbnail

        self.assessments.append(assessment)
        # A page shows no more; crops of a very long run would not all fit into memory.
        if len(self.crops) < self.keep:
            self.crops.append(crop)
        if self.thumbnails is not None:
            number, flagged = len(self.assessments), bool(assessment.flags)
            write_thumbnail(self.thumbnails, number, crop, flagged=flagged)

    def _field(self, graded: GradedField) -> None:
        from androscope.assessment.field import nothing_found
        from androscope.report.fields import write_field_overlay

        failure = nothing_found(graded)
        if failure is not None:
            self.failures.append(failure)
        for item, verdicts in graded.graded:
            assert item.crop is not None  # only what has a crop is graded
            self._graded(verdicts, item.crop)
        if self.overlay is not None:
            write_field_overlay(self.overlay, len(self.fields) + 1, graded)
        self.fields.append(graded.without_pixels())

    def results(self, grader: Grader, options: FieldOptions) -> Results:
        """Everything as results, rows in the order of the input."""
        from androscope.fields import with_fields

        # Fields use a pixel size whatever the model knows of its own: only crops may do without.
        used = options.pixel_size_um if self.single else None
        results = grader.results(self.assessments, self.failures, self.crops, pixel_size=used)
        if not self.fields:
            return results
        return with_fields(results, self.fields, options)


def print_fields(fields: list[GradedField], *, all_rows: bool) -> None:
    """Print what each field held, or the first ones."""
    from androscope.report.fields import field_lines
    from androscope.report.names import printable
    from androscope.report.table import ROWS

    shown = fields if all_rows else fields[:ROWS]
    for line in field_lines(shown):
        typer.echo(printable(line))
    if len(shown) < len(fields):
        typer.echo(f"... and {len(fields) - len(shown)} more fields: --all shows them.")
    if fields:
        typer.echo()

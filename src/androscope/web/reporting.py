"""A sample's report, built from the records: the document that ``androscope report`` writes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from androscope.assessment.field import GradedField
from androscope.assessment.findings import Findings, Overlay, SampleFind
from androscope.imaging.field import Field, FieldItem
from androscope.imaging.located import Located
from androscope.imaging.read import read_image
from androscope.records.store import Records
from androscope.records.types import CropRecord, Image
from androscope.report.sample.build import build_report
from androscope.report.sample.document import SampleReport
from androscope.report.sample.outputs import report_files, write_report
from androscope.report.sample.pictures import OVERLAYS, draw_field
from androscope.report.sample.signature import Signature
from androscope.report.sample.view import view_of
from androscope.report.sample.view_types import View

__all__ = ["FORMATS", "rendered", "report_bytes", "report_view"]

#: Endings, and what a browser is told of each.
FORMATS = {
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}


def report_view(records: Records, sample_id: int) -> View:
    """The report in words, without its pictures.

    Raises
    ------
    RecordConflictError
        If nothing was graded yet.
    """
    findings, _ = records.findings(sample_id, pictures=False)
    return view_of(build_report(findings), findings)


def report_bytes(records: Records, sample_id: int, ending: str) -> bytes:
    """The report as a file of one of :data:`FORMATS`.

    Raises
    ------
    RecordConflictError
        If nothing was graded yet.
    MissingExtraError
        For PDF, without Typst.
    """
    drawn = ending in ("pdf", "html")
    findings, _ = records.findings(sample_id, pictures=drawn)
    if drawn:
        findings = with_overlays(records, sample_id, findings)
    return rendered(ending, build_report(findings), findings)


def rendered(
    ending: str, report: SampleReport, findings: Findings, signature: Signature | None = None
) -> bytes:
    """A report as a file of one of :data:`FORMATS`. Raises as :func:`report_bytes` for PDF."""
    with TemporaryDirectory(prefix="androscope-") as folder:
        (path,) = report_files([Path(folder) / f"report.{ending}"])
        write_report(path, report, findings, signature)
        return path.read_bytes()


def with_overlays(records: Records, sample_id: int, findings: Findings) -> Findings:
    """The findings with the first fields drawn."""
    fields = (
        (image, crops)
        for image in records.images.list(sample_id)
        if (crops := _of(records, image)) and crops[0].opinion.x is not None
    )
    finds = {find.name: find for find in findings.finds}
    overlays = [
        drawn
        for image, crops in itertools.islice(fields, OVERLAYS)
        if (drawn := _drawn(records, image, crops, finds)) is not None
    ]
    return replace(findings, overlays=tuple(overlays))


def _of(records: Records, image: Image) -> tuple[CropRecord, ...]:
    return records.crops.list(image.sample_id, image_id=image.id, per_page=5000).items


def _drawn(
    records: Records, image: Image, crops: tuple[CropRecord, ...], finds: dict[str, SampleFind]
) -> Overlay | None:
    name = image.name if image.index is None else f"{image.name}[{image.index}]"
    pixels = read_image(records.images.path(image.sha256)).pixels
    items, verdicts = [], []
    for crop in crops:
        said = crop.opinion
        located = Located(
            said.x or 0.0,
            said.y or 0.0,
            said.length or 0.0,
            said.width or 0.0,
            said.angle_deg or 0.0,
            1.0,
            frozenset() if crop.is_sperm else frozenset({"debris"}),
        )
        find = finds.get(f"{name}#{crop.number}")
        excluded = said.excluded if find is None else find.excluded
        items.append(FieldItem(located, excluded=excluded))
        verdicts.append(None if find is None else find.assessment)
    size = (image.width, image.height)
    field = Field(image.name, image.index, size, None, tuple(items), (), pixels)
    return draw_field(GradedField(field, tuple(verdicts)), name)

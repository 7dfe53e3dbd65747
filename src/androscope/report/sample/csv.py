"""The finds of a sample as CSV (RFC 4180, UTF-8): a row for each, assessed or left out."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from androscope.files import write_text
from androscope.report.names import spreadsheet_name, spreadsheet_text
from androscope.report.sample.document import SampleReport, SpermRow

__all__ = ["csv_text", "write_csv"]

_HEAD = ("sample", "replicate", "image", "number", "name", "frame", "x_px", "y_px", "outcome")
_PART = ("verdict", "probability", "threshold")


def csv_text(report: SampleReport) -> str:
    """Give the CSV: finds in the report's order, then what could not be read.

    ``outcome`` is ``normal``, ``abnormal``, ``undecided``, ``excluded`` (with the reason), ``no
    sperm`` (likewise), or ``unreadable``. A name that a spreadsheet would take for a formula gets
    ``./`` before it.
    """
    labels = report.model.labels
    columns = [
        *_HEAD,
        *(f"{label}_{what}" for label in labels for what in _PART),
        "reason",
        "flags",
    ]
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    writer.writeheader()
    sample = spreadsheet_text(report.sample)
    for find in report.finds:
        writer.writerow({"sample": sample, **_row(find)})
    for failure in report.failures:
        reason = failure.reason + (f". {failure.advice}" if failure.advice else "")
        writer.writerow(
            {
                "sample": sample,
                "image": spreadsheet_name(failure.name),
                "outcome": "unreadable",
                "reason": spreadsheet_text(reason),
            }
        )
    return stream.getvalue()


def write_csv(path: str | Path, report: SampleReport) -> None:
    """Write :func:`csv_text`. Raises :class:`~androscope.errors.OutputError`."""
    write_text(path, csv_text(report))


def _row(find: SpermRow) -> dict[str, object]:
    row: dict[str, object] = {
        "replicate": spreadsheet_text(find.replicate),
        "image": spreadsheet_name(find.file),
        "number": find.number,
        "name": spreadsheet_name(find.name),
        "frame": "" if find.frame is None else find.frame,
        "x_px": "" if find.x_px is None else find.x_px,
        "y_px": "" if find.y_px is None else find.y_px,
        "outcome": find.outcome if find.sperm else "no sperm",
        "reason": spreadsheet_text(find.excluded or ""),
        "flags": spreadsheet_text("; ".join(f"{f.check}: {f.reason}" for f in find.flags)),
    }
    for label, part in find.parts.items():
        row[f"{label}_verdict"] = part.verdict
        row[f"{label}_probability"] = part.probability
        row[f"{label}_threshold"] = part.threshold
    return row

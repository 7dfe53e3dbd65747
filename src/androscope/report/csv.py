"""Results as CSV (RFC 4180, UTF-8): for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from androscope.files import write_text
from androscope.report.names import spreadsheet_name, spreadsheet_text
from androscope.report.rows import column_names, rows
from androscope.types import Results

__all__ = ["csv_text", "write_csv"]


def csv_text(results: Results) -> str:
    """Give the CSV: a header, then one row per image, those that failed too.

    A file name that a spreadsheet would take for a formula gets ``./`` before it; the JSON and
    Parquet outputs keep names as they are.
    """
    stream = io.StringIO(newline="")
    # With \n, as every other text file of ours: spreadsheets and pandas take both.
    writer = csv.DictWriter(stream, column_names(results.labels), lineterminator="\n")
    writer.writeheader()
    for row in rows(results):
        writer.writerow({name: _cell(name, value) for name, value in row.items()})
    return stream.getvalue()


def write_csv(path: str | Path, results: Results) -> None:
    """Write :func:`csv_text` to ``path``, whole or not at all. Raises :class:`OutputError`."""
    write_text(path, csv_text(results))


def _cell(name: str, value: Any) -> Any:
    if name == "image":
        return spreadsheet_name(value)
    if name == "flags":
        return spreadsheet_text("; ".join(f"{flag['check']}: {flag['reason']}" for flag in value))
    if name == "notes":
        return spreadsheet_text("; ".join(value))
    return spreadsheet_text(value) if isinstance(value, str) else value

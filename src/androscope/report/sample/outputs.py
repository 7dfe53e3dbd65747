"""Which file gets which rendering: by its ending."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from androscope.assessment.findings import Findings
from androscope.errors import OutputError
from androscope.report.sample.csv import write_csv
from androscope.report.sample.document import SampleReport
from androscope.report.sample.html import write_html
from androscope.report.sample.json import write_json
from androscope.report.sample.pdf import require_typst, write_pdf
from androscope.report.sample.signature import Signature

__all__ = ["FORMATS", "report_files", "write_report"]

#: Endings, in the order in which files are written.
FORMATS = (".json", ".csv", ".html", ".pdf")


def report_files(out: Sequence[Path], formats: Sequence[str] = ()) -> tuple[Path, ...]:
    """Name the files to be written, each once.

    Parameters
    ----------
    out
        Files, by their ending; with ``formats``, one name whose ending is replaced by each.
    formats
        Such as ``("pdf", "html")``.

    Raises
    ------
    OutputError
        For an ending or a format that is not one of :data:`FORMATS`, or several names with formats.
    MissingExtraError
        For PDF, without Typst.
    """
    known = ", ".join(ending.lstrip(".") for ending in reversed(FORMATS))
    files = list(out)
    if formats:
        if len(files) != 1:
            raise OutputError(
                f"expected one --out with --formats, got {len(files)}",
                advice="Name one file; its ending is replaced by each format",
            )
        base = files[0]
        stem = base.with_suffix("") if base.suffix.lower() in FORMATS else base
        files = [stem.with_name(f"{stem.name}.{name.strip().lower()}") for name in formats]
    for path in files:
        if path.suffix.lower() not in FORMATS:
            raise OutputError(
                f"expected a report's name to end in one of {known}, got {path.suffix!r}",
                path=path,
                advice=f"Name it such as {path.stem or 'report'}.pdf, or use --formats",
            )
    if any(path.suffix.lower() == ".pdf" for path in files):
        require_typst()
    return tuple(dict.fromkeys(files))


def write_report(
    path: Path,
    report: SampleReport,
    findings: Findings,
    signature: Signature | None = None,
) -> None:
    """Write the rendering that the file's ending asks for; PDF and HTML show who signed.

    Raises
    ------
    OutputError
        If it cannot be written.
    MissingExtraError
        For PDF, without Typst.
    """
    ending = path.suffix.lower()
    if ending == ".pdf":
        write_pdf(path, report, findings, signature)
    elif ending == ".html":
        write_html(path, report, findings, signature)
    elif ending == ".csv":
        write_csv(path, report)
    else:
        write_json(path, report)

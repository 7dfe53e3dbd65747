"""The report as PDF, set by Typst: a PyPI package without system libraries, fonts inside it.

Nothing of the user's ever becomes Typst code: the template reads the report as data, and pictures
by names that are given here. Only the fonts inside the package are used, so that the same report
makes the same file on every machine.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from androscope.assessment.findings import Findings
from androscope.extras import require
from androscope.files import write_bytes
from androscope.report.names import printable
from androscope.report.sample.document import SampleReport
from androscope.report.sample.signature import Signature
from androscope.report.sample.view import view_of

__all__ = ["pdf_bytes", "pdf_text", "require_typst", "write_pdf"]

_TEMPLATE = Path(__file__).resolve().parent / "report.typ"
_ZERO_WIDTH_SPACE = "\u200b"
#: Runs without a space that are longer could leave their column.
_LONGEST = 18


def require_typst() -> ModuleType:
    """Import Typst. Raises :class:`~androscope.errors.MissingExtraError` without the extra."""
    return require("typst", extra="report", why="write a report as PDF")


def pdf_bytes(
    report: SampleReport, findings: Findings, signature: Signature | None = None
) -> bytes:
    """Give the PDF; the same bytes for the same report.

    Raises
    ------
    MissingExtraError
        If Typst is not installed.
    """
    typst = require_typst()
    view = view_of(report, findings, signature)
    with tempfile.TemporaryDirectory(prefix="androscope-report-") as name:
        root = Path(name)
        for group in (*view.galleries, view.overlays):
            for picture in group.pictures:
                (root / picture.name).write_bytes(picture.data)
        data = _as_data(asdict(view, dict_factory=_without_bytes))
        data["day"] = _day(report.created)
        (root / "report.json").write_text(json.dumps(data), encoding="ascii")
        shutil.copyfile(_TEMPLATE, root / "report.typ")
        compiler = typst.Compiler(
            str(root / "report.typ"), root=str(root), ignore_system_fonts=True
        )
        made = compiler.compile(format="pdf", timestamp=report.created)
    assert isinstance(made, bytes)
    return made


def write_pdf(
    path: str | Path,
    report: SampleReport,
    findings: Findings,
    signature: Signature | None = None,
) -> None:
    """Write :func:`pdf_bytes` to ``path``, whole or not at all.

    Raises
    ------
    MissingExtraError
        If Typst is not installed.
    OutputError
        If it cannot be written.
    """
    write_bytes(path, pdf_bytes(report, findings, signature))


def pdf_text(text: str) -> str:
    r"""Text as the PDF shows it: printable, in letters the fonts have, with places to break.

    Characters beyond Latin, Greek, Cyrillic and common signs appear as ``\\u....`` escapes rather
    than as empty boxes. Long runs without a space get zero-width ones, hashes aside.
    """
    shown = "".join(
        c if _has_glyph(c) else c.encode("unicode_escape").decode("ascii") for c in printable(text)
    )
    return " ".join(_breakable(word) for word in shown.split(" "))


def _has_glyph(character: str) -> bool:
    code = ord(character)
    return code < 0x530 or 0x1E00 <= code <= 0x1FFF or 0x2010 <= code <= 0x2027 or code == 0x20AC


def _breakable(word: str) -> str:
    if len(word) <= _LONGEST or re.fullmatch("[0-9a-f]{64}", word):
        return word
    marked = re.sub(r"([/_.\-])(?=.)", rf"\1{_ZERO_WIDTH_SPACE}", word)
    pieces = marked.split(_ZERO_WIDTH_SPACE)
    cut = [
        piece[start : start + _LONGEST]
        for piece in pieces
        for start in range(0, len(piece), _LONGEST)
    ]
    return _ZERO_WIDTH_SPACE.join(cut)


def _as_data(value: Any) -> Any:
    if isinstance(value, str):
        return pdf_text(value)
    if isinstance(value, dict):
        # Names of picture files are ours and must stay as they are.
        return {
            k: v if k == "name" and "caption" in value else _as_data(v) for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [_as_data(item) for item in value]
    return value


def _without_bytes(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in pairs if not isinstance(value, bytes)}


def _day(created: datetime) -> dict[str, int]:
    return {"year": created.year, "month": created.month, "day": created.day}

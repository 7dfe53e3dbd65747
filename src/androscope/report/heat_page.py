"""Heat maps as one HTML page beside their pictures: no script, nothing fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from urllib.parse import quote

from androscope import __version__
from androscope.report.html import failures_table
from androscope.report.names import NOTICE
from androscope.report.names import html_safe as _safe
from androscope.types import Failure, PartVerdict

__all__ = ["HeatCell", "HeatRow", "heat_page"]

_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One label of one crop: its verdict, its picture's file name, what was read in words."""

    part: PartVerdict
    picture: str
    words: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One crop, why it did not pass the checks, if so, and its cells in the labels' order."""

    name: str
    flags: str
    cells: tuple[HeatCell, ...]


def heat_page(
    rows: Sequence[HeatRow],
    labels: Sequence[str],
    *,
    facts: Mapping[str, str],
    caution: str,
    failures: Sequence[Failure] = (),
) -> str:
    """Give the page; pictures are looked for in its own folder.

    Parameters
    ----------
    rows, labels
        Crops and the columns.
    facts
        What made them, by name.
    caution
        What maps do not prove.
    failures
        What could not be explained.
    """
    template = Template((_HERE / "heat.html").read_text(encoding="utf-8"))
    head = "".join(f'<th scope="col">{_safe(label)}</th>' for label in labels)
    return template.substitute(
        style=(_HERE / "page.css").read_text(encoding="utf-8"),
        notice=_safe(NOTICE),
        caution=_safe(caution),
        facts="".join(f"<dt>{_safe(k)}</dt><dd>{_safe(v)}</dd>" for k, v in facts.items()),
        head=head,
        rows="".join(_row(row) for row in rows),
        failures=failures_table(failures),
        version=_safe(__version__),
    )


def _row(row: HeatRow) -> str:
    cells = "".join(
        f'<td data-label="{_safe(cell.part.label)}">'
        f'<img src="{quote(cell.picture)}" loading="lazy" alt="{_safe(cell.words)}">'
        f'<span class="verdict {cell.part.verdict.value}">{cell.part.verdict.value} '
        f"{cell.part.probability:.2f}</span><small>{_safe(cell.words)}</small></td>"
        for cell in row.cells
    )
    flags = ""
    if row.flags:
        flags = f'<small class="flags">Did not pass the checks: {_safe(row.flags)}</small>'
    return f'<tr><th scope="row">{_safe(row.name)}{flags}</th>{cells}</tr>\n'

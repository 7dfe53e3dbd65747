"""The report as one HTML page: pictures inside it, no script, nothing fetched from anywhere."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from string import Template

from androscope.assessment.findings import Findings
from androscope.files import write_text
from androscope.report.names import html_safe as _safe
from androscope.report.sample.document import SampleReport
from androscope.report.sample.signature import Signature
from androscope.report.sample.view import view_of
from androscope.report.sample.view_types import Bar, Grid, Picture, Pictures, View

__all__ = ["html_text", "write_html"]

_HERE = Path(__file__).resolve().parent
_KIND = {".png": "image/png", ".jpg": "image/jpeg"}


def html_text(report: SampleReport, findings: Findings, signature: Signature | None = None) -> str:
    """Give the page; the same text for the same report."""
    view = view_of(report, findings, signature)
    style = (_HERE.parent / "page.css", _HERE / "page.css")
    return Template((_HERE / "page.html").read_text(encoding="utf-8")).substitute(
        title=_safe(view.title),
        sample=_safe(view.sample),
        created=_safe(view.created),
        notice=_safe(view.notice),
        style="".join(path.read_text(encoding="utf-8") for path in style),
        facts=_pairs(view.facts),
        warnings=_warnings(view.warnings),
        result=_result(view),
        counts=_table(view.counts),
        failures=f"<h3>Could not be used</h3>{_table(view.failures)}" if view.failures.rows else "",
        replicates=f'<p class="verdict-box {view.agree}">{_safe(view.verdict)}</p>'
        + _table(view.agreement)
        + _table(view.replicates),
        indices=_table(view.regions) + _table(view.indices),
        signing=_signing(view),
        sperm="".join(_gallery(group) for group in view.galleries),
        fields=f"<p>{_safe(view.overlays.text)}</p>"
        f'<div class="fields">{_figures(view.overlays.pictures)}</div>',
        model=f"<dl>{_pairs(view.model)}</dl>{_table(view.measured)}"
        f"<h3>Its limits</h3>{_list(view.limits)}",
        method=_list(view.method),
        files=_table(view.files),
    )


def write_html(
    path: str | Path,
    report: SampleReport,
    findings: Findings,
    signature: Signature | None = None,
) -> None:
    """Write :func:`html_text`. Raises :class:`~androscope.errors.OutputError`."""
    write_text(path, html_text(report, findings, signature))


def _signing(view: View) -> str:
    """Who signed, or lines to sign on by hand."""
    if view.signed:
        return "".join(f"<p>{_safe(line)}</p>" for line in view.signed)
    return (
        "<p>I have looked at the pictures of this report, and agree with it but for what I write "
        'here.</p><div class="lines"><p>Name</p><p>Signature</p><p>Date</p></div>'
        '<p class="comment">Comment</p>'
    )


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<dt>{_safe(name)}</dt><dd>{_safe(value)}</dd>" for name, value in pairs)


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{_safe(line)}</li>' for line in lines)}</ul>"


def _warnings(warnings: tuple[str, ...]) -> str:
    if not warnings:
        return ""
    return (
        '<div class="warnings"><strong>To be known before anything below</strong>'
        f"{_list(warnings)}</div>"
    )


def _result(view: View) -> str:
    number, what, how = view.headline
    bars = "".join(_bar(bar) for bar in view.bars)
    legend = (
        '<p class="notes">Bars: 0 to 100%. Black lines: 95% intervals. Dotted: WHO\'s lower '
        "reference limit of normal forms, see below.</p>"
        if bars
        else ""
    )
    remarks = "".join(f"<p>{_safe(remark)}</p>" for remark in view.remarks)
    return (
        f'<p class="headline"><strong>{_safe(number)}</strong>{_safe(what)}<br>{_safe(how)}</p>'
        f'<div class="bars">{bars}</div>{legend}{remarks}'
    )


def _bar(bar: Bar) -> str:
    mark = "" if bar.reference is None else f'<u style="--r:{bar.reference:.4f}"></u>'
    return (
        f"<span>{_safe(bar.name)}</span>"
        f'<span class="bar{" good" if bar.normal else ""}" aria-hidden="true">'
        f'<i style="--f:{bar.fraction:.4f}"></i>{mark}'
        f'<b style="--l:{bar.low:.4f};--h:{bar.high:.4f}"></b></span>'
        f"<span>{_safe(bar.percent)} ({_safe(bar.interval)})</span>"
    )


def _table(grid: Grid) -> str:
    notes = "".join(f'<p class="notes">{_safe(note)}</p>' for note in grid.notes)
    if not grid.rows:
        return notes
    head = "".join(f'<th scope="col">{_safe(name)}</th>' for name in grid.head)
    rows = "".join(
        f'<tr><th scope="row">{_safe(row[0])}</th>'
        + "".join(
            f'<td data-label="{_safe(name)}">{_safe(cell)}</td>'
            for name, cell in zip(grid.head[1:], row[1:], strict=True)
        )
        + "</tr>\n"
        for row in grid.rows
    )
    return (
        f'<table class="images"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{notes}'
    )


def _gallery(group: Pictures) -> str:
    return (
        f"<h3>{_safe(group.title)}</h3><p>{_safe(group.text)}</p>"
        f'<div class="gallery">{_figures(group.pictures)}</div>'
    )


def _figures(pictures: Iterable[Picture]) -> str:
    return "".join(
        f'<figure><img src="{_data_uri(picture)}" loading="lazy" alt="{_safe(picture.caption)}">'
        f"<figcaption>{_safe(picture.caption)}</figcaption></figure>"
        for picture in pictures
    )


def _data_uri(picture: Picture) -> str:
    kind = _KIND[Path(picture.name).suffix]
    return f"data:{kind};base64,{base64.b64encode(picture.data).decode('ascii')}"

"""The leaderboard as one HTML page: nothing is fetched, and its one script only sorts tables."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from androscope import __version__
from androscope.benchmark.entries import Board, DatasetInfo, Entry, Kind, Reference
from androscope.benchmark.plot import plot_svg
from androscope.benchmark.ranking import Ranked, labels_of, percent, rank
from androscope.files import write_text
from androscope.learning.metrics import METRICS, TITLES
from androscope.report.names import NOTICE, html_safe

__all__ = ["page_text", "write_page"]

_HERE = Path(__file__).resolve().parent
_PAPER = "https://doi.org/10.1016/j.compbiomed.2020.104121"
_FIRST = METRICS[0]


def page_text(board: Board, dataset: str) -> str:
    """Give the page of one data set. The same board gives the same page."""
    info = board.by_name[dataset]
    labels = labels_of(board, dataset)
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    style = (files("androscope.report") / "page.css").read_text(encoding="utf-8")
    template = Template((_HERE / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=html_safe(f"Leaderboard: {info.title}"),
        task=html_safe(info.task),
        style=style + (_HERE / "page.css").read_text(encoding="utf-8"),
        notice=html_safe(NOTICE),
        facts=_facts(info),
        notes="".join(f"<p>{html_safe(note)}</p>" for note in info.notes),
        contents="".join(
            f'<li><a href="#{html_safe(label)}">{html_safe(label.capitalize())}</a></li>'
            for label in labels
        ),
        sections="\n".join(_section(board, info, label) for label in labels)
        or "<p>There is no result yet.</p>",
        version=html_safe(__version__),
        paper=_PAPER,
        script=script,
        script_hash=f"sha256-{digest}",
    )


def write_page(path: str | Path, board: Board, dataset: str) -> None:
    """Write :func:`page_text` to ``path``, whole or not at all. Raises :class:`OutputError`."""
    write_text(path, page_text(board, dataset))


def _facts(info: DatasetInfo) -> str:
    facts = {
        "Data set": _link(info.source),
        "Scored on": html_safe(f"{info.title} {info.split}, {info.crops} crops"),
        "Licence": html_safe(info.licence),
    }
    return "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items())


def _link(reference: Reference) -> str:
    text = html_safe(reference.text)
    return text if reference.url is None else f'<a href="{html_safe(reference.url)}">{text}</a>'


def _section(board: Board, info: DatasetInfo, label: str) -> str:
    ranked = {metric: rank(board, info.name, label, metric) for metric in METRICS}
    normal, abnormal = info.labels[label]
    heads = "".join(
        f'<th scope="col" data-kind="number"{_ordered(m)}>{html_safe(TITLES[m])}</th>'
        for m in METRICS
    )
    places = {m: {one.entry.name: one for one in ranked[m]} for m in METRICS}
    # By accuracy; who has none comes last.
    order = list(places[_FIRST])
    order += [e.name for e in board.of(info.name) if label in e.scores and e.name not in order]
    entries = {entry.name: entry for entry in board.of(info.name)}
    rows = "".join(_row(entries[name], label, places) for name in order)
    plots = "".join(
        f"<figure><figcaption>{html_safe(TITLES[m])}</figcaption>"
        f"{plot_svg(ranked[m], m, f'{TITLES[m]} on {label} over time')}</figure>"
        for m in METRICS
        if any(one.rank is not None for one in ranked[m])
    )
    name = html_safe(label.capitalize())
    return (
        f'<section id="{html_safe(label)}" aria-label="{name}"><h2>{name}</h2>'
        f'<div class="scroll" role="region" aria-label="{name}: results" tabindex="0">'
        f'<table class="board"><caption>{normal} normal and {abnormal} abnormal crops. Rank by '
        f'<span class="by" aria-live="polite">{html_safe(TITLES[_FIRST])}</span>.</caption>'
        f'<thead><tr><th scope="col">Rank</th><th scope="col" data-kind="text">Method</th>{heads}'
        '<th scope="col" data-kind="text">Date</th><th scope="col" data-kind="text">Protocol</th>'
        '<th scope="col" data-kind="text">Checked</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        f"<h3>Best result over time</h3>"
        '<p class="key">Filled marks are verified, hollow ones unverified; the line is the best so '
        f'far, the dashed line calls all normal.</p><div class="plots">{plots}</div></section>'
    )


def _ordered(metric: str) -> str:
    return ' aria-sort="descending"' if metric == _FIRST else ""


def _row(entry: Entry, label: str, places: Mapping[str, Mapping[str, Ranked]]) -> str:
    first = places[_FIRST].get(entry.name)
    number = "-" if first is None or first.rank is None else first.rank
    scores = "".join(_score(entry, m, places[m].get(entry.name)) for m in METRICS)
    status = entry.status
    sign = '<span aria-hidden="true">✓</span> ' if entry.verified else ""
    return (
        f'<tr class="{entry.kind.value}"><td>{number}</td>'
        f'<th scope="row" data-sort="{html_safe(entry.name)}">{_method(entry, label)}</th>{scores}'
        f'<td class="short" data-sort="{entry.date}">{entry.date}</td>'
        f'<td class="short" data-sort="{entry.protocol.words}">{entry.protocol.words}</td>'
        f'<td data-sort="{status}"><span class="{status}">{sign}{status}</span></td></tr>\n'
    )


def _score(entry: Entry, metric: str, one: Ranked | None) -> str:
    if one is None:
        return '<td class="score" data-sort="">-</td>'
    shown = percent(metric, one.value, entry.decimals)
    if one.rank == 1:
        shown = f"<strong>{shown}</strong>"
    m = one.measured
    if m.low is not None and m.high is not None:
        digits = 1
        shown += (
            f"<small>{percent(metric, m.low, digits)} to {percent(metric, m.high, digits)}</small>"
        )
    place = "" if one.rank is None else f' data-rank="{one.rank}"'
    return f'<td class="score" data-sort="{one.value:.6f}"{place}>{shown}</td>'


def _method(entry: Entry, label: str) -> str:
    lines = [html_safe(entry.name)]
    if entry.paper is not None:
        lines.append(f"<small>{_link(entry.paper)}</small>")
    if entry.code is not None:
        lines.append(f'<small><a href="{html_safe(entry.code)}">Code</a></small>')
    elif entry.kind is Kind.RESULT:
        lines.append("<small>No code known</small>")
    remarks = "".join(f"<li>{html_safe(remark)}.</li>" for remark in entry.remarks)
    lines.append(
        f"<details><summary>Source{' and remarks' if remarks else ''}</summary>"
        f"<p>Scores from: {_link(entry.source)}.</p>{_verification(entry, label)}"
        f"{f'<ul>{remarks}</ul>' if remarks else ''}</details>"
    )
    return "".join(lines)


def _verification(entry: Entry, label: str) -> str:
    seen = entry.verification
    if seen is None:
        return ""
    return (
        f"<p>Abnormal from a probability of {seen.thresholds[label]:g}, as submitted. "
        f"{html_safe(seen.interval)}, {seen.resamples} draws, seed {seen.seed}. Checked "
        f"{seen.checked} by androscope {html_safe(seen.androscope)}.</p>"
        f"<p>SHA-256 of the predictions <code>{seen.predictions_sha256}</code>, of the labels "
        f"<code>{seen.labels_sha256[label]}</code>.</p>"
    )

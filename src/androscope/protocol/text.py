"""The tables of a benchmark in words: Markdown for pages, columns for terminals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from androscope.benchmark.ranking import percent
from androscope.learning.metrics import METRICS, TITLES

__all__ = ["cell", "markdown", "plain"]


def cell(kind: str, metric: str, score: Mapping[str, Any]) -> str:
    """One score as the tables show it.

    ``baseline`` and ``published`` are a value; ``recipe`` is mean (sd) [low, high]; ``difference``
    is a signed value [low, high]; ``crossval`` is mean (sd) over folds; pooled [low, high].
    """
    if kind in ("baseline", "published"):
        return percent(metric, score["value"])
    low, high = (percent(metric, score[end], 1) for end in ("low", "high"))
    ends = "" if score["low"] is None or score["high"] is None else f" [{low}, {high}]"
    if kind == "difference":
        value = score["value"]
        sign = "+" if value is not None and value > 0 else ""
        return f"{sign}{percent(metric, value)}{ends}"
    sd = "" if score["sd"] is None else f" ({percent(metric, score['sd'])})"
    shown = f"{percent(metric, score['mean'])}{sd}"
    if kind == "crossval":
        return f"{shown}; {percent(metric, score['pooled'])}{ends}"
    return f"{shown}{ends}"


def _name(row: Mapping[str, Any]) -> str:
    name = str(row["name"])
    if row["kind"] != "recipe":
        return name
    runs, planned = row["runs"], row["planned"]
    number = f"{runs} of {planned} runs" if runs < planned else f"{runs} runs"
    counted = f"{name}, {number}" if planned > 1 else name
    return counted if row["in_protocol"] else f"{counted} (no longer in the protocol)"


def _rows(table: Mapping[str, Any]) -> list[list[str]]:
    return [
        ["", *(TITLES[metric] for metric in METRICS)],
        *(
            [_name(row), *(cell(row["kind"], m, row["scores"][m]) for m in METRICS)]
            for row in table["rows"]
        ),
    ]


def _heading(table: Mapping[str, Any]) -> str:
    title = str(table["title"])
    return f"{title[0].upper()}{title[1:]}"


def _count(table: Mapping[str, Any]) -> str:
    return f"{table['crops']} crops, {table['abnormal']} abnormal"


def markdown(document: Mapping[str, Any]) -> str:
    """Tables for a page."""
    lines: list[str] = []
    for table in document["tables"]:
        lines += [f"**{_heading(table)}** ({_count(table)})", ""]
        for number, row in enumerate(_rows(table)):
            lines.append("| " + " | ".join(row) + " |")
            if number == 0:
                lines.append("| --- |" + " ---: |" * len(METRICS))
        lines.append("")
    return "\n".join([*lines, *_ending(document, "- ")]) + "\n"


def plain(document: Mapping[str, Any]) -> str:
    """Tables for a terminal: the scores in rows, so that a line stays short."""
    lines: list[str] = []
    for table in document["tables"]:
        rows = _rows(table)
        lines += [f"{_heading(table)}  ({_count(table)})"]
        for row in rows[1:]:
            lines.append(f"  {row[0]}")
            lines += [
                f"    {TITLES[metric]:<10}{value}"
                for metric, value in zip(METRICS, row[1:], strict=True)
            ]
        lines.append("")
    return "\n".join([*lines, *_ending(document, "- ")]) + "\n"


def _ending(document: Mapping[str, Any], mark: str) -> Sequence[str]:
    tried = document["tried_on_test"] or ["nothing yet."]
    return [
        *(f"{mark}{note}" for note in document["notes"]),
        "",
        "Tried on test:",
        "",
        *(f"{mark}{line}" for line in tried),
    ]

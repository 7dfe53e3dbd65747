"""``benchmark trust`` for people: lines for a terminal, or Markdown for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from androscope.learning.trust.sections import Row, Section, Trial
from androscope.learning.trust.trial import fell_short

__all__ = ["trust_lines"]

_HEAD = ("", "measured", "95% interval", "goal", "", "")
_SIGN = {"at least": ">=", "at most": "<="}


def trust_lines(
    trial: Trial, sections: Mapping[str, Section], *, markdown: bool = False
) -> list[str]:
    """Give every figure with its interval and goal, then what fell short."""
    card = trial.card
    lines = [f"{card.name} {card.version} on {trial.data} {trial.split}, {len(trial.crops)} crops"]
    for section in sections.values():
        lines += ["", f"### {section.title}" if markdown else section.title, ""]
        cells = [_cells(row) for row in section.rows]
        if cells:
            lines += _markdown(cells) if markdown else _plain(cells)
        lines += ["" for _ in section.remarks[:1] if cells]
        lines += [f"- {remark}" for remark in section.remarks]
    return [*lines, "", *_verdict(sections)]


def _verdict(sections: Mapping[str, Section]) -> list[str]:
    reached, short = fell_short(sections)
    lines = [f"{len(reached)} of {len(reached) + len(short)} goals reached."]
    if short:
        lines.append("Fell short:")
        for row in short:
            missed = "not defined" if row.measured is None else _number(row, row.measured)
            lines.append(f"- {row.what}: {missed}, wanted {_goal(row)}")
    return lines


def _cells(row: Row) -> tuple[str, ...]:
    interval = ""
    if row.low is not None and row.high is not None:
        interval = f"{_number(row, row.low)} to {_number(row, row.high)}"
    says = {True: "reached", False: "FELL SHORT", None: ""}[row.reached]
    measured = "-" if row.measured is None else _number(row, row.measured)
    return (row.what, measured, interval, _goal(row), says, row.note)


def _goal(row: Row) -> str:
    return "" if row.goal is None else f"{_SIGN[row.wanted]} {_number(row, row.goal)}"


def _number(row: Row, value: float) -> str:
    if row.unit == "%":
        return f"{value:.1%}"
    return f"{value:.3f}{f' {row.unit}' if row.unit else ''}"


def _plain(cells: Sequence[tuple[str, ...]]) -> list[str]:
    rows = [_HEAD, *cells]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    return [
        "  ".join(
            # Numbers stand under one another's last digit.
            cell.rjust(width) if i == 1 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _markdown(cells: Sequence[tuple[str, ...]]) -> list[str]:
    rows = [_HEAD, ("---",) * len(_HEAD), *cells]
    return [f"| {' | '.join(row)} |" for row in rows]

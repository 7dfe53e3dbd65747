"""The best result over time as SVG inside a page: it takes the page's colours, light or dark."""

from __future__ import annotations

import math
from calendar import isleap
from collections.abc import Callable, Iterator, Sequence

from androscope.benchmark.entries import first_day
from androscope.benchmark.ranking import Ranked, best_over_time, percent
from androscope.report.axes import ticks
from androscope.report.names import html_safe

__all__ = ["plot_svg", "year_of"]

_WIDTH, _HEIGHT = 320, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 18, 12, 26
_MOST_YEARS = 6

_Place = Callable[[float], float]


def plot_svg(ranked: Sequence[Ranked], metric: str, title: str) -> str:
    """Draw results against their dates, and the best so far as a line.

    Verified results are filled marks, claims hollow ones, baselines dashed lines. Percent, MCC from
    -1 to 1.

    Parameters
    ----------
    ranked
        From :func:`androscope.benchmark.ranking.rank`; at least one result.
    metric
        Its name.
    title
        What a screen reader says first.
    """
    records = best_over_time(ranked)
    if not records:
        raise ValueError("expected at least one result that is no baseline")
    scale = 1 if metric == "mcc" else 100
    baselines = [one for one in ranked if one.rank is None]
    levels = ticks([scale * one.value for one in ranked])
    years = [year_of(one.entry.date) for one in records]
    start, end = math.floor(min(years)), max(math.floor(max(years)) + 1, math.floor(min(years)) + 2)

    def x(year: float) -> float:
        return _LEFT + (year - start) / (end - start) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        share = (value - levels[0]) / (levels[-1] - levels[0])
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    parts = [*_axes(levels, range(start, end + 1), x, y)]
    for one in baselines:
        at = f"{y(scale * one.value):.1f}"
        parts.append(
            f'<line class="base" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at}" y2="{at}">'
            f"<title>{html_safe(one.entry.name)}: {percent(metric, one.value)}</title></line>"
        )
    path = f"M{x(years[0]):.1f} {y(scale * records[0].best):.1f}"
    for record, year in zip(records[1:], years[1:], strict=True):
        path += f"H{x(year):.1f}V{y(scale * record.best):.1f}"
    parts.append(f'<path class="best" d="{path}H{x(end):.1f}"/>')
    for record, year in zip(records, years, strict=True):
        entry = record.entry
        told = (
            f"{entry.name}, {entry.date}: {percent(metric, record.value, entry.decimals)}, "
            f"{entry.status}"
        )
        parts.append(
            f'<circle class="{entry.status}" cx="{x(year):.1f}" '
            f'cy="{y(scale * record.value):.1f}" r="4"><title>{html_safe(told)}</title></circle>'
        )
    leader = max(records, key=lambda record: record.value)
    summary = (
        f"{title}. The best of {len(records)} is {leader.entry.name}, {leader.entry.date}, with "
        f"{percent(metric, leader.value, leader.entry.decimals)}"
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{html_safe(summary)}">'
        f"{''.join(parts)}</svg>"
    )


def _axes(levels: Sequence[float], years: range, x: _Place, y: _Place) -> Iterator[str]:
    for level in levels:
        at = y(level)
        yield (
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{level:g}</text>'
        )
    for year in years[:: math.ceil(len(years) / _MOST_YEARS)]:
        yield f'<text x="{x(year):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{year}</text>'


def year_of(text: str) -> float:
    """Give a date of YYYY, YYYY-MM or YYYY-MM-DD as years; the year alone is its first day."""
    day = first_day(text)
    return day.year + (day.timetuple().tm_yday - 1) / (366 if isleap(day.year) else 365)

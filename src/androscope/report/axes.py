"""A plot as a plain SVG file: axes, lines, marks and words, with no library behind it.

The pictures are few and simple, and a lab's PC has no matplotlib. Colours are told apart by those
who cannot see red and green too (Okabe & Ito 2008), and nothing is told by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from androscope.report.names import html_safe

__all__ = ["BLUE", "GREY", "ORANGE", "Axes", "page", "ticks"]

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#767676"

#: Distances of lines that a reader can count in, in the unit shown.
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
_MOST_TICKS = 5

#: Of one plot, px: room for the numbers and names around it.
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 40, 52


@dataclass(slots=True)
class Axes:
    """One plot; values are given in the data's own units.

    Parameters
    ----------
    title, x_name, y_name
        Words above it, below it, and beside it.
    x, y
        Values that the axes must span; rounded outward to whole ticks. ``x_names`` instead of
        ticks: names for x = 0, 1, 2...
    width, height
        Of the whole plot, px.
    """

    title: str
    x_name: str
    y_name: str
    x: Sequence[float]
    y: Sequence[float]
    x_names: Sequence[str] | None = None
    width: int = 460
    height: int = 340
    _parts: list[str] = field(default_factory=list)
    _x: list[float] = field(init=False)
    _y: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self._y = ticks(self.y)
        self._x = [-0.5, len(self.x_names) - 0.5] if self.x_names else ticks(self.x)

    def point(
        self, x: float, y: float, told: str, colour: str = BLUE, *, hollow: bool = False
    ) -> None:
        """Put a mark; ``told`` is shown when it is pointed at."""
        fill = "#fff" if hollow else colour
        self._parts.append(
            f'<circle cx="{self._at_x(x):.1f}" cy="{self._at_y(y):.1f}" r="4" fill="{fill}" '
            f'stroke="{colour}" stroke-width="1.5"><title>{_words(told)}</title></circle>'
        )

    def level(self, y: float, words: str = "", colour: str = GREY, *, dashed: bool = False) -> None:
        """Draw a line across, with words above its right end."""
        at = self._at_y(y)
        right = self.width - _RIGHT
        self._parts.append(_line(_LEFT, at, right, at, colour, dashed))
        if words:
            self._parts.append(
                f'<text x="{right}" y="{at - 4:.1f}" text-anchor="end" fill="{colour}">'
                f"{_words(words)}</text>"
            )

    def band(self, low: float, high: float, colour: str = GREY) -> None:
        """Shade everything between two levels."""
        top, bottom = self._at_y(high), self._at_y(low)
        self._parts.append(
            f'<rect x="{_LEFT}" y="{top:.1f}" width="{self.width - _LEFT - _RIGHT}" '
            f'height="{bottom - top:.1f}" fill="{colour}" opacity="0.15"/>'
        )

    def line(
        self, points: Sequence[tuple[float, float]], colour: str = GREY, *, dashed: bool = False
    ) -> None:
        """Join points by straight lines."""
        placed = [(self._at_x(x), self._at_y(y)) for x, y in points]
        self._parts += [_line(*start, *end, colour, dashed) for start, end in pairwise(placed)]

    def svg(self, x: int = 0, y: int = 0) -> str:
        """Give the plot as a group whose corner is at ``(x, y)``."""
        return f'<g transform="translate({x} {y})">{self._frame()}{"".join(self._parts)}</g>'

    def _frame(self) -> str:
        middle = (_LEFT + self.width - _RIGHT) / 2
        centre = (_TOP + self.height - _BOTTOM) / 2
        parts = [
            f'<text x="{_LEFT}" y="20" font-weight="bold">{_words(self.title)}</text>',
            f'<text x="{middle:.0f}" y="{self.height - 12}" text-anchor="middle">'
            f"{_words(self.x_name)}</text>",
            f'<text transform="translate(16 {centre:.0f}) rotate(-90)" text-anchor="middle">'
            f"{_words(self.y_name)}</text>",
        ]
        for value in self._y:
            at = self._at_y(value)
            parts.append(_line(_LEFT, at, self.width - _RIGHT, at, "#ddd", False))
            parts.append(
                f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{value:g}</text>'
            )
        bottom = self.height - _BOTTOM
        for value, name in self._names():
            at = self._at_x(value)
            parts.append(_line(at, bottom, at, bottom + 4, GREY, False))
            parts.append(
                f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{_words(name)}</text>'
            )
        parts.append(_line(_LEFT, bottom, self.width - _RIGHT, bottom, GREY, False))
        return "".join(parts)

    def _names(self) -> list[tuple[float, str]]:
        if self.x_names is None:
            return [(value, f"{value:g}") for value in self._x]
        # As many as find room; a name takes some 8 px a letter.
        longest = max(len(name) for name in self.x_names)
        room = max(1, (self.width - _LEFT - _RIGHT) // (8 * (longest + 1)))
        step = math.ceil(len(self.x_names) / room)
        return [(i, name) for i, name in enumerate(self.x_names) if i % step == 0]

    def _at_x(self, x: float) -> float:
        share = (x - self._x[0]) / (self._x[-1] - self._x[0])
        return _LEFT + share * (self.width - _LEFT - _RIGHT)

    def _at_y(self, y: float) -> float:
        share = (y - self._y[0]) / (self._y[-1] - self._y[0])
        return self.height - _BOTTOM - share * (self.height - _TOP - _BOTTOM)


def page(plots: Sequence[Axes], summary: str, *, columns: int = 2) -> str:
    """Give a whole SVG file with the plots in rows; ``summary`` is what a screen reader says."""
    wide, high = max(p.width for p in plots), max(p.height for p in plots)
    rows = math.ceil(len(plots) / columns)
    width, height = wide * min(columns, len(plots)), high * rows
    groups = "\n".join(
        plot.svg(wide * (i % columns), high * (i // columns)) for i, plot in enumerate(plots)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" font-family="sans-serif" font-size="12">\n'
        f'<title>{_words(summary)}</title>\n<rect width="100%" height="100%" fill="#fff"/>\n'
        f"{groups}\n</svg>\n"
    )


def ticks(values: Sequence[float]) -> list[float]:
    """Give round numbers, evenly apart, that span ``values``: 2 to 6 of them."""
    low, high = min(values), max(values)
    if low == high:
        room = max(abs(low) / 20, 0.05)
        low, high = low - room, high + room
    for step in _STEPS:
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if first == last:
            first, last = first - 1, last + 1
        if last - first <= _MOST_TICKS:
            break
    return [round(step * number, 6) for number in range(first, last + 1)]


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dashed: bool) -> str:
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dash}/>'
    )


def _words(text: str) -> str:
    return html_safe(text)

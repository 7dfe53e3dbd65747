"""Whether new images moved, for people and for programs: words, tables, JSON, SVG."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from androscope import __version__
from androscope.assessment.control_chart import Chart, ChartPoint
from androscope.assessment.drift import Drift
from androscope.assessment.gate import UNCHECKED
from androscope.files import write_text
from androscope.report.axes import BLUE, ORANGE, Axes, page
from androscope.report.names import NOTICE, printable
from androscope.report.table import percent, table_for

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["SCHEMA", "document", "plot_drift", "print_drift", "write_json", "write_plot"]

SCHEMA = "androscope.drift/1"

#: Samples named in the picture's axis take this much room, px.
_PER_SAMPLE = 14
_WIDEST = 1600


def print_drift(console: Console, found: Drift) -> None:
    """Print what was found; ``console`` is from :func:`~.table.console_for`."""
    _say(console, verdict(found), bold=True)
    test = found.test
    by = "whole samples" if found.whole_samples else "crops"
    _say(
        console,
        f"What the model sees (embeddings of {test.reference} reference and {test.new} new crops): "
        f"p = {test.p:.3g}, dividing {by} by chance {found.permutations} times; squared "
        f"discrepancy {test.mmd2:.4f}.",
    )
    _say(
        console,
        f"Size of that difference: a new crop is told from a reference crop in "
        f"{test.separation:.0%} of pairs (50%: not at all; 100%: always).",
    )
    _say(console, refused_words(found))
    for caution in cautions(found):
        _say(console, caution)
    _print_measures(console, found)
    _print_chart(console, found)
    console.print()
    _say(console, NOTICE)


def verdict(found: Drift) -> str:
    """One sentence."""
    how = "; ".join(measure.words for measure in found.moved_measures[:3])
    if found.model_moved:
        words = f": {how}" if how else ", though no simple measure says how"
        return f"{found.new} differs from {found.reference} for the model{words}."
    if how:
        return (
            f"{found.new} looks different from {found.reference}: {how}. For the model no "
            "difference was seen."
        )
    return f"No difference seen between {found.new} and {found.reference}."


def refused_words(found: Drift) -> str:
    """How many crops of either the model's checks refuse, and where those are counted."""
    if found.refused is None:
        return f"{UNCHECKED[0].upper()}{UNCHECKED[1:]}."
    before, after = found.refused
    if not (before.count or after.count):
        return f"The model's checks refuse none of {before.n} reference and {after.n} new crops."
    return (
        f"The model's checks refuse {before.count} of {before.n} reference crops, "
        f"{percent(before)}, and {after.count} of {after.n} new ones, {percent(after)}. They are "
        "compared like all others, and are in no percentage normal."
    )


def cautions(found: Drift) -> tuple[str, ...]:
    """What keeps the answer from being surer."""
    said = []
    if not found.whole_samples:
        said.append(
            "Crops of one patient are alike, so other patients alone can look like a difference. "
            "With each sample in a sub-folder, six or more on either side, whole samples are "
            "compared instead."
        )
    if not found.moved:
        said.append("That none was seen does not show that there is none: few crops see little.")
    if found.reference_chart.out:
        said.append(
            f"{len(found.reference_chart.out)} of {len(found.reference_chart.points)} samples of "
            "the reference are outside their own limits: they differ by more than counting "
            "explains, as different patients do. The chart then says little of the new ones."
        )
    return tuple(said)


def _print_measures(console: Console, found: Drift) -> None:
    console.print()
    table = table_for(
        console, "Measure", "reference", "new", "new above reference", "p", "so the new are"
    )
    for m in found.measures:
        words = m.words if m.p <= found.alpha else "-"
        table.add_row(
            m.what, f"{m.reference:.1f}", f"{m.new:.1f}", f"{m.share:.0%}", f"{m.p:.3g}", words
        )
    console.print(table)


def _print_chart(console: Console, found: Drift) -> None:
    console.print()
    centre = found.chart.centre
    _say(console, f"Normal in every part, reference: {percent(centre)} of {centre.n}", bold=True)
    table = table_for(console, "Sample", "refused", "decided", "undecided", "normal", "limits", "")
    for point in found.chart.points:
        limits = "-"
        if point.low is not None and point.high is not None:
            limits = f"{point.low:.1%} to {point.high:.1%}{' exact' if point.exact else ''}"
        table.add_row(
            printable(point.name),
            str(found.refused_of.get(point.name, "-")),
            str(point.counts.decided),
            str(point.counts.undecided),
            "-" if point.share is None else f"{point.share:.1%}",
            limits,
            "OUT" if point.out else "",
        )
    console.print(table)


def _say(console: Console, text: str, *, bold: bool = False) -> None:
    console.print(printable(text), markup=False, style="bold" if bold else None)


def document(found: Drift) -> dict[str, Any]:
    """Give everything as plain dictionaries and lists; shares are 0 to 1."""
    test = found.test
    return {
        "schema": SCHEMA,
        "notice": NOTICE,
        "androscope": __version__,
        "reference": _set(found, 0),
        "new": _set(found, 1),
        "alpha": found.alpha,
        "moved": found.moved,
        "verdict": verdict(found),
        "cautions": list(cautions(found)),
        "divided": "samples" if found.whole_samples else "crops",
        "permutations": found.permutations,
        "embeddings": {
            "moved": found.model_moved,
            "reference": test.reference,
            "new": test.new,
            "mmd2": test.mmd2,
            "p": test.p,
            "separation": test.separation,
            "bandwidth": test.bandwidth,
        },
        "measures": [
            {
                "name": m.name,
                "what": m.what,
                "reference_median": m.reference,
                "new_median": m.new,
                "new_above_reference": m.share,
                "p": m.p,
                "moved": m.p <= found.alpha,
                "words": m.words,
            }
            for m in found.measures
        ],
        "refused_by_sample": dict(found.refused_of),
        "chart": _chart(found.chart),
        "reference_chart": _chart(found.reference_chart),
    }


def write_json(path: str | Path, found: Drift) -> None:
    """Write :func:`document`. Raises :class:`~androscope.errors.OutputError`."""
    text = json.dumps(document(found), indent=2, ensure_ascii=True, allow_nan=False)
    write_text(path, text + "\n")


def _set(found: Drift, which: int) -> dict[str, Any]:
    share = None if found.refused is None else found.refused[which]
    return {
        "name": (found.reference, found.new)[which],
        "crops": found.counts[which].assessed if share is None else share.n,
        "refused": None
        if share is None
        else {"count": share.count, "value": share.fraction, "low": share.low, "high": share.high},
    }


def _chart(chart: Chart) -> dict[str, Any]:
    centre = chart.centre
    return {
        "centre": {
            "count": centre.count,
            "n": centre.n,
            "value": centre.fraction,
            "low": centre.low,
            "high": centre.high,
        },
        "samples": [_point(point) for point in chart.points],
    }


def _point(point: ChartPoint) -> dict[str, Any]:
    return {
        "name": point.name,
        "normal": point.counts.normal,
        "decided": point.counts.decided,
        "undecided": point.counts.undecided,
        "share": point.share,
        "low": point.low,
        "high": point.high,
        "exact": point.exact,
        "out": point.out,
    }


def plot_drift(found: Drift) -> str:
    """Draw the control chart: the reference's share, and each new sample with its limits."""
    chart = found.chart
    names = [point.name for point in chart.points]
    values = [v for p in chart.points for v in (p.share, p.low, p.high) if v is not None]
    centre = chart.centre.fraction or 0.0
    axes = Axes(
        "Normal in every part",
        "sample",
        "%",
        x=[],
        y=[100 * value for value in (centre, *values)],
        x_names=names,
        width=min(_WIDEST, max(460, 120 + _PER_SAMPLE * len(names))),
    )
    axes.level(100 * centre, f"reference {centre:.1%}")
    for i, point in enumerate(chart.points):
        if point.share is None or point.low is None or point.high is None:
            continue
        for limit in (point.low, point.high):
            axes.line([(i - 0.4, 100 * limit), (i + 0.4, 100 * limit)], ORANGE)
        told = f"{point.name}: {point.share:.1%} of {point.counts.decided}"
        axes.point(
            i,
            100 * point.share,
            f"{told}{', out' if point.out else ''}",
            ORANGE if point.out else BLUE,
            hollow=not point.out,
        )
    return page([axes], f"Control chart of {found.new} against {found.reference}")


def write_plot(path: str | Path, found: Drift) -> None:
    """Write :func:`plot_drift`. Raises :class:`~androscope.errors.OutputError`."""
    write_text(path, plot_drift(found))

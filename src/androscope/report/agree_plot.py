"""The comparison of observers as SVG: Bland-Altman of samples, kappa and agreement by label."""

from __future__ import annotations

from pathlib import Path

from androscope.assessment.bland_altman import BlandAltman
from androscope.assessment.concordance import WHOLE, Concordance, PairOfObservers
from androscope.files import write_text
from androscope.report.axes import BLUE, GREY, ORANGE, Axes, page

__all__ = ["plot_concordance", "write_plot"]


def plot_concordance(found: Concordance) -> str:
    """Draw every pair of observers: agreement by label, and whole sperm by sample."""
    plots = []
    for pair in found.pairs:
        plots.append(_agreement(pair))
        if pair.samples and pair.samples[WHOLE].samples:
            plots.append(_bland_altman(pair, pair.samples[WHOLE]))
    return page(plots, f"Agreement of {', '.join(found.observers)} on {found.n} sperm")


def write_plot(path: str | Path, found: Concordance) -> None:
    """Write :func:`plot_concordance`. Raises :class:`~androscope.errors.OutputError`."""
    write_text(path, plot_concordance(found))


def _agreement(pair: PairOfObservers) -> Axes:
    labels = list(pair.pairs)
    lows = [p.kappa.low for p in pair.pairs.values() if p.kappa.low is not None]
    axes = Axes(
        f"{pair.b} against {pair.a}: kappa ●, agreement ○",
        "",
        "share, kappa",
        x=[],
        y=[0.0, 1.0, *lows],
        x_names=labels,
    )
    axes.level(0, "kappa 0: no better than chance")
    for i, (label, p) in enumerate(pair.pairs.items()):
        share, kappa = p.agreement, p.kappa
        if share.fraction is not None and share.low is not None and share.high is not None:
            axes.line([(i + 0.12, share.low), (i + 0.12, share.high)], ORANGE)
            told = f"{label}: agreement {share.fraction:.1%} of {share.n}"
            axes.point(i + 0.12, share.fraction, told, ORANGE, hollow=True)
        if kappa.value is not None:
            if kappa.low is not None and kappa.high is not None:
                axes.line([(i - 0.12, kappa.low), (i - 0.12, kappa.high)], BLUE)
            axes.point(i - 0.12, kappa.value, f"{label}: kappa {kappa.value:.2f}")
    return axes


def _bland_altman(pair: PairOfObservers, found: BlandAltman) -> Axes:
    ends = [e for one in (found.bias, found.lower, found.upper) for e in (one.low, one.high)]
    axes = Axes(
        f"% normal in {WHOLE}, by sample",
        f"mean of {pair.a} and {pair.b}, %",
        f"{pair.b} - {pair.a}, points",
        x=[sample.average for sample in found.samples],
        y=[0.0, *(s.difference for s in found.samples), *(e for e in ends if e is not None)],
    )
    axes.level(0)
    for name, estimate in (
        ("upper limit", found.upper), ("mean", found.bias), ("lower limit", found.lower)
    ):  # fmt: skip
        if estimate.value is None:
            continue
        if estimate.low is not None and estimate.high is not None:
            axes.band(estimate.low, estimate.high, ORANGE if name == "mean" else GREY)
        words = f"{name} {estimate.value:+.1f}"
        axes.level(estimate.value, words, ORANGE, dashed=name != "mean")
    for sample in found.samples:
        axes.point(
            sample.average,
            sample.difference,
            f"{sample.name}: {sample.percent_a:.1f}% and {sample.percent_b:.1f}% of {sample.n}",
        )
    return axes

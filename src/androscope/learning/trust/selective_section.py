"""What is a verdict worth if the doubtful ones go to a person: accuracy over coverage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.assessment.certainty import certainty
from androscope.assessment.sample import proportion
from androscope.learning.metrics import labelled
from androscope.learning.plots import canvas, look
from androscope.learning.trust.sections import Row, Section, Trial

__all__ = ["COVERAGE", "GOALS", "Curve", "coverage_risk", "measure"]

#: The share of crops that is still decided, and the accuracy that is then wanted of each label.
COVERAGE = 0.8
GOALS: Mapping[str, float] = {"head": 0.90, "acrosome": 0.86, "vacuole": 0.97}


@dataclass(frozen=True, slots=True)
class Curve:
    """Errors among the surest crops, as more and more are decided.

    Attributes
    ----------
    coverage
        ``(N,)``: 1/N, 2/N ... 1, the share that is decided.
    risk
        ``(N,)``: the share of those whose verdict is wrong.
    area
        Mean of ``risk``: the area under the curve, 0 at best (Geifman & El-Yaniv 2017).
    """

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]

    @property
    def area(self) -> float:
        """Mean risk over all coverages."""
        return float(self.risk.mean()) if len(self.risk) else math.nan


def coverage_risk(labels: ArrayLike, probabilities: ArrayLike, threshold: float) -> Curve:
    """Decide the surest crops first, by :func:`~androscope.assessment.certainty.certainty`.

    Parameters
    ----------
    labels, probabilities
        ``(N,)``: -1 (left out), 0 or 1, and the calibrated probability of abnormal.
    threshold
        From which the verdict is abnormal.
    """
    truth, given, _ = labelled(labels, probabilities)
    order = np.argsort(-np.abs(certainty(given, threshold)), kind="stable")
    wrong = ((given >= threshold) != (truth == 1))[order]
    decided = np.arange(1, len(truth) + 1)
    return Curve(decided / max(len(truth), 1), np.cumsum(wrong) / decided)


def measure(trial: Trial) -> Section:
    """Measure accuracy at :data:`COVERAGE`, and the whole curve."""
    rows: list[Row] = []
    curves: dict[str, Curve] = {}
    for label in trial.labels:
        truth, given = trial.column(label)
        curve = coverage_risk(truth, given, trial.card.thresholds[label])
        curves[label] = curve
        count = len(curve.risk)
        if not count:
            rows.append(Row(f"{label}: right of the surest {COVERAGE:.0%}", None))
            continue
        # The fewest crops that are this share: a share is never rounded down.
        kept = math.ceil(COVERAGE * count - 1e-9)
        right = kept - round(float(curve.risk[kept - 1]) * kept)
        found, whole = proportion(right, kept), proportion(_right(curve, count), count)
        rows += [
            Row(
                f"{label}: right of the surest {COVERAGE:.0%}",
                found.fraction,
                found.low,
                found.high,
                goal=GOALS.get(label),
                unit="%",
                note=f"{right} of {kept}",
            ),
            Row(
                f"{label}: right of all",
                whole.fraction,
                whole.low,
                whole.high,
                unit="%",
                note=f"{whole.count} of {count}",
            ),
            Row(f"{label}: area under the coverage-risk curve", curve.area),
        ]
    return Section(
        f"Selective accuracy: the surest {COVERAGE:.0%} decided, the others left to a person",
        tuple(rows),
        remarks=(
            "Verdicts are by the card's thresholds; the surest are those farthest from them, as a "
            "share of the way to 0 or 1.",
        ),
        details={
            label: {
                "coverage": [round(float(c), 6) for c in curve.coverage],
                "risk": [round(float(r), 6) for r in curve.risk],
            }
            for label, curve in curves.items()
        },
        plots={"coverage-risk.png": lambda path: _plot(path, curves, trial)},
    )


def _right(curve: Curve, count: int) -> int:
    return count - round(float(curve.risk[count - 1]) * count)


def _plot(path: Path, curves: Mapping[str, Curve], trial: Trial) -> None:
    with canvas(path, 5.4, 4.0) as figure:
        axes = figure.add_subplot()
        names: Sequence[str] = list(curves)
        for i, name in enumerate(names):
            curve = curves[name]
            # The first few crops are one error or none: a curve of noise.
            shown = curve.coverage >= 0.1
            axes.plot(curve.coverage[shown], curve.risk[shown], label=name, **look(i))
            if name in GOALS:
                axes.plot(COVERAGE, 1 - GOALS[name], "x", color=look(i)["color"])
        axes.set(
            title=f"Coverage and risk: {trial.card.name} on {trial.data} {trial.split}",
            xlabel="share of crops that is decided, the surest first",
            ylabel="share of those that is wrong (x: goal)",
            xlim=(0, 1.02),
            ylim=(0, None),
        )
        axes.legend(loc="upper left")

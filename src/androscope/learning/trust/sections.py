"""What ``androscope benchmark trust`` measures: sections, each a module with ``measure``.

A section is given everything that was graded once (:class:`Trial`) and gives rows, each a figure
with its interval and its goal. To add one, write a module with ``measure(trial) -> Section`` and
name it in :data:`SECTIONS`; printing, JSON and the exit are done for all alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from androscope.datasets import LabelledCrops
from androscope.model.card import Card
from androscope.model.session import Predictions, Session

__all__ = ["SECTIONS", "Row", "Section", "Trial", "measure_sections"]

#: Name of each section, as ``--section`` takes it, and the module that measures it; in the order
#: in which they are shown.
SECTIONS: Mapping[str, str] = {
    "calibration": "androscope.learning.trust.calibration_section",
    "conformal": "androscope.learning.trust.conformal_section",
    "selective": "androscope.learning.trust.selective_section",
    "checks": "androscope.learning.trust.checks_section",
    "explain": "androscope.learning.trust.explain_section",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes
    ----------
    what
        In words, such as ``"head: expected calibration error"``.
    measured
        ``None`` where it is not defined.
    low, high
        Its 95% interval, if it has one.
    goal
        ``None`` for a figure that is shown without one.
    wanted
        Whether the figure is to be at least the goal or at most.
    within_interval
        Whether a goal that the figure misses counts as reached where it lies in the interval; for
        promises about an average, which half of all figures fall short of by chance.
    unit
        ``"%"``: a share from 0 to 1, shown in percent; ``""``: shown as it is; others such as
        ``"s"`` are shown behind it.
    note
        What is to be known of it.
    """

    what: str
    measured: float | None
    low: float | None = None
    high: float | None = None
    goal: float | None = None
    wanted: Literal["at least", "at most"] = "at least"
    within_interval: bool = False
    unit: str = ""
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the figure is as wanted; ``None`` without a goal, False if it is not defined."""
        if self.goal is None:
            return None
        if self.measured is None:
            return False
        if self.wanted == "at least":
            ends = (self.measured, self.high if self.within_interval else None)
            return any(end is not None and end >= self.goal for end in ends)
        ends = (self.measured, self.low if self.within_interval else None)
        return any(end is not None and end <= self.goal for end in ends)


@dataclass(frozen=True, slots=True)
class Section:
    """What one section found.

    Attributes
    ----------
    title
        Its heading.
    rows
        Its figures.
    remarks
        Sentences below them.
    details
        Further numbers for the JSON, such as the points of a curve.
    plots
        File's name to a function that draws it at a path; called where plots are wanted.
    """

    title: str
    rows: tuple[Row, ...]
    remarks: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    plots: Mapping[str, Callable[[Path], None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trial:
    """What every section is given.

    Attributes
    ----------
    session
        The bundle's, ready to grade further images.
    data, split
        Names of the labelled crops, such as ``mhsma`` and ``test``.
    crops
        They themselves.
    predictions
        What :attr:`session` says of them; its columns are those of the card.
    seed, resamples
        Of every bootstrap.
    report
        Takes lines on progress.
    """

    session: Session
    data: str
    split: str
    crops: LabelledCrops
    predictions: Predictions
    seed: int = 0
    resamples: int = 2000
    report: Callable[[str], None] = lambda _: None

    @property
    def card(self) -> Card:
        """Of the bundle that is measured."""
        return self.session.card

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's labels that the crops are labelled for too."""
        return tuple(name for name in self.card.labels if name in self.crops.label_names)

    def column(self, label: str) -> tuple[Any, Any]:
        """Truth ``(N,)`` int8, -1 where not labelled, and probability ``(N,)`` of one label."""
        truth = self.crops.labels[:, self.crops.label_names.index(label)]
        return truth, self.predictions.probabilities[:, self.card.labels.index(label)]


def measure_sections(trial: Trial, names: tuple[str, ...] = ()) -> dict[str, Section]:
    """Measure the named sections, or all of them, in the order of :data:`SECTIONS`."""
    found: dict[str, Section] = {}
    for name, module in SECTIONS.items():
        if names and name not in names:
            continue
        trial.report(f"measuring {name}")
        found[name] = import_module(module).measure(trial)
    return found

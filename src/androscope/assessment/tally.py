"""Counts over a sample whose verdicts may be *undecided*: of each part, and of whole sperm.

A model that abstains says ``undecided`` of a part rather than guess. Fractions are then of what was
decided, and how many were not stands beside them; :attr:`Tally.bounds` says how far the undecided
could move the fraction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from androscope.assessment.sample import Proportion, proportion
from androscope.types import Assessment, PartVerdict, Verdict

__all__ = ["Counts", "Outcome", "Tally", "count_whole", "outcome_of", "overall", "tally"]

#: What is said of a part, or of a sperm as a whole.
Outcome = Literal["normal", "abnormal", "undecided"]


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each outcome was reached."""

    normal: int = 0
    abnormal: int = 0
    undecided: int = 0

    @property
    def assessed(self) -> int:
        """All of them."""
        return self.normal + self.abnormal + self.undecided

    @property
    def decided(self) -> int:
        """Those with a verdict."""
        return self.normal + self.abnormal

    @property
    def fraction_normal(self) -> Proportion:
        """Normal, of those decided."""
        return proportion(self.normal, self.decided)

    @property
    def fraction_abnormal(self) -> Proportion:
        """Abnormal, of those decided."""
        return proportion(self.abnormal, self.decided)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Fraction normal if every undecided one were abnormal, and if every one were normal."""
        if not self.assessed:
            return None
        return self.normal / self.assessed, (self.normal + self.undecided) / self.assessed


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of each part, by label, and of whole sperm."""

    parts: Mapping[str, Counts]
    whole: Counts


def outcome_of(part: PartVerdict) -> Outcome:
    """Give a part's outcome; whatever is neither normal nor abnormal is undecided."""
    if part.verdict == Verdict.ABNORMAL:
        return "abnormal"
    return "normal" if part.verdict == Verdict.NORMAL else "undecided"


def overall(assessment: Assessment, labels: Sequence[str]) -> Outcome:
    """Give a sperm's outcome: abnormal if any part is; normal if all are; else undecided.

    Raises
    ------
    KeyError
        If the assessment lacks a label.
    """
    outcomes = {outcome_of(assessment[label]) for label in labels}
    if "abnormal" in outcomes:
        return "abnormal"
    return "undecided" if "undecided" in outcomes else "normal"


def tally(assessments: Iterable[Assessment], labels: Sequence[str]) -> Tally:
    """Count outcomes of each part and of whole sperm (:func:`overall`).

    The intervals of fractions speak of the sampling of sperm alone. They take each verdict as right
    and each sperm as independent of the others; the model's own errors come on top.

    Raises
    ------
    KeyError
        If an assessment lacks a label.
    """
    given = list(assessments)
    return Tally(
        parts={label: _count(outcome_of(a[label]) for a in given) for label in labels},
        whole=_count(overall(a, labels) for a in given),
    )


def count_whole(assessments: Iterable[Assessment], labels: Sequence[str]) -> Counts:
    """Count whole sperm by some labels alone, such as those of one region."""
    return _count(overall(a, labels) for a in assessments)


def _count(outcomes: Iterable[Outcome]) -> Counts:
    found = list(outcomes)
    return Counts(*(found.count(o) for o in ("normal", "abnormal", "undecided")))

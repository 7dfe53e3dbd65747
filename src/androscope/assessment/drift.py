"""Whether a lab's new crops have moved from a reference: all that was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from androscope.assessment.control_chart import Chart
from androscope.assessment.sample import Proportion
from androscope.assessment.tally import Counts
from androscope.assessment.two_sample import TwoSample

__all__ = ["Drift", "Measure"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure in both sets.

    Attributes
    ----------
    name, what
        Its key, and what it is.
    reference, new
        Medians.
    share
        Chance that a new crop's value is above a reference crop's.
    p
        Two-sided, corrected for the number of measures.
    words
        What the direction means.
    """

    name: str
    what: str
    reference: float
    new: float
    share: float
    p: float
    words: str


@dataclass(frozen=True, slots=True)
class Drift:
    """What differs.

    Attributes
    ----------
    reference, new
        What was compared, by name.
    counts
        Of either, the crops that the model's checks pass.
    refused
        Of either, the share of all crops that the checks refuse; ``None``: nothing was checked.
    refused_of
        How many those are in each new sample.
    whole_samples
        Whether p is of whole samples divided by chance, or of crops.
    permutations
        How often they were.
    test
        Of the embeddings.
    measures
        All, the most moved first.
    chart
        New samples against the reference's share of normal sperm.
    reference_chart
        The reference's own samples against the same; empty if it is one sample.
    alpha
        From which p down something counts as moved.
    """

    reference: str
    new: str
    counts: tuple[Counts, Counts]
    refused: tuple[Proportion, Proportion] | None
    refused_of: Mapping[str, int]
    whole_samples: bool
    permutations: int
    test: TwoSample
    measures: tuple[Measure, ...]
    chart: Chart
    reference_chart: Chart
    alpha: float

    @property
    def model_moved(self) -> bool:
        """Whether the embeddings moved: what the model sees."""
        return self.test.p <= self.alpha

    @property
    def moved_measures(self) -> tuple[Measure, ...]:
        """Measures that moved."""
        return tuple(measure for measure in self.measures if measure.p <= self.alpha)

    @property
    def moved(self) -> bool:
        """Whether the embeddings or any measure moved; false alarms are up to twice ``alpha``."""
        return self.model_moved or bool(self.moved_measures)

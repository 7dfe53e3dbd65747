"""A control chart of the percentage normal: samples further off than counting explains.

A p-chart (Shewhart 1931; ISO 7870-2): the centre is the reference's share, the limits are three
standard deviations of a binomial share away. Where a sample is too small for that, that is where
``n p (1 - p)`` is below :data:`NORMAL_FROM`, the limits are the exact binomial ones that leave as
much outside (0.135 %) on either side.

The limits are for material that is the same each time, such as a control preparation, or pooled
samples. Samples of different patients differ by more than counting explains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

from androscope.assessment.sample import Proportion, proportion
from androscope.assessment.tally import Counts

__all__ = ["NORMAL_FROM", "Chart", "ChartPoint", "control_chart", "limits"]

#: Binomial variance from which the limits are three standard deviations.
NORMAL_FROM = 9.0

#: Outside three standard deviations, on one side.
_TAIL = NormalDist().cdf(-3)


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One sample: its counts and its limits, as shares; a sample without a decided sperm has none.

    Attributes
    ----------
    exact
        Whether the limits are the exact binomial ones.
    """

    name: str
    counts: Counts
    low: float | None
    high: float | None
    exact: bool

    @property
    def share(self) -> float | None:
        """Normal, of those decided."""
        return self.counts.fraction_normal.fraction

    @property
    def out(self) -> bool:
        """Whether the share is outside the limits."""
        if self.share is None or self.low is None or self.high is None:
            return False
        return not self.low - 1e-12 <= self.share <= self.high + 1e-12


@dataclass(frozen=True, slots=True)
class Chart:
    """Samples in order, and the reference's share, with its interval, as the centre."""

    centre: Proportion
    points: tuple[ChartPoint, ...]

    @property
    def out(self) -> tuple[ChartPoint, ...]:
        """Samples outside their limits."""
        return tuple(point for point in self.points if point.out)


def control_chart(reference: Counts, samples: Sequence[tuple[str, Counts]]) -> Chart:
    """Put samples against a reference; undecided sperm are in neither.

    Raises
    ------
    ValueError
        If no sperm of the reference was decided.
    """
    centre = proportion(reference.normal, reference.decided)
    if centre.fraction is None:
        raise ValueError("expected decided sperm in the reference, got none")
    points = []
    for name, counts in samples:
        if counts.decided:
            low, high, exact = limits(centre.fraction, counts.decided)
            points.append(ChartPoint(name, counts, low, high, exact))
        else:
            points.append(ChartPoint(name, counts, None, None, False))
    return Chart(centre, tuple(points))


def limits(p: float, n: int) -> tuple[float, float, bool]:
    """Limits of the share of ``n`` sperm where ``p`` is expected, and whether they are exact.

    Raises
    ------
    ValueError
        If ``p`` is outside 0 to 1, or ``n`` below 1.
    """
    if not 0 <= p <= 1 or n < 1:
        raise ValueError(f"expected 0 <= p <= 1 and n >= 1, got {p} and {n}")
    variance = n * p * (1 - p)
    if variance >= NORMAL_FROM:
        around = 3 * sqrt(variance) / n
        return max(0.0, p - around), min(1.0, p + around), False
    return _least(p, n) / n, 1 - _least(1 - p, n) / n, True


def _least(p: float, n: int) -> int:
    """The smallest count that is not among the lowest 0.135 % of a binomial."""
    if p in (0.0, 1.0):
        return round(p * n)
    below = 0.0
    for count in range(n + 1):
        below += exp(
            lgamma(n + 1) - lgamma(count + 1) - lgamma(n - count + 1)
            + count * log(p) + (n - count) * log1p(-p)
        )  # fmt: skip
        if below > _TAIL:
            return count
    return n

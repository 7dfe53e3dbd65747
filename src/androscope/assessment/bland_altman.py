"""Percentages of samples by two observers: mean difference and limits of agreement.

Bland & Altman 1986, Lancet i, 307-310; intervals of the limits as in their 1999 paper, Stat.
Methods Med. Res. 8, 135-160, section 2.3: the variance of a limit is
``s² (1/n + 1.96² / (2 (n - 1)))``, with Student's t for few samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin, sqrt
from statistics import NormalDist, mean, stdev

from androscope.assessment.observers import Estimate

__all__ = ["FEWEST", "FURTHEST", "BlandAltman", "SamplePair", "bland_altman", "t_quantile"]

#: Samples without which no limits are given: a standard deviation of two differences is noise.
FEWEST = 3
#: Percentages cannot differ by more, points; the formulas know nothing of that.
FURTHEST = 100.0


@dataclass(frozen=True, slots=True)
class SamplePair:
    """One sample by two observers: how many of ``n`` sperm each called normal."""

    name: str
    n: int
    normal_a: int
    normal_b: int

    @property
    def percent_a(self) -> float:
        """% normal by A."""
        return 100 * self.normal_a / self.n

    @property
    def percent_b(self) -> float:
        """% normal by B."""
        return 100 * self.normal_b / self.n

    @property
    def difference(self) -> float:
        """B minus A, percentage points."""
        return 100 * (self.normal_b - self.normal_a) / self.n

    @property
    def average(self) -> float:
        """Of both, %."""
        return 50 * (self.normal_b + self.normal_a) / self.n


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """Samples compared; all in percentage points, B minus A.

    Attributes
    ----------
    samples
        At least one sperm each, decided by both.
    bias
        Mean difference and its 95 % interval. It, the limits and their intervals end at
        :data:`FURTHEST`; an interval that lies beyond it whole is left out.
    lower, upper
        Limits of agreement, between which 95 % of differences are expected to lie, each with its
        95 % interval. Without a value where there are fewer than :data:`FEWEST` samples.
    deviation
        Standard deviation of the differences.
    """

    samples: tuple[SamplePair, ...]
    bias: Estimate
    lower: Estimate
    upper: Estimate
    deviation: float | None


def bland_altman(samples: Sequence[SamplePair]) -> BlandAltman:
    """Compare the percentages of samples."""
    kept = tuple(sample for sample in samples if sample.n)
    differences = [sample.difference for sample in kept]
    n = len(differences)
    nothing = Estimate(None)
    if n < FEWEST:
        bias = Estimate(mean(differences)) if n else nothing
        return BlandAltman(kept, bias, nothing, nothing, None)
    centre, s = mean(differences), stdev(differences)
    z, t = NormalDist().inv_cdf(0.975), t_quantile(0.975, n - 1)
    around = t * s / sqrt(n)
    wide = t * s * sqrt(1 / n + z**2 / (2 * (n - 1)))

    def limit(sign: int) -> Estimate:
        value = centre + sign * z * s
        return _ended(value, wide)

    bias = _ended(centre, around)
    return BlandAltman(kept, bias, limit(-1), limit(1), s)


def _ended(value: float, half: float) -> Estimate:
    low, middle, high = (
        min(max(end, -FURTHEST), FURTHEST) for end in (value - half, value, value + half)
    )
    # A width of 0 that only the end of the scale makes would look like certainty.
    return Estimate(middle) if half and low == high else Estimate(middle, low, high)


def t_quantile(p: float, freedom: int) -> float:
    """Give Student's t with distribution function ``p`` (0.5 to below 1), ``freedom`` whole.

    The distribution function in closed form (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4), halved
    down to the last digits: scipy has it, and 30 MB behind it.
    """
    if not 0.5 <= p < 1 or freedom < 1:
        raise ValueError(f"expected 0.5 <= p < 1 and freedom >= 1, got {p} and {freedom}")
    low, high = 0.0, pi / 2
    # Over the angle atan(t / sqrt(freedom)), which is bounded where t is not.
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 + _within(middle, freedom)) / 2 < p else (low, middle)
    angle = (low + high) / 2
    return sqrt(freedom) * sin(angle) / cos(angle)


def _within(angle: float, freedom: int) -> float:
    """Probability of -t to t."""
    c, s = cos(angle), sin(angle)
    odd = freedom % 2
    term = c if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= (k - 1) / k * c * c
        total += term
    return 2 / pi * (angle + s * total) if odd else s * total

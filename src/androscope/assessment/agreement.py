"""Do two replicates agree? By the table that WHO publishes, and by nothing else.

The table (WHO laboratory manual for the examination and processing of human semen, 5th ed. 2010,
table 2.1) gives the largest difference between two percentages that chance explains, for their
average, when 200 sperm were counted in each of two replicates. The normal approximation to the
binomial, ``1.96 sqrt(2 p (100 - p) / 200)``, differs from it at many averages and is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor

__all__ = ["ACCEPTABLE", "SPERM_OF_THE_TABLE", "Comparison", "acceptable_difference", "compare"]

#: Last whole average of each row, %, and the difference that is accepted, percentage points.
ACCEPTABLE: tuple[tuple[int, int], ...] = (
    (0, 1), (1, 2), (2, 3), (4, 4), (7, 5), (11, 6), (16, 7), (23, 8), (34, 9), (65, 10),
    (76, 9), (83, 8), (88, 7), (92, 6), (95, 5), (97, 4), (98, 3), (99, 2), (100, 1),
)  # fmt: skip

#: Sperm in each replicate for which the table was made.
SPERM_OF_THE_TABLE = 200


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two percentages held against the table.

    Attributes
    ----------
    first, second
        %, exact.
    average
        Of the two, as a whole number, halves rounded up: the row of the table.
    limit
        The largest difference that is accepted, percentage points.
    """

    first: Fraction
    second: Fraction
    average: int
    limit: int

    @property
    def difference(self) -> Fraction:
        """Between the two, percentage points, exact."""
        return abs(self.first - self.second)

    @property
    def agree(self) -> bool:
        """Whether the difference is within the limit."""
        return self.difference <= self.limit


def acceptable_difference(average: int) -> int:
    """Give the largest accepted difference for an average, both in whole percent.

    Raises
    ------
    ValueError
        If the average is outside 0 to 100.
    """
    if not 0 <= average <= 100:
        raise ValueError(f"an average must be between 0 and 100 percent, got {average}")
    return next(limit for last, limit in ACCEPTABLE if average <= last)


def compare(first: tuple[int, int], second: tuple[int, int]) -> Comparison:
    """Compare two replicates.

    Parameters
    ----------
    first, second
        ``(count, n)`` of each, ``0 <= count <= n`` and ``n >= 1``. Percentages are kept exact, so
        that no rounding decides.

    Raises
    ------
    ValueError
        If the arguments are outside their ranges.
    """
    percents = []
    for count, n in (first, second):
        if n < 1 or not 0 <= count <= n:
            raise ValueError(f"expected 0 <= count <= n and n >= 1, got count {count} of n {n}")
        percents.append(Fraction(100 * count, n))
    average = floor(sum(percents, Fraction()) / 2 + Fraction(1, 2))
    return Comparison(percents[0], percents[1], average, acceptable_difference(average))

"""A fraction of a sample, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

__all__ = ["Proportion", "proportion", "wilson_interval"]


@dataclass(frozen=True, slots=True)
class Proportion:
    """``count`` of ``n``, and the interval of the fraction; ``None`` where ``n`` is 0."""

    count: int
    n: int
    fraction: float | None
    low: float | None
    high: float | None


def wilson_interval(count: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Give Wilson's score interval for ``count`` of ``n``.

    With ``p = count / n`` and ``z`` the normal quantile of ``(1 + confidence) / 2``, the interval
    is ``(p + z²/2n ± z sqrt(p(1 - p)/n + z²/4n²)) / (1 + z²/n)``: Wilson 1927, J. Am. Stat. Assoc.
    22, 209-212, doi 10.1080/01621459.1927.10502953. It keeps its coverage for fractions near 0
    and 1 and for small ``n``, where the textbook interval does not (Brown, Cai & DasGupta 2001,
    Stat. Sci. 16, 101-133).

    Parameters
    ----------
    count, n
        ``0 <= count <= n`` and ``n >= 1``.
    confidence
        Between 0 and 1.

    Returns
    -------
    tuple
        Low and high end, within 0 to 1.

    Raises
    ------
    ValueError
        If the arguments are outside their ranges.
    """
    if n < 1 or not 0 <= count <= n:
        raise ValueError(f"expected 0 <= count <= n and n >= 1, got count {count} of n {n}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    p = count / n
    centre = p + z2 / (2 * n)
    half = sqrt(z2) * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    scale = 1 + z2 / n
    # At the ends the formula gives 0 and 1 exactly; rounding must not push it outside or inside.
    low = 0.0 if count == 0 else (centre - half) / scale
    high = 1.0 if count == n else (centre + half) / scale
    return low, high


def proportion(count: int, n: int) -> Proportion:
    """``count`` of ``n`` with its 95% Wilson interval; no fraction where ``n`` is 0."""
    if n == 0:
        return Proportion(count, n, None, None, None)
    low, high = wilson_interval(count, n)
    return Proportion(count, n, count / n, low, high)

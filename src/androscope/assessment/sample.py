"""From single verdicts to a sample: how many, what fraction, and how sure that fraction is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from androscope.types import Assessment, Verdict

__all__ = ["Proportion", "Sample", "proportion", "summarise", "wilson_interval"]


@dataclass(frozen=True, slots=True)
class Proportion:
    """``count`` of ``n``, and the interval of the fraction; ``None`` where ``n`` is 0."""

    count: int
    n: int
    fraction: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Sample:
    """A set of assessed sperm.

    Attributes
    ----------
    n
        How many were assessed.
    abnormal
        For each label, how many were abnormal.
    all_normal
        How many had every assessed part normal.
    """

    n: int
    abnormal: dict[str, Proportion]
    all_normal: Proportion


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


def summarise(assessments: Iterable[Assessment], labels: Sequence[str]) -> Sample:
    """Count verdicts over a sample, with 95% Wilson intervals.

    The intervals speak of the sampling of sperm alone. They take each verdict as right and each
    sperm as independent of the others; the model's own errors, which its card states, come on top.

    Parameters
    ----------
    assessments
        Any number, all with these labels.
    labels
        The labels to count, in order.

    Raises
    ------
    KeyError
        If an assessment lacks a label.
    """
    n = all_normal = 0
    abnormal = dict.fromkeys(labels, 0)
    for assessment in assessments:
        verdicts = {label: assessment[label].verdict for label in labels}
        for label, verdict in verdicts.items():
            abnormal[label] += verdict is Verdict.ABNORMAL
        all_normal += all(v is Verdict.NORMAL for v in verdicts.values())
        n += 1
    return Sample(
        n=n,
        abnormal={label: proportion(count, n) for label, count in abnormal.items()},
        all_normal=proportion(all_normal, n),
    )


def proportion(count: int, n: int) -> Proportion:
    """``count`` of ``n`` with its 95% Wilson interval; no fraction where ``n`` is 0."""
    if n == 0:
        return Proportion(count, n, None, None, None)
    low, high = wilson_interval(count, n)
    return Proportion(count, n, count / n, low, high)

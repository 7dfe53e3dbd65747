"""Two observers of the same sperm, or an observer and a model: how far they say the same.

Verdicts are int8 arrays: 0 normal, 1 abnormal, -1 undecided or blank. All of it holds for sperm
that are independent of one another; sperm of one patient are alike, so that intervals are rather
too narrow than too wide.

Sources
-------
Kappa
    Cohen 1960, Educ. Psychol. Meas. 20, 37-46. Its large-sample variance: Fleiss, Cohen & Everitt
    1969, Psychol. Bull. 72, 323-327, equation 13.
PABAK, prevalence and bias index
    Byrt, Bishop & Carlin 1993, J. Clin. Epidemiol. 46, 423-429.
Kappa of several observers
    Fleiss 1971, Psychol. Bull. 76, 378-382.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.assessment.sample import Proportion, proportion
from androscope.types import ABNORMAL, NORMAL

__all__ = ["UNDECIDED", "Estimate", "Pair", "compare_pair", "fleiss_kappa", "whole_sperm"]

#: Neither normal nor abnormal: undecided, blank, or not looked at.
UNDECIDED = -1

Verdicts = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its 95 % interval; ``None`` where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Second observer (B) against the first (A), on sperm of which both decided.

    Attributes
    ----------
    both_normal, only_b_abnormal, only_a_abnormal, both_abnormal
        The 2x2 table.
    undecided
        Sperm that both looked at and one or both did not decide; they are in nothing else.
    agreement
        Share of which both say the same, with Wilson's interval.
    kappa
        Cohen's; no value if both say one and the same thing of all sperm, no interval if they agree
        on every one, or if one of them says one thing of all (kappa is then 0 whatever the other
        says): the formula gives a width of 0, which is surer than anyone can be.
    pabak
        ``2 agreement - 1``: what kappa would be if both classes were equally frequent and both
        observers called as many abnormal. ``None`` without sperm.
    prevalence, bias
        The two reasons why kappa falls below it, each -1 to 1: ``(normal by both - abnormal by
        both) / n``, and ``(abnormal by B alone - by A alone) / n``.
    sensitivity, specificity
        Of what A calls abnormal, the share B calls abnormal too; of A's normal, B's normal.
    """

    both_normal: int
    only_b_abnormal: int
    only_a_abnormal: int
    both_abnormal: int
    undecided: int

    @property
    def n(self) -> int:
        """Sperm of which both decided."""
        return self.both_normal + self.only_b_abnormal + self.only_a_abnormal + self.both_abnormal

    @property
    def agreement(self) -> Proportion:
        """Of which both say the same."""
        return proportion(self.both_normal + self.both_abnormal, self.n)

    @property
    def kappa(self) -> Estimate:
        """Cohen's, with its interval."""
        return _kappa(
            np.array(
                [
                    [self.both_normal, self.only_b_abnormal],
                    [self.only_a_abnormal, self.both_abnormal],
                ]
            )
        )

    @property
    def pabak(self) -> float | None:
        """Prevalence- and bias-adjusted kappa."""
        share = self.agreement.fraction
        return None if share is None else 2 * share - 1

    @property
    def prevalence(self) -> float | None:
        """Index of prevalence: towards 1 the rarer is abnormal."""
        return (self.both_normal - self.both_abnormal) / self.n if self.n else None

    @property
    def bias(self) -> float | None:
        """Index of bias: above 0 B calls more abnormal than A."""
        return (self.only_b_abnormal - self.only_a_abnormal) / self.n if self.n else None

    @property
    def sensitivity(self) -> Proportion:
        """Of A's abnormal, B's abnormal."""
        return proportion(self.both_abnormal, self.both_abnormal + self.only_a_abnormal)

    @property
    def specificity(self) -> Proportion:
        """Of A's normal, B's normal."""
        return proportion(self.both_normal, self.both_normal + self.only_b_abnormal)


def compare_pair(a: ArrayLike, b: ArrayLike) -> Pair:
    """Compare verdicts ``(N,)`` of two observers on the same sperm.

    Raises
    ------
    ValueError
        If the shapes differ, or a value is not -1, 0 or 1.
    """
    first, second = _checked(a), _checked(b)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"expected two rows of one length, got {first.shape} and {second.shape}")
    decided = (first != UNDECIDED) & (second != UNDECIDED)
    one, other = first[decided], second[decided]

    def count(by_a: int, by_b: int) -> int:
        return int(np.sum((one == by_a) & (other == by_b)))

    return Pair(
        both_normal=count(NORMAL, NORMAL),
        only_b_abnormal=count(NORMAL, ABNORMAL),
        only_a_abnormal=count(ABNORMAL, NORMAL),
        both_abnormal=count(ABNORMAL, ABNORMAL),
        undecided=int((~decided).sum()),
    )


def whole_sperm(verdicts: ArrayLike) -> Verdicts:
    """Verdicts on whole sperm, ``(..., L)`` to ``(...,)``, as :func:`~.tally.overall` gives them.

    Abnormal if any part is; normal if all are; else undecided.
    """
    parts = _checked(verdicts)
    whole = np.where((parts == NORMAL).all(axis=-1), NORMAL, UNDECIDED)
    return np.where((parts == ABNORMAL).any(axis=-1), ABNORMAL, whole).astype(np.int8)


def fleiss_kappa(verdicts: ArrayLike, *, resamples: int = 2000, seed: int = 0) -> Estimate:
    """Fleiss's kappa of several observers, on sperm that all of them decided.

    Parameters
    ----------
    verdicts
        ``(R, N)`` of R observers, two at least. Sperm that any left undecided are left out.
    resamples, seed
        Of the bootstrap over sperm, whose percentiles are the interval (Efron & Tibshirani 1993,
        chapter 13). Draws that hold one class alone have no kappa and are left out.

    Returns
    -------
    Estimate
        No value if there is no such sperm, or one class alone; no interval if all agree on all.
    """
    given = _checked(verdicts)
    if given.ndim != 2 or len(given) < 2:
        raise ValueError(f"expected verdicts of two observers at least, got {given.shape}")
    decided = given[:, (given != UNDECIDED).all(axis=0)]
    raters, n = decided.shape
    abnormal = (decided == ABNORMAL).sum(axis=0).astype(np.float64)
    value = _fleiss(np.ones((1, n)), abnormal, raters)[0] if n else np.nan
    if np.isnan(value):
        return Estimate(None)
    if value == 1:
        return Estimate(1.0)
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), resamples)
    drawn = _fleiss(weights.astype(np.float64), abnormal, raters)
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Estimate(float(value), float(low), float(high))


def _fleiss(
    weights: NDArray[np.float64], abnormal: NDArray[np.float64], raters: int
) -> NDArray[np.float64]:
    """Kappa of each draw; ``weights`` is ``(draws, N)``: how often each sperm was drawn."""
    n = weights.sum(axis=1)
    normal = raters - abnormal
    same = (abnormal * (abnormal - 1) + normal * (normal - 1)) / (raters * (raters - 1))
    observed = weights @ same / n
    share = weights @ abnormal / (n * raters)
    expected = share**2 + (1 - share) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = (observed - expected) / (1 - expected)
    found[(share == 0) | (share == 1)] = np.nan
    return found


def _kappa(table: NDArray[np.int64]) -> Estimate:
    n = table.sum()
    if not n:
        return Estimate(None)
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float(np.trace(p)), float(rows @ columns)
    # One class alone: agreement by chance is already whole.
    if n in (table[0, 0], table[1, 1]):
        return Estimate(None)
    if observed == 1:
        return Estimate(1.0)
    if not (rows.all() and columns.all()):
        return Estimate(0.0)
    kappa = (observed - expected) / (1 - expected)
    on = sum(p[i, i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in range(2))
    off = sum(p[i, j] * (columns[i] + rows[j]) ** 2 for i in range(2) for j in range(2) if i != j)
    variance = on + (1 - kappa) ** 2 * off - (kappa - expected * (1 - kappa)) ** 2
    half = NormalDist().inv_cdf(0.975) * sqrt(max(variance, 0) / n) / (1 - expected)
    return Estimate(kappa, max(kappa - half, -1.0), min(kappa + half, 1.0))


def _checked(values: ArrayLike) -> Verdicts:
    given = np.asarray(values)
    if not np.isin(given, (UNDECIDED, NORMAL, ABNORMAL)).all():
        raise ValueError("expected verdicts of 0 (normal), 1 (abnormal) or -1 (undecided)")
    return given.astype(np.int8)

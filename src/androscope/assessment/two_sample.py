"""Whether two sets of crops come from one source: a kernel test of embeddings, ranks of measures.

Both are permutation tests, which hold for any number of crops, over the same divisions. Crops of
one sample are alike, so where there are samples enough whole samples are divided, and crops only
where there are not.

Sources
-------
MMD
    Gretton et al. 2012, "A kernel two-sample test", J. Mach. Learn. Res. 13, 723-773: the unbiased
    estimator of the squared maximum mean discrepancy (equation 3), with a Gaussian kernel whose
    width is the median distance.
p
    ``(1 + as large or larger) / (1 + divisions)``: Phipson & Smyth 2010, Stat. Appl. Genet. Mol.
    Biol. 9, 39.
Ranks
    Mann & Whitney 1947, Ann. Math. Stat. 18, 50-60. Several measures at once by the largest of them
    in each division: Westfall & Young 1993, "Resampling-based multiple testing".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Divisions", "Ranks", "TwoSample", "divide", "mmd_test", "rank_tests"]

FloatMatrix = NDArray[np.float64]

#: Ways to divide whole samples, without which crops are divided. Where both sets have as many
#: samples each way counts twice, exchanged too, so p cannot fall below 2 in so many.
FEWEST_DIVISIONS = 400


@dataclass(frozen=True, slots=True)
class TwoSample:
    """What the kernel test says.

    Attributes
    ----------
    reference, new
        How many crops were compared.
    mmd2
        The squared discrepancy; 0 on average, and as often below, if nothing moved.
    p
        Probability of as large a one if crops or samples were divided by chance.
    separation
        The size of the effect: the chance that of a new and a reference crop the new one looks
        more like the other new ones; 0.5 if they cannot be told apart, 1 if always.
    bandwidth
        Of the kernel, in the embedding's units.
    """

    reference: int
    new: int
    mmd2: float
    p: float
    separation: float
    bandwidth: float


@dataclass(frozen=True, slots=True)
class Ranks:
    """Two sets of one measure compared by ranks.

    Attributes
    ----------
    share
        Share of pairs of crops in which the new value is the larger; equal ones count half.
    p
        Two-sided, corrected for the number of measures.
    """

    share: float
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class Divisions:
    """Divisions into reference and new by chance.

    Attributes
    ----------
    is_new
        ``(B, M + N)``, reference crops first: who is new in each division.
    whole_samples
        Whether samples were kept whole.
    """

    is_new: NDArray[np.bool_]
    whole_samples: bool

    def __len__(self) -> int:
        return len(self.is_new)


def divide(
    reference: Sequence[str], new: Sequence[str], *, permutations: int = 999, seed: int = 0
) -> Divisions:
    """Divide crops, or whole samples where there are enough of them.

    Parameters
    ----------
    reference, new
        Of which sample each crop is, ``(M,)`` and ``(N,)``; two crops of each at least. A name
        found in both stands for two samples.
    """
    m, n = len(reference), len(new)
    if min(m, n) < 2:
        raise ValueError(f"expected two crops of each at least, got {m} and {n}")
    names = [f"r{name}" for name in reference] + [f"n{name}" for name in new]
    units, member = np.unique(names, return_inverse=True)
    chosen = len(set(new))
    whole = comb(len(units), chosen) >= FEWEST_DIVISIONS and chosen < m + n
    if not whole or len(units) == m + n:
        units, member, chosen, whole = np.array(names), np.arange(m + n), n, False
    draw = np.random.default_rng(seed)
    divided: list[NDArray[np.bool_]] = []
    while len(divided) < permutations:
        drawn = np.zeros(len(units), dtype=bool)
        drawn[draw.permutation(len(units))[:chosen]] = True
        mask = drawn[member]
        if 2 <= mask.sum() <= m + n - 2:
            divided.append(mask)
    return Divisions(np.array(divided), whole)


def mmd_test(reference: ArrayLike, new: ArrayLike, divisions: Divisions) -> TwoSample:
    """Test whether embeddings ``(M, D)`` and ``(N, D)`` differ.

    Memory and time go with ``(M + N)²``.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a value is not finite.
    """
    one, other = (np.asarray(a, dtype=np.float64) for a in (reference, new))
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1]:
        raise ValueError(f"expected (M, D) and (N, D), got {one.shape} and {other.shape}")
    _fits(len(one) + len(other), divisions)
    kernel, bandwidth = _kernel(np.concatenate([one, other]))
    is_new = np.arange(len(kernel)) >= len(one)
    found = float(_mmd2(kernel, is_new[None])[0])
    return TwoSample(
        reference=len(one),
        new=len(other),
        mmd2=found,
        p=_p(found, _mmd2(kernel, divisions.is_new)),
        separation=_separation(kernel, is_new),
        bandwidth=bandwidth,
    )


def rank_tests(
    reference: Mapping[str, ArrayLike], new: Mapping[str, ArrayLike], divisions: Divisions
) -> dict[str, Ranks]:
    """Compare measures, each ``(M,)`` and ``(N,)``; p is corrected for their number.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    both = {name: np.concatenate([reference[name], new[name]]) for name in reference}
    for values in both.values():
        _fits(len(values), divisions)
    m = len(np.ravel(next(iter(reference.values()))))
    ranks = np.array([_ranks(values) for values in both.values()])
    is_new = np.arange(ranks.shape[1]) >= m
    shares = _shares(ranks, is_new[None])[0]
    drawn = np.abs(_shares(ranks, divisions.is_new) - 0.5).max(axis=1)
    return {
        name: Ranks(float(share), _p(abs(float(share) - 0.5), drawn))
        for name, share in zip(both, shares, strict=True)
    }


def _fits(crops: int, divisions: Divisions) -> None:
    if divisions.is_new.shape[1] != crops:
        raise ValueError(f"expected {divisions.is_new.shape[1]} crops, got {crops}")


def _kernel(points: FloatMatrix) -> tuple[FloatMatrix, float]:
    if not np.isfinite(points).all():
        raise ValueError("expected finite embeddings")
    points = points - points.mean(axis=0)  # smaller numbers, fewer digits lost below
    norms = (points**2).sum(axis=1)
    squared = np.maximum(norms[:, None] + norms - 2 * points @ points.T, 0)
    np.fill_diagonal(squared, 0)
    width = float(np.median(np.sqrt(squared[np.triu_indices(len(points), 1)])))
    if width == 0:
        width = float(np.sqrt(squared.max())) or 1.0  # most crops are copies of one another
    return np.exp(-squared / (2 * width**2)), width


def _mmd2(kernel: FloatMatrix, is_new: NDArray[np.bool_]) -> FloatMatrix:
    """Equation 3 for each row of ``is_new`` ``(draws, M + N)``; the kernel's diagonal is 1."""
    mask = is_new.astype(np.float64)
    n = mask.sum(axis=1)
    m = mask.shape[1] - n
    new_new = np.einsum("dn,dn->d", mask @ kernel, mask)
    new_all = mask @ kernel.sum(axis=1)
    reference_reference = kernel.sum() - 2 * new_all + new_new
    found: FloatMatrix = (
        (reference_reference - m) / (m * (m - 1))
        + (new_new - n) / (n * (n - 1))
        - 2 * (new_all - new_new) / (m * n)
    )
    return found


def _p(found: float, drawn: FloatMatrix) -> float:
    # Rounding must not tell a permutation apart that changes nothing.
    return float((1 + np.sum(drawn >= found - 1e-12)) / (1 + len(drawn)))


def _separation(kernel: FloatMatrix, is_new: NDArray[np.bool_]) -> float:
    to_new = kernel @ is_new - is_new  # without itself
    to_reference = kernel @ ~is_new - ~is_new
    n, m = is_new.sum(), (~is_new).sum()
    newness = to_new / (n - is_new) - to_reference / (m - ~is_new)
    share = _shares(_ranks(newness)[None], is_new[None])[0, 0]
    # Leaving a crop out moves its own set away from it: where nothing differs the share falls below
    # a half, which says no more than a half does.
    return max(0.5, float(share))


def _ranks(values: FloatMatrix) -> FloatMatrix:
    """Ranks from 1; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: FloatMatrix = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks


def _shares(ranks: FloatMatrix, is_new: NDArray[np.bool_]) -> FloatMatrix:
    """Share of pairs in which the new value is the larger: ``(K, M + N)`` to ``(draws, K)``."""
    n = is_new.sum(axis=1, keepdims=True).astype(np.float64)
    m = is_new.shape[1] - n
    found: FloatMatrix = (is_new.astype(np.float64) @ ranks.T - n * (n + 1) / 2) / (m * n)
    return found

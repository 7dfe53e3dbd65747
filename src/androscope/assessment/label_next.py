"""Which crops to label next: those the model doubts, and no two alike.

Ash, Zhang, Krishnamurthy, Langford & Agarwal 2020, *Deep batch active learning by diverse,
uncertain gradient lower bounds* (BADGE), ICLR. If a crop bore the label that the model gives it,
the gradient of the loss in the last layer would be ``(p - y) e``, with the probability ``p``, that
label ``y`` and the embedding ``e``: long where the model doubts, and pointing where the crop lies.
The crops to label are seeded among these gradients as k-means++ does (Arthur & Vassilvitskii 2007),
each drawn with a chance that goes by the squared distance to the nearest one chosen before. Here a
crop has several labels, and its gradient is that of all of them side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Pick", "doubt", "gradients", "rank"]

Vector = NDArray[np.float64]

_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Pick:
    """One crop to label.

    Attributes
    ----------
    row
        Of the crop among those given.
    doubt
        From 0, sure of every label, to 1, at the threshold of each: the mean over the labels.
    novelty
        Its distance to the nearest crop chosen before, 1 for the first one's own length.
    """

    row: int
    doubt: float
    novelty: float


@dataclass(frozen=True, slots=True, eq=False)
class _Gradients:
    """``(N, L)`` and ``(N, D)``, of which each crop's gradient is the product, row by row."""

    errors: Vector
    places: Vector

    def lengths(self) -> Vector:
        """Squared, ``(N,)``."""
        found: Vector = (self.errors**2).sum(axis=1) * (self.places**2).sum(axis=1)
        return found

    def products(self, error: Vector, place: Vector) -> Vector:
        """Of every gradient with one, ``(N,)``; the long vectors themselves are never made."""
        found: Vector = (self.errors @ error) * (self.places @ place)
        return found


def doubt(probabilities: ArrayLike, thresholds: ArrayLike) -> Vector:
    """Give each label's doubt ``(N, L)``: 0 where the model is sure, 1 at the threshold.

    Twice the distance of the probability to the nearer end, after moving its logit so that the
    threshold lies at 0.5.
    """
    p = _moved(probabilities, thresholds)
    found: Vector = 2 * np.minimum(p, 1 - p)
    return found


def gradients(
    probabilities: ArrayLike,
    thresholds: ArrayLike,
    embeddings: ArrayLike,
    centre: Vector | None = None,
    scale: float | None = None,
) -> tuple[_Gradients, Vector, float]:
    """Give the factors of each crop's gradient, and how embeddings were centred and scaled.

    Embeddings are centred and scaled to a mean squared length of 1, with a 1 behind them for the
    bias: else what all crops have in common would count for more than what tells them apart.
    """
    p = _moved(probabilities, thresholds)
    e = np.asarray(embeddings, dtype=np.float64)
    centre = e.mean(axis=0) if centre is None else centre
    moved = e - centre
    scale = float(np.sqrt((moved**2).sum(axis=1).mean())) or 1.0 if scale is None else scale
    places = np.hstack([moved / scale, np.ones((len(e), 1))])
    return _Gradients(p - (p >= 0.5), places), centre, scale


def rank(
    probabilities: ArrayLike,
    thresholds: ArrayLike,
    embeddings: ArrayLike,
    count: int,
    *,
    labelled: tuple[ArrayLike, ArrayLike] | None = None,
    seed: int = 0,
) -> tuple[Pick, ...]:
    """Choose ``count`` crops, or all there are, the first to label first.

    Parameters
    ----------
    probabilities
        ``(N, L)``: of abnormal, 0 to 1.
    thresholds
        ``(L,)``: from which a part is abnormal.
    embeddings
        ``(N, D)``.
    labelled
        Probabilities ``(M, L)`` and embeddings ``(M, D)`` of crops that are labelled already: what
        lies near them is not chosen early.
    seed
        Of the draws; the first crop is the one of the longest gradient.

    Raises
    ------
    ValueError
        If shapes do not fit or ``count`` is below 1.
    """
    p, e = np.asarray(probabilities, np.float64), np.asarray(embeddings, np.float64)
    if p.ndim != 2 or e.ndim != 2 or len(p) != len(e):
        raise ValueError(f"expected (N, L) and (N, D), got {p.shape} and {e.shape}")
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    draw = np.random.default_rng(seed)
    own, centre, scale = gradients(p, thresholds, e)
    lengths = own.lengths()
    unit = float(np.sqrt(lengths.max(initial=0.0))) or 1.0
    nearest = np.full(len(p), np.inf)
    if labelled is not None:
        other, _, _ = gradients(labelled[0], thresholds, labelled[1], centre, scale)
        theirs = other.lengths()
        for row in range(len(theirs)):
            products = own.products(other.errors[row], other.places[row])
            nearest = np.minimum(nearest, lengths + theirs[row] - 2 * products)
    doubts = doubt(p, thresholds).mean(axis=1)
    free = np.ones(len(p), dtype=bool)
    picks: list[Pick] = []
    for _ in range(min(count, len(p))):
        row = _next(nearest, lengths, free, draw)
        novelty = np.sqrt(max(0.0, min(float(nearest[row]), float(lengths[row])))) / unit
        picks.append(Pick(row, float(doubts[row]), float(novelty)))
        free[row] = False
        products = own.products(own.errors[row], own.places[row])
        nearest = np.minimum(nearest, lengths + lengths[row] - 2 * products)
    return tuple(picks)


def _next(
    nearest: Vector, lengths: Vector, free: NDArray[np.bool_], draw: np.random.Generator
) -> int:
    rows = np.flatnonzero(free)
    if not np.isfinite(nearest[rows]).all():
        return int(rows[np.argmax(lengths[rows])])  # none is chosen yet
    weights = np.maximum(nearest[rows], 0)
    total = weights.sum()
    if total <= 1e-12 * max(float(lengths.max()), 1e-300):
        return int(rows[np.argmax(lengths[rows])])  # all that is left is like what was chosen
    return int(draw.choice(rows, p=weights / total))


def _moved(probabilities: ArrayLike, thresholds: ArrayLike) -> Vector:
    p = np.clip(np.asarray(probabilities, np.float64), _EDGE, 1 - _EDGE)
    t = np.asarray(thresholds, np.float64)
    z = np.log(p) - np.log1p(-p) - (np.log(t) - np.log1p(-t))
    found: Vector = 1 / (1 + np.exp(-z))
    return found

"""What can be fitted to a few dozen crops: a slope, an intercept, and weights on the embedding.

The new logit of one label is ``slope * z + weights . e + intercept``, where ``z`` is the logit of
the bundle's own probability and ``e`` the embedding. Recalibrating leaves the weights at zero
(Platt 1999). With weights the branch is fitted anew, yet starts from the old one: few crops say
little against it, and with none the answer would be the bundle's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from androscope.learning.adapt.losses import log_losses
from androscope.learning.adapt.parts import label_parts

__all__ = [
    "PENALTIES",
    "Head",
    "fit_branch",
    "fit_logistic",
    "logit",
    "recalibrate",
    "sigmoid",
    "turned",
]

Vector = NDArray[np.float64]

#: Probabilities are kept this far from 0 and 1 before their logit is taken: float32 knows no
#: nearer neighbour of 1 than 6e-8.
_EDGE = 1e-6

#: Normal priors about doing nothing (slope 1, intercept 0): how far either may be off before crops
#: have said so. They keep classes that few crops separate from giving infinite answers.
_SLOPE_SD, _INTERCEPT_SD = 1.0, 3.0

#: Penalties on the weights that are tried, strongest first. Embeddings are scaled to a mean squared
#: length of 1, so that ``1 / sqrt(penalty)`` is how far the weights may move a crop's logit.
PENALTIES: tuple[float, ...] = tuple(float(p) for p in np.round(np.geomspace(10, 0.04, 5), 3))

#: Parts of the cross-validation that chooses the penalty, inside the crops given.
_PARTS = 3

_STEPS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """One label's new logit: ``slope * z + weights . e + intercept``.

    Attributes
    ----------
    slope, intercept
        On the logit of the bundle's own probability.
    weights
        ``(D,)`` float64 on the embedding; ``None`` where it was recalibrated alone.
    penalty
        The penalty chosen for them.
    """

    slope: float
    intercept: float
    weights: Vector | None = None
    penalty: float | None = None

    def probabilities(self, raw: Vector, embeddings: NDArray[np.floating]) -> Vector:
        """Of abnormal, ``(N,)``, from the bundle's own ``raw`` ``(N,)`` and ``(N, D)``."""
        new = self.slope * logit(raw) + self.intercept
        if self.weights is not None:
            new = new + np.asarray(embeddings, np.float64) @ self.weights
        return sigmoid(new)


def logit(probabilities: NDArray[np.floating]) -> Vector:
    """``ln(p / (1 - p))``, of probabilities kept a millionth away from 0 and 1."""
    p = np.clip(np.asarray(probabilities, np.float64), _EDGE, 1 - _EDGE)
    found: Vector = np.log(p) - np.log1p(-p)
    return found


def sigmoid(logits: NDArray[np.floating]) -> Vector:
    """``1 / (1 + exp(-z))``, without overflow."""
    found: Vector = 0.5 * (1 + np.tanh(0.5 * np.asarray(logits, np.float64)))
    return found


def turned(embeddings: NDArray[np.floating]) -> Vector:
    """The same cloud in no more directions than it has points: ``(N, D)`` to ``(N, min(N, D))``.

    Distances stay, and with them every fit of :func:`fit_branch` to some of the crops.
    """
    e = np.asarray(embeddings, np.float64)
    if not len(e) or len(e) >= e.shape[1]:
        return e
    u, s, _ = np.linalg.svd(e - e.mean(axis=0), full_matrices=False)
    found: Vector = u * s
    return found


def fit_logistic(
    x: Vector,
    truth: NDArray[np.integer],
    penalty: Vector,
    centre: Vector,
    start: Vector | None = None,
) -> Vector:
    """Fit logistic regression with a normal prior on each coefficient.

    Minimises ``sum_i log(1 + exp(-s_i x_i . c)) + 1/2 sum_j penalty_j (c_j - centre_j)^2`` with
    ``s_i`` 1 for abnormal and -1 for normal, by Newton's method with halved steps; the sum is
    convex, and strictly so as every penalty is above 0.

    Parameters
    ----------
    x
        ``(N, K)``.
    truth
        ``(N,)``: 0 or 1.
    penalty, centre
        ``(K,)``: one over the prior's variance, and its mean.
    start
        ``(K,)``: where to begin; default: ``centre``.

    Returns
    -------
    ``(K,)``
    """
    y = np.asarray(truth, np.float64)
    c = np.array(centre if start is None else start, np.float64)

    def objective(at: Vector) -> float:
        return float(
            np.logaddexp(0, x @ at).sum() - y @ (x @ at) + 0.5 * penalty @ (at - centre) ** 2
        )

    here = objective(c)
    for _ in range(_STEPS):
        p = sigmoid(x @ c)
        gradient = x.T @ (p - y) + penalty * (c - centre)
        hessian = (x.T * (p * (1 - p))) @ x
        hessian.flat[:: len(c) + 1] += penalty
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while (there := objective(c - size * step)) > here and size > 1e-6:
            size /= 2
        c = c - size * step
        if here - there < 1e-10 * (1 + abs(here)):
            break
        here = there
    return c


def recalibrate(raw: Vector, truth: NDArray[np.integer]) -> Head:
    """Fit slope and intercept alone to ``(N,)`` raw probabilities and labels, 0 or 1."""
    x = np.column_stack([logit(raw), np.ones(len(raw))])
    slope, intercept = fit_logistic(x, truth, _PRIOR, _CENTRE)
    # A slope at or below zero would call the likelier crop the less likely one.
    return Head(max(float(slope), 1e-3), float(intercept))


_PRIOR = np.array([_SLOPE_SD**-2, _INTERCEPT_SD**-2])
_CENTRE = np.array([1.0, 0.0])


def fit_branch(
    raw: Vector,
    embeddings: NDArray[np.floating],
    truth: NDArray[np.integer],
    groups: NDArray[np.integer],
    *,
    seed: int = 0,
    penalties: Sequence[float] = PENALTIES,
) -> Head:
    """Fit slope, intercept and weights; cross-validation inside these crops chooses the penalty.

    Parameters
    ----------
    raw, embeddings, truth
        ``(N,)`` the bundle's own probabilities, ``(N, D)``, and ``(N,)`` 0 or 1.
    groups
        ``(N,)``: crops of one patient have one number and stay in one part.
    seed
        Of the parts.
    penalties
        To choose from, strongest first; of equally good ones the first is taken.
    """
    base = np.column_stack([logit(raw), np.ones(len(raw))])
    e = np.asarray(embeddings, np.float64)
    centre = e.mean(axis=0)
    scale = float(np.sqrt(((e - centre) ** 2).sum(axis=1).mean())) or 1.0
    # A penalty on squared length does not change when the space is turned, so the fit needs no
    # more directions than there are crops.
    u, s, directions = np.linalg.svd((e - centre) / scale, full_matrices=False)
    kept = s > 1e-9
    x = np.column_stack([base, (u * s)[:, kept]])
    best = penalties[0]
    if len(penalties) > 1:
        total = np.zeros(len(penalties))
        for rows, out in label_parts(truth, groups, _PARTS, seed):
            c = None
            for i, penalty in enumerate(penalties):
                c = _coefficients(x[rows], truth[rows], penalty, c)
                total[i] += log_losses(sigmoid(x[out] @ c), truth[out]).sum()
        best = penalties[int(np.argmin(total))]
    c = _coefficients(x, truth, best)
    weights = (directions[kept].T @ c[2:]) / scale
    return Head(float(c[0]), float(c[1] - weights @ centre), weights, best)


def _coefficients(
    x: Vector, truth: NDArray[np.integer], penalty: float, start: Vector | None = None
) -> Vector:
    more = x.shape[1] - 2
    return fit_logistic(
        x,
        truth,
        np.concatenate([_PRIOR, np.full(more, penalty)]),
        np.concatenate([_CENTRE, np.zeros(more)]),
        start,
    )

"""The log loss of single crops, and whether one column of them is smaller beyond noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SURE", "Gain", "gain", "log_losses"]

Vector = NDArray[np.float64]

#: How sure it must be that a loss fell before anything is changed: one-sided.
SURE = 0.95

_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Gain:
    """By how much a mean loss fell, its standard error, and whether that is beyond noise."""

    mean: float
    error: float
    beyond_noise: bool


def log_losses(probabilities: NDArray[np.floating], truth: NDArray[np.integer]) -> Vector:
    """``-ln`` of the probability of the true class, ``(N,)``, in nats.

    Probabilities are kept a millionth away from 0 and 1, so that one sure mistake costs 13.8 at
    most and not everything.
    """
    p = np.clip(np.asarray(probabilities, np.float64), _EDGE, 1 - _EDGE)
    found: Vector = -np.log(np.where(np.asarray(truth) == 1, p, 1 - p))
    return found


def gain(before: Vector, after: Vector, groups: NDArray[np.integer]) -> Gain:
    """Compare two columns of losses of the same crops.

    The mean difference over its standard error is held against Student's t, one-sided, at
    :data:`SURE`. The error is that of a mean over clusters (patients, or single crops): the root of
    ``G / (G - 1) sum_g (sum_{i in g} (d_i - mean))^2``, over ``N`` (Cameron & Miller 2015, *A
    practitioner's guide to cluster-robust inference*, eq. 11, for a constant alone).

    Parameters
    ----------
    before, after
        ``(N,)``.
    groups
        ``(N,)``: numbers of the patients.
    """
    from scipy.stats import t

    d = np.asarray(before, np.float64) - np.asarray(after, np.float64)
    names, member = np.unique(groups, return_inverse=True)
    clusters = len(names)
    if clusters < 2:
        return Gain(float(d.mean()) if len(d) else 0.0, math.inf, False)
    mean = float(d.mean())
    sums = np.bincount(member.reshape(-1), weights=d - mean)
    error = math.sqrt(clusters / (clusters - 1) * float(sums @ sums)) / len(d)
    return Gain(mean, error, mean > float(t.ppf(SURE, clusters - 1)) * error)

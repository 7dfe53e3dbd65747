"""Crops grouped by probability, to see whether what is said of each group comes true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.learning.metrics import labelled

__all__ = ["CalibrationBin", "calibration_bins", "mass_bins"]


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Crops whose probabilities lie next to each other.

    Attributes
    ----------
    predicted
        Their mean probability of abnormal.
    observed
        The share of them that is abnormal.
    count
        How many they are.
    """

    predicted: float
    observed: float
    count: int


def calibration_bins(
    labels: ArrayLike, probabilities: ArrayLike, bins: int = 10
) -> list[CalibrationBin]:
    """Group one label's crops by probability into at most ``bins`` groups of nearly equal size.

    Equal sizes rather than equal widths: a group of three crops says nothing. Crops of equal
    probability are never parted. Crops without the label are left out.

    Parameters
    ----------
    labels, probabilities
        ``(N,)``: -1, 0 or 1, and 0 to 1.
    """
    truth, given, _ = labelled(labels, probabilities)
    counts, predicted, observed = mass_bins(truth, given, bins)
    return [
        CalibrationBin(float(p), float(o), int(n))
        for n, p, o in zip(counts, predicted, observed, strict=True)
    ]


def mass_bins(
    truth: NDArray[np.generic], given: NDArray[np.float64], bins: int
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Give count, mean probability and share of abnormal of each group, lowest first.

    Groups end at the quantiles of ``given`` (linear between crops, as ``numpy.quantile`` has them);
    a crop at a quantile belongs to the group above. Written out because a bootstrap asks for this
    thousands of times.

    Parameters
    ----------
    truth, given
        ``(N,)``: 0 or 1, and 0 to 1.
    bins
        At most so many; empty ones are left out.
    """
    if not len(given):
        return np.zeros(0, np.intp), np.zeros(0), np.zeros(0)
    order = np.argsort(given, kind="stable")
    rising = given[order]
    places = np.arange(1, bins) * (len(rising) - 1) / bins
    below = places.astype(np.intp)
    above = np.minimum(below + 1, len(rising) - 1)
    edges = rising[below] + (places - below) * (rising[above] - rising[below])
    ends = np.searchsorted(rising, edges, side="left")
    starts = np.unique(np.r_[0, ends[ends < len(rising)]])
    counts = np.diff(np.r_[starts, len(rising)])
    predicted = np.add.reduceat(rising, starts) / counts
    observed = np.add.reduceat(truth[order].astype(np.float64), starts) / counts
    return counts, predicted, observed

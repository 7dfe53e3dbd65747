"""The share of normal sperm by probabilities, beside the count of verdicts.

Verdicts are taken one by one, each at a threshold that is best for one sperm: a defect of which the
model is a third sure is called normal every time, though one in three such sperm has it. Counted
over a sample that adds up, and too few abnormal sperm are counted. Calibrated probabilities add up
to the right number instead ("probabilistic classify and count": A. Bella et al., "Quantification
via probability estimators", ICDM 2010, doi 10.1109/ICDM.2010.75).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from androscope.types import Assessment

__all__ = ["Expected", "expected_normal"]

_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Expected:
    """A share, its 95 % bootstrap interval over sperm, and of how many."""

    fraction: float
    low: float
    high: float
    of: int


def expected_normal(
    assessments: Iterable[Assessment], labels: Sequence[str], *, seed: int = 0
) -> Expected | None:
    """Expected share of sperm that are normal in every part; ``None`` of no sperm.

    The mean over sperm of ``prod_l (1 - p_l)``: parts are taken as independent once the picture is
    known. The interval is of the sampling of sperm alone, and as right as the probabilities are.

    Parameters
    ----------
    assessments
        Their probabilities must be calibrated.
    labels
        Parts that count.
    seed
        Of the bootstrap.

    Raises
    ------
    KeyError
        If an assessment lacks a label.
    """
    each = np.array(
        [np.prod([1 - one[label].probability for label in labels]) for one in assessments],
        np.float64,
    )
    if not len(each):
        return None
    rng = np.random.default_rng(seed)
    # One draw at a time: of ten thousand sperm all draws at once would be 160 MB.
    means = [each[rng.integers(len(each), size=len(each))].mean() for _ in range(_RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return Expected(float(each.mean()), float(low), float(high), len(each))

"""Groups of equal mass: against numpy's quantiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sklearn")

from androscope.learning.calibration_bins import calibration_bins, mass_bins

pytestmark = pytest.mark.train


@given(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(0, 1)), min_size=1, max_size=60),
    st.integers(1, 20),
)
def test_groups_end_at_the_quantiles(crops: list[tuple[float, int]], bins: int) -> None:
    p = np.array([c[0] for c in crops], dtype=np.float64)
    y = np.array([c[1] for c in crops], dtype=np.int8)
    counts, predicted, observed = mass_bins(y, p, bins)
    assert counts.sum() == len(p)
    assert (counts > 0).all()
    assert len(counts) <= bins
    assert (np.diff(predicted) > 0).all()
    assert (counts * observed).sum() == pytest.approx(y.sum())
    assert (counts * predicted).sum() == pytest.approx(p.sum())
    # Crops of equal probability are never parted.
    ends = np.cumsum(counts)[:-1]
    rising = np.sort(p)
    assert (rising[ends - 1] < rising[ends]).all()


@pytest.mark.parametrize("n", [7, 240, 300])
def test_groups_are_those_of_numpys_quantiles(n: int) -> None:
    random = np.random.default_rng(n)
    p, y = random.random(n), random.integers(0, 2, n)
    edges = np.quantile(p, np.linspace(0, 1, 16))
    group = np.searchsorted(edges[1:-1], p, side="right")
    expected = [(float(p[group == g].mean()), int((group == g).sum())) for g in np.unique(group)]
    found = calibration_bins(y, p, 15)
    assert [(pytest.approx(b.predicted), b.count) for b in found] == expected

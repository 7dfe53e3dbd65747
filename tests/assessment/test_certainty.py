from __future__ import annotations

import numpy as np
import pytest

from androscope.assessment.certainty import certainty


@pytest.mark.parametrize(
    ("probability", "threshold", "expected"),
    [
        pytest.param(0.5, 0.5, 0.0, id="at the threshold"),
        pytest.param(1.0, 0.3, 1.0, id="certainly abnormal"),
        pytest.param(0.0, 0.3, -1.0, id="certainly normal"),
        pytest.param(0.6, 0.2, 0.5, id="half of the way up"),
        pytest.param(0.1, 0.2, -0.5, id="half of the way down"),
    ],
)
def test_certainty(probability: float, threshold: float, expected: float) -> None:
    assert certainty(probability, threshold) == pytest.approx(expected)


def test_at_one_half_it_orders_as_chows_rule() -> None:
    p = np.random.default_rng(0).random(100)
    ours, chow = np.abs(certainty(p, 0.5)), np.maximum(p, 1 - p)
    np.testing.assert_array_equal(np.argsort(ours), np.argsort(chow))

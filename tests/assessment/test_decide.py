# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.assessment.decide import decide
from androscope.types import Verdict

LABELS = ("head", "tail")


def test_one_verdict_per_part_in_the_labels_order() -> None:
    rows = decide(np.array([[0.2, 0.9], [0.5, 0.5]]), LABELS, {"tail": 0.6, "head": 0.5, "x": 0.1})
    assert [[(p.label, p.verdict.value, p.threshold) for p in row] for row in rows] == [
        [("head", "normal", 0.5), ("tail", "abnormal", 0.6)],
        [("head", "abnormal", 0.5), ("tail", "normal", 0.6)],
    ]
    assert rows[0][0].probability == 0.2


@pytest.mark.parametrize(
    ("probability", "threshold", "verdict"),
    [
        pytest.param(0.7, 0.7, Verdict.ABNORMAL, id="float32(0.7) is below 0.7, yet is reported as 0.7"),
        pytest.param(0.6, 0.6, Verdict.ABNORMAL, id="at the threshold"),
        pytest.param(np.nextafter(np.float32(0.6), np.float32(0)), 0.6, Verdict.NORMAL, id="one step below"),
        pytest.param(0.0, 1e-9, Verdict.NORMAL, id="zero"),
        pytest.param(1.0, 0.999, Verdict.ABNORMAL, id="one"),
    ],
)  # fmt: skip
def test_abnormal_from_the_threshold_upward(
    probability: float, threshold: float, verdict: Verdict
) -> None:
    ((part,),) = decide(np.array([[probability]], np.float32), ("head",), {"head": threshold})
    assert part.verdict is verdict


@given(
    probability=st.floats(0, 1, width=32),
    threshold=st.floats(0, 1, exclude_min=True, exclude_max=True),
)
def test_the_reported_numbers_give_the_reported_verdict(
    probability: float, threshold: float
) -> None:
    ((part,),) = decide(np.array([[probability]], np.float32), ("head",), {"head": threshold})
    assert (part.verdict is Verdict.ABNORMAL) == (part.probability >= part.threshold)
    assert np.float32(part.probability) == np.float32(probability)


def test_no_crops_give_no_rows() -> None:
    assert decide(np.zeros((0, 2), np.float32), LABELS, {"head": 0.5, "tail": 0.5}) == ()


@pytest.mark.parametrize(
    ("probabilities", "thresholds", "message"),
    [
        pytest.param([[0.5, np.nan]], {"head": 0.5, "tail": 0.5}, "tail of row 0 is nan, no probability", id="NaN"),
        pytest.param([[0.5, 0.5], [1.5, 0.5]], {"head": 0.5, "tail": 0.5}, "head of row 1 is 1.5, no probability", id="above one"),
        pytest.param([[-0.25, 0.5]], {"head": 0.5, "tail": 0.5}, "head of row 0 is -0.25", id="negative"),
        pytest.param([[0.5]], {"head": 0.5, "tail": 0.5}, r"must be \(N, 2\), one column per label \['head', 'tail'\], got \(1, 1\)", id="a column short"),
        pytest.param([0.5, 0.5], {"head": 0.5, "tail": 0.5}, r"got \(2,\)", id="one axis"),
        pytest.param([[0.5, 0.5]], {"head": 0.5}, r"no threshold for \['tail'\]; there are thresholds for \['head'\]", id="no threshold"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_refused(
    probabilities: Any, thresholds: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        decide(np.array(probabilities), LABELS, thresholds)

# ruff: noqa: E501  a row of a table of cases stays on one line
"""Heads of the other kind than the field's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.model.polarity import middles, of_the_other_kind


@pytest.mark.parametrize(
    ("contrasts", "scores", "odd"),
    [
        pytest.param([-0.4, -0.5, 0.3], [0.9, 0.9, 0.5], [False, False, True], id="bright among dark"),
        pytest.param([0.4, 0.5, -0.3], [0.9, 0.9, 0.5], [False, False, True], id="dark among bright"),
        pytest.param([0.4, 0.5, 0.05], [0.9, 0.9, 0.9], [False, False, True], id="hardly any contrast"),
        pytest.param([0.4, 0.5, 0.07], [0.9, 0.9, 0.9], [False, False, False], id="just enough"),
        pytest.param([0.4, -0.4, 0.5, -0.5], [0.9] * 4, [False] * 4, id="heads in several depths"),
        pytest.param([-0.4, 0.3, 0.3, 0.3], [0.95, 0.3, 0.3, 0.3], [False, True, True, True], id="the sure ones tell"),
        pytest.param([-0.4], [0.9], [False], id="one"),
        pytest.param([0.0, 0.0], [0.9, 0.9], [False, False], id="no contrast at all"),
        pytest.param([], [], [], id="none"),
    ],
)  # fmt: skip
def test_which(contrasts: list[float], scores: list[float], odd: list[bool]) -> None:
    assert of_the_other_kind(contrasts, scores).tolist() == odd


finite = st.floats(-1.5, 1.5).filter(lambda v: v == 0 or abs(v) > 1e-6)


@given(st.lists(st.tuples(finite, st.floats(0.1, 1)), min_size=1, max_size=20))
def test_polarity_itself_does_not_matter_and_never_are_all_odd(
    finds: list[tuple[float, float]],
) -> None:
    contrasts, scores = map(np.array, zip(*finds, strict=True))
    odd = of_the_other_kind(contrasts, scores)
    assert odd.tolist() == of_the_other_kind(-contrasts, scores).tolist()
    assert not odd.all()
    order = np.arange(len(finds))[::-1]
    assert of_the_other_kind(contrasts[order], scores[order]).tolist() == odd[order].tolist()


def test_a_middle_is_a_square_of_nine_and_what_of_it_lies_in_the_view() -> None:
    contrast = np.zeros((40, 60), np.float32)
    contrast[10:19, 20:29] = 0.5
    contrast[0, 0] = 1.0
    found = middles(contrast, [(24.3, 13.8), (24, 18.4), (33, 14), (-3, -2), (70, 50)])
    assert found == pytest.approx([0.5, 0.5 * 5 / 9, 0.0, 1 / 25, 0.0])
    assert middles(contrast, []).shape == (0,)

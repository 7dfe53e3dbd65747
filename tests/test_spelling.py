from __future__ import annotations

import pytest

from androscope.spelling import closest


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        pytest.param("vacoule", ["head", "vacuole"], "vacuole", id="letters swapped"),
        pytest.param("adamW", ["adam", "adamw"], "adamw", id="case of the word"),
        pytest.param("relu", ["ReLU", "GELU"], "ReLU", id="case of the known"),
        pytest.param("tail", ["head", "vacuole"], None, id="nothing like it"),
        pytest.param("head", [], None, id="nothing known"),
    ],
)
def test_closest(word: str, known: list[str], expected: str | None) -> None:
    assert closest(word, known) == expected

from __future__ import annotations

import pytest

from androscope.model.card_interval import Interval


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"value": 0.5, "low": 0.6, "high": 0.4}, "must not be above", id="swapped"),
        pytest.param({"value": 0.5, "low": 0.4}, "both be given or both be left out", id="one end"),
        pytest.param({"value": float("nan")}, "finite number", id="NaN"),
    ],
)
def test_an_interval_must_make_sense(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Interval(**values)


def test_what_is_not_defined_has_no_interval() -> None:
    assert Interval.model_validate_json('{"value": null}') == Interval(value=None)

from __future__ import annotations

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from androscope.cli.options_learning import config_changes
from androscope.learning.config_file import load_config


def test_nothing_given_changes_nothing() -> None:
    assert config_changes(None) == []
    assert config_changes([]) == []


def test_what_set_says_comes_last() -> None:
    changes = config_changes(["seed=3", "name=mine"], label="tail", data="mhsma", seed=0)
    assert changes == ["labels=[tail]", 'data.dataset="mhsma"', "seed=0", "seed=3", "name=mine"]
    assert load_config("dtl", changes).seed == 3


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("it's.csv", id="quote"),
        pytest.param('a "b".csv', id="double quotes"),
        pytest.param(r"C:\new\labels.csv", id="backslashes"),
        pytest.param("mine: #1, [2].csv", id="what YAML knows"),
        pytest.param("männlich-精子-🔬.csv", id="other scripts"),
        pytest.param("123", id="a number"),
    ],
)
def test_a_path_stays_what_it_is(data: str) -> None:
    assert load_config("dmtl", config_changes(None, data=data)).data.dataset == data

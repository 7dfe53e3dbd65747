"""The table of settings and what is said of a wrong value."""

from __future__ import annotations

from pathlib import Path

import pytest

from androscope.errors import SettingsError
from androscope.settings import Settings, load_settings


def test_defaults_without_an_environment() -> None:
    settings = load_settings({})
    assert settings.data is None
    assert settings.model == "default"
    assert (settings.threads, settings.batch_size) == (0, 32)
    assert settings.cache.name == "androscope"


def test_each_field_is_read_from_its_variable(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "ANDROSCOPE_DATA": str(tmp_path),
            "ANDROSCOPE_CACHE": str(tmp_path / "cache"),
            "ANDROSCOPE_HOME": str(tmp_path / "home"),
            "ANDROSCOPE_RECORDS": "sqlite:///lab.db",
            "ANDROSCOPE_MODEL": "mine",
            "ANDROSCOPE_THREADS": "2",
            "ANDROSCOPE_BATCH_SIZE": "8",
            "ANDROSCOPE_BACKEND": "openvino",
            "ANDROSCOPE_MAX_PIXELS": "5000",
            "ANDROSCOPE_BIT_DEPTH": "12",
        }
    )
    assert settings == Settings(
        data=tmp_path,
        cache=tmp_path / "cache",
        home=tmp_path / "home",
        records="sqlite:///lab.db",
        model="mine",
        threads=2,
        batch_size=8,
        backend="openvino",
        max_pixels=5000,
        bit_depth=12,
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        pytest.param("THREADS", "many", "unable to parse string as an integer", id="not-a-number"),
        pytest.param("THREADS", "-1", "greater than or equal to 0", id="negative"),
        pytest.param("BATCH_SIZE", "0", "greater than or equal to 1", id="zero-batch"),
        pytest.param("BACKEND", "cuda", "should be 'onnxruntime' or 'openvino'", id="no-backend"),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({f"ANDROSCOPE_{name}": value})
    text = str(caught.value)
    assert text.startswith(f"ANDROSCOPE_{name}='{value}': ")
    assert said in text
    assert text.endswith(f"Unset ANDROSCOPE_{name} or give it a value of that kind")


@pytest.mark.parametrize("environ", [{"ANDROSCOPE_THREADS": ""}, {"ANDROSCOPE_OTHER": "1"}])
def test_empty_and_foreign_variables_are_left_alone(environ: dict[str, str]) -> None:
    assert load_settings(environ).threads == 0

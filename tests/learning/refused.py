"""A configuration that is right, and what is said of one that is not."""

from __future__ import annotations

import pytest

from androscope.errors import ConfigError
from androscope.learning.config_file import parse_config

GOOD = "name: run\nmethod: dmtl\n"


def message(text: str, overrides: tuple[str, ...] = ()) -> str:
    """The refusal of ``text``, which stands in ``my.yaml``."""
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "my.yaml", overrides)
    return str(caught.value)


def check_refusal(text: str, line: str) -> None:
    """``text`` is refused with ``line``, its file's name first and the way out last."""
    said = message(text)
    assert line in said
    assert said.startswith("my.yaml: ")
    assert said.endswith(". `androscope config keys` lists every key and what it takes")

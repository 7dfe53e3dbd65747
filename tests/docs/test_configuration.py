"""docs/configuration.md and docs/paper.md against the schema and the shipped configurations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from androscope.errors import ConfigError
from androscope.learning.config import Config, ThresholdConfig
from androscope.learning.config_file import CONFIGS, parse_config
from androscope.learning.config_keys import all_keys, markdown
from androscope.learning.metrics import TITLES

pytestmark = pytest.mark.train

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
PAGE = (DOCS / "configuration.md").read_text(encoding="utf-8")
PAPER = (DOCS / "paper.md").read_text(encoding="utf-8")


def test_the_page_has_every_key_as_the_schema_says() -> None:
    table = PAGE.partition("<!-- keys -->\n")[2].partition("<!-- /keys -->")[0]
    assert table == markdown(), "run: androscope config keys --markdown"


def test_every_key_is_described() -> None:
    assert [key.path for key in all_keys() if not key.description] == []


def test_defaults_are_those_in_force() -> None:
    values = Config(name="x", method="dmtl").model_dump()
    for key in all_keys():
        if key.default == "required" or "<label>" in key.path:
            continue
        found = values
        for step in key.path.split("."):
            found = found[step]
        text = "null" if found is None else str(found).lower() if isinstance(found, bool) else found
        if isinstance(text, tuple):
            text = "[" + ", ".join(map(str, text)) + "]"
        if isinstance(text, float):
            text = f"{text:g}"
        assert str(text) == key.default, key.path


def test_every_shipped_configuration_is_listed() -> None:
    named = re.findall(r"^\| `([\w-]+)` \| (?:One network|DMTL|DTL)", PAGE, re.M)
    assert sorted(named) == list(CONFIGS.names())


def _blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", page, re.M | re.S)


def test_the_whole_configuration_is_one() -> None:
    example = _blocks(PAGE, "yaml")[0]
    config = parse_config(example, "my.yaml")
    assert (config.labels, config.stage1.balance) == (("tail",), "batch")


def test_the_faulty_configuration_is_refused_in_these_words() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(_blocks(PAGE, "yaml")[1], "my.yaml")
    assert f"error: {caught.value}\n" == _blocks(PAGE, "text")[0]


def test_the_papers_page_defines_every_score() -> None:
    table = PAPER.partition("| Score |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| ([\w. -]+?) \|", table, re.M)
    assert [name for name in named if name != "---"] == list(TITLES.values())


def test_the_papers_page_has_the_grid() -> None:
    config = ThresholdConfig()
    words = f"of {config.steps} from {config.low:g} to {config.high:g}"
    assert words in " ".join(PAPER.split())

"""The page on the search says of a space what the schema says."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from pydantic import BaseModel

from androscope.learning.config_keys import _default, describe
from androscope.search.file import SPACES, parse_space
from androscope.search.record import BEST, RECORD
from androscope.search.run import PLOT
from androscope.search.schema import Parameter, PruningConfig, SamplerConfig, Space
from androscope.search.study import DATABASE, RETRIES
from androscope.search.work import STORAGE

pytestmark = pytest.mark.train

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "search.md").read_text("utf-8")

TABLES: dict[str, type[BaseModel]] = {
    "": Space,
    "space.KEY.": Parameter,
    "sampler.": SamplerConfig,
    "pruning.": PruningConfig,
}


def rows() -> list[str]:
    found = ["| Key | Takes | Default | What it is |", "| --- | --- | --- | --- |"]
    for prefix, table in TABLES.items():
        for name, field in table.model_fields.items():
            if f"{prefix}{name}." in TABLES or f"{prefix}{name}.KEY." in TABLES:
                continue
            takes = describe(field.annotation, tuple(field.metadata))
            found.append(
                f"| `{prefix}{name}` | {takes} | `{_default(field)}` | {field.description} |"
            )
    return found


def test_every_key_is_on_the_page() -> None:
    table = PAGE.partition("<!-- keys -->\n")[2].partition("<!-- /keys -->")[0].strip()
    assert table.splitlines() == rows()


def test_the_example_is_a_space() -> None:
    block = PAGE.partition("```yaml\n")[2].partition("```")[0]
    found = parse_space(block, "example.yaml")
    assert found.base.stage1.epochs == 20


def test_files_names_and_numbers() -> None:
    for name in (BEST, RECORD, PLOT, DATABASE, STORAGE):
        assert name in PAGE
    for name in SPACES.names():
        assert f"`{name}`" in PAGE
    assert RETRIES == 2
    assert "is tried again, twice at most" in " ".join(PAGE.split())

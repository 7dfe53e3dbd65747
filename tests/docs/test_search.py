"""The page on the search says of a space what the schema says."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from pydantic import BaseModel

from androscope.search.file import SPACES, parse_space
from androscope.search.record import BEST, RECORD
from androscope.search.run import PLOT
from androscope.search.schema import Parameter, PruningConfig, SamplerConfig, Space
from androscope.search.study import DATABASE, RETRIES
from androscope.search.work import STORAGE

from .key_table import rows, rows_on

pytestmark = pytest.mark.train

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "search.md").read_text("utf-8")

TABLES: dict[str, type[BaseModel]] = {
    "": Space,
    "space.KEY.": Parameter,
    "sampler.": SamplerConfig,
    "pruning.": PruningConfig,
}


def test_every_key_is_on_the_page() -> None:
    assert rows_on(PAGE) == rows(TABLES)


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

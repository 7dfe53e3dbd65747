"""The page on the benchmark says of the protocol what the schema and the shipped file say."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from pydantic import BaseModel

from androscope.benchmark.board import read_board
from androscope.protocol.file import shipped_protocol
from androscope.protocol.schema import BootstrapConfig, Crossval, FixedProtocol, Recipe

from .key_table import rows, rows_on

pytestmark = pytest.mark.train

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "benchmark.md").read_text("utf-8")

TABLES: dict[str, type[BaseModel]] = {
    "": FixedProtocol,
    "bootstrap.": BootstrapConfig,
    "recipes.NAME.": Recipe,
    "crossval.NAME.": Crossval,
}


def test_every_key_is_on_the_page() -> None:
    assert rows_on(PAGE) == rows(TABLES)


def test_the_shipped_protocol_is_on_the_page() -> None:
    block = PAGE.partition("```yaml\n")[2].partition("```")[0]
    assert block == shipped_protocol()


def test_the_baselines_are_the_leaderboards() -> None:
    baseline = next(e for e in read_board().entries if e.name == "All called normal")
    shown = [
        f"{100 * (baseline.scores[label]['accuracy'].value or 0):.2f}"
        for label in ("head", "acrosome", "vacuole")
    ]
    assert f"{shown[0]}, {shown[1]} and {shown[2]} accuracy" in PAGE

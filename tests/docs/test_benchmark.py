"""The page on the benchmark says of the protocol what the schema and the shipped file say."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from pydantic import BaseModel

from androscope.benchmark.board import read_board
from androscope.learning.config_keys import _default, describe
from androscope.protocol.file import shipped_protocol
from androscope.protocol.schema import BootstrapConfig, Crossval, FixedProtocol, Recipe

pytestmark = pytest.mark.train

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "benchmark.md"

TABLES: dict[str, type[BaseModel]] = {
    "": FixedProtocol,
    "bootstrap.": BootstrapConfig,
    "recipes.NAME.": Recipe,
    "crossval.NAME.": Crossval,
}


def rows() -> list[str]:
    found = ["| Key | Takes | Default | What it is |", "| --- | --- | --- | --- |"]
    for prefix, table in TABLES.items():
        for name, field in table.model_fields.items():
            if f"{prefix}{name}." in TABLES or f"{prefix}{name}.NAME." in TABLES:
                continue
            takes = describe(field.annotation, tuple(field.metadata))
            found.append(
                f"| `{prefix}{name}` | {takes} | `{_default(field)}` | {field.description} |"
            )
    return found


def test_every_key_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = text.partition("<!-- keys -->\n")[2].partition("<!-- end -->")[0].strip()
    assert table.splitlines() == rows()


def test_the_shipped_protocol_is_on_the_page() -> None:
    block = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    assert block == shipped_protocol()


def test_the_baselines_are_the_leaderboards() -> None:
    baseline = next(e for e in read_board().entries if e.name == "All called normal")
    shown = [
        f"{100 * (baseline.scores[label]['accuracy'].value or 0):.2f}"
        for label in ("head", "acrosome", "vacuole")
    ]
    assert f"{shown[0]}, {shown[1]} and {shown[2]} accuracy" in PAGE.read_text(encoding="utf-8")

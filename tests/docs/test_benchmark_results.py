"""The tables on the page are what the command prints of the record in the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from androscope.cli.main import app
from androscope.model.bundle import load_bundle
from androscope.protocol.record import read_benchmark

ROOT = Path(__file__).resolve().parent.parent.parent
RECORD = ROOT / "benchmarks" / "benchmark.json"
MARKED = re.compile(r"^<!-- benchmark: (.*?) -->\n(.*?)^<!-- end -->$", re.M | re.S)


def test_the_tables_are_what_the_command_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "benchmark-results.md").read_text(encoding="utf-8")
    found = MARKED.findall(page)
    command = "androscope benchmark table benchmarks/benchmark.json --markdown"
    assert [says for says, _ in found] == [command]
    done = CliRunner().invoke(app, command.split()[1:])
    assert done.exit_code == 0
    assert found[0][1] == done.output, f"put what `{command}` prints between the marks"


def test_the_shipped_bundle_is_a_run_of_the_record() -> None:
    card = load_bundle("dmtl-lite0").card
    run = next(r for r in read_benchmark(RECORD).recipes["dmtl-distilled"].runs if r.seed == 0)
    assert run.test_readings == 1
    assert run.thresholds == card.thresholds
    for label in card.labels:
        for metric, found in card.metrics["test"][label].items():
            score = run.scores["test"][label][metric]
            assert score.value == pytest.approx(found.value, abs=1e-6), f"{label}, {metric}"

"""docs/leaderboard.md against the data file and the code it speaks of."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from androscope.benchmark.board import read_board
from androscope.benchmark.document import FORMAT, leaderboard_document
from androscope.benchmark.entries import Entry, Protocol
from androscope.benchmark.submission_table import COLUMNS
from androscope.benchmark.verify import RESAMPLES, SEED
from androscope.cli.main import app
from androscope.learning.metrics import METRICS

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "leaderboard.md").read_text(
    "utf-8"
)
SHOWN = re.compile(r"^<!-- leaderboard: (.*?) -->\n```text\n(.*?)```$", re.M | re.S)


def _table(after: str) -> str:
    return PAGE.partition(after)[2].partition("\n\n| ")[2].partition("\n\n")[0]


def test_the_ranking_is_what_the_command_prints() -> None:
    ((command, shown),) = SHOWN.findall(PAGE)
    done = CliRunner().invoke(app, shlex.split(command)[1:])
    assert done.exit_code == 0
    assert shown == done.stdout, f"put the output of `{command}` into docs/leaderboard.md"


def test_every_field_of_an_entry_is_named() -> None:
    named = re.findall(r"^\| `(\w+)` \|", _table("## Add a published result"), re.M)
    assert named == list(Entry.model_fields)
    for metric in METRICS:
        assert f"`{metric}`" in _table("## Add a published result")


def test_every_field_of_the_json_is_named() -> None:
    table = _table("## The JSON")
    board = read_board()
    document = leaderboard_document(board, "mhsma", ["head"], ["accuracy"])
    first = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", table, re.M)))
    assert first == list(document)
    facts = next(iter(document["entries"].values()))
    (ranking,) = document["rankings"]
    for inner in (facts, ranking["results"][0], ranking["best_over_time"][0]):
        for name in inner:
            assert f"`{name}`" in table
    assert f"`{FORMAT}`" in PAGE


def test_every_column_of_a_submission_is_named() -> None:
    table = _table("### The file")
    for what in COLUMNS:
        assert f"`<label>_{what}`" in table


def test_protocols_and_the_bootstrap() -> None:
    for protocol in Protocol:
        assert f"\n| {protocol.words} |" in PAGE
    assert f"({RESAMPLES:,} draws, seed {SEED})" in PAGE


@pytest.mark.parametrize("mark", ["verified", "unverified", "baseline"])
def test_marks(mark: str) -> None:
    assert f"\n| {mark} |" in PAGE

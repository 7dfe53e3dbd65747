"""The page on long batches says of them what the code says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from androscope.batch import output, parts
from androscope.batch.containers import LARGEST, TAR_ENDINGS
from androscope.batch.measure import IN_FLIGHT

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "scale.md").read_text("utf-8")
TEXT = " ".join(PAGE.split())


def test_numbers_of_the_code() -> None:
    assert f"over {LARGEST // 1_000_000} MB are not read" in TEXT
    assert f"sizes that keep {IN_FLIGHT} crops in flight" in TEXT
    assert f"until row groups are full ({output.GROUP_ROWS:,} rows)" in TEXT
    assert parts.PART_SIZE == 1000
    assert "in parts of about a thousand" in TEXT
    for ending in (*TAR_ENDINGS, ".zip", ".parquet"):
        assert f"`{ending}`" in TEXT


def test_every_measured_block_names_a_command_that_is_there_and_knows_its_options() -> None:
    measured = PAGE.partition("<!-- measured -->")[2].partition("<!-- /measured -->")[0]
    blocks = re.findall(r"```text\n(.*?)```", measured, re.S)
    assert len(blocks) >= 4
    for block in blocks:
        commands = [line for line in block.splitlines() if line.startswith("$ ")]
        assert commands
        for command in commands:
            script, *options = command.removeprefix("$ python ").split()
            source = (ROOT / script).read_text("utf-8")
            known = {
                node.args[0].value
                for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.Call)
                and getattr(node.func, "attr", "") == "add_argument"
                and isinstance(node.args[0], ast.Constant)
            }
            assert {o for o in options if o.startswith("--")} <= known

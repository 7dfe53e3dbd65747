"""The results tables of README.md and docs/results.md, against the evaluations they come from."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from androscope.model.bundle import load_bundle

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "benchmarks" / "results.py"
RESULTS: dict[str, Any] = runpy.run_path(str(PROGRAM))

PAGES = {"README.md": ["--short"], "docs/results.md": []}
MARKED = re.compile(r"^<!-- results: (.*?) -->\n(.*?)^<!-- end -->$", re.M | re.S)


@pytest.mark.parametrize(("page", "options"), PAGES.items(), ids=PAGES)
def test_the_table_is_what_the_command_prints(page: str, options: list[str]) -> None:
    command = ["benchmarks/results.py", *options]
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    tables = MARKED.findall((ROOT / page).read_text(encoding="utf-8"))
    assert [says for says, _ in tables] == [" ".join(["python", *command])]
    assert tables[0][1] == done.stdout, (
        f"the table in {page} is not what `python {' '.join(command)}` prints; "
        "run: python benchmarks/results.py --write"
    )
    assert RESULTS["with_table"]((ROOT / page).read_text("utf-8"), done.stdout) == (
        ROOT / page
    ).read_text("utf-8")


def test_the_shipped_models_scores_are_those_of_its_card() -> None:
    saved = json.loads((RESULTS["FOLDER"] / f"{RESULTS['SHIPPED']}.json").read_text())
    card = load_bundle().card
    assert saved["data_sha256"]
    assert set(saved["by_label"]) == set(card.labels)
    for label, found in saved["by_label"].items():
        assert found["threshold"] == card.thresholds[label]
        assert card.metrics[saved["split"]][label].keys() == found["scores"].keys()
        for name, interval in card.metrics[saved["split"]][label].items():
            score = found["scores"][name]
            assert (interval.value, interval.low, interval.high) == (
                score["value"],
                score["low"],
                score["high"],
            ), f"{label}, {name}: export the bundle and copy its evaluation.json anew"


def test_a_table_is_written_between_its_marks_and_nowhere_else() -> None:
    page = "a\n<!-- results: x -->\nold | 1\n<!-- end -->\nb <!-- end -->\n"
    after = RESULTS["with_table"](page, r"new \1" + "\n")
    assert after == page.replace("old | 1", r"new \1")


@pytest.mark.parametrize("page", ["none", "<!-- results: x -->\n<!-- end -->\n" * 2])
def test_a_page_without_one_table_is_left_alone(page: str) -> None:
    with pytest.raises(SystemExit, match="expected one table between"):
        RESULTS["with_table"](page, "")

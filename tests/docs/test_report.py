"""What docs/report.md says of the table, the names of labels and the limits, against the code."""

from __future__ import annotations

import re
from pathlib import Path

from androscope.assessment.agreement import acceptable_difference
from androscope.assessment.indices import INDICES
from androscope.assessment.regions import MERGED, REGION_OF, Region
from androscope.report.sample.outputs import FORMATS
from androscope.report.sample.pictures import OVERLAYS
from androscope.report.sample.warnings import ENOUGH

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "report.md").read_text("utf-8")


def test_the_table_of_differences_is_the_codes() -> None:
    table = PAGE.partition("| Average, % |")[2].partition("\n\n")[0]
    rows = re.findall(r"\| (\d+)(?: to (\d+))? \| (\d+) ", table)
    said = {
        average: int(limit)
        for first, last, limit in rows
        for average in range(int(first), int(last or first) + 1)
    }
    assert said == {average: acceptable_difference(average) for average in range(101)}


def test_the_names_of_labels_are_the_codes() -> None:
    table = PAGE.partition("| Region | Names of labels |")[2].partition("\n\n")[0]
    said = {
        name: region
        for region, names in re.findall(r"^\| ([a-z ]+) \| (.*) \|$", table, re.M)
        for name in re.findall(r"`(\w+)`", names)
    }
    assert said == {name: region.value for name, region in REGION_OF.items()}
    assert set(said.values()) == {region.value for region in Region}
    for name in MERGED:
        assert f"`{name}`" in PAGE


def test_the_indices_formats_and_limits_are_the_codes() -> None:
    for index in INDICES:
        assert f"| {index.short}, {index.name} | " in PAGE
    for ending in FORMATS:
        assert f"| `{ending}` |" in PAGE
    assert f"fewer than\n{ENOUGH} sperm" in PAGE
    assert OVERLAYS == 12
    assert "the first twelve fields" in PAGE

"""The page on adapting, against the code it speaks of."""

from __future__ import annotations

import re
from pathlib import Path

from androscope.datasets.suggest import MOST

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "adapt.md").read_text("utf-8")


def test_the_page_says_how_many_crops_it_takes() -> None:
    from androscope.learning.adapt.minimum import LEAST, LEAST_PATIENTS

    rows = re.findall(r"^\| (recalibrate|a new branch|everything) \| (\d+) \| (\d+)", PAGE, re.M)
    names = {"recalibrate": "recalibrated", "a new branch": "branch", "everything": "everything"}
    assert {names[name]: (int(each), int(of)) for name, of, each in rows} == dict(LEAST)
    assert f"{LEAST_PATIENTS} of them at least" in PAGE


def test_the_refusal_that_the_page_shows_is_what_is_said() -> None:
    from androscope.datasets.types import Counts
    from androscope.learning.adapt.minimum import lacking

    for reason in lacking({"vacuole": Counts(31, 3)}, ["vacuole"], 34, None):
        assert f"  {reason}\n" in PAGE


def test_the_page_says_how_many_crops_are_ranked() -> None:
    assert f"Of more than {MOST:,} crops" in PAGE

"""The numbers that docs/agreement.md works out, against the code."""

from __future__ import annotations

import inspect
import re
from math import sqrt
from pathlib import Path

import pytest

from androscope.assessment.bland_altman import FEWEST
from androscope.assessment.control_chart import limits
from androscope.assessment.observers import Pair
from androscope.assessment.two_sample import divide
from androscope.cli.drift import drift
from androscope.datasets import moved
from androscope.datasets.appearance import MEASURES

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "agreement.md").read_text("utf-8")


def test_the_table_of_kappa_is_the_codes() -> None:
    rows = re.findall(
        r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+)% \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.M
    )
    assert len(rows) == 2
    for *counts, agreement, kappa, pabak in rows:
        pair = Pair(*map(int, counts), undecided=0)
        assert pair.n == 100
        assert f"{pair.agreement.fraction:.0%}" == f"{agreement}%"
        assert f"{pair.kappa.value:.2f}" == kappa
        assert f"{pair.pabak:.2f}" == pabak


def test_limits_and_numbers_are_the_codes() -> None:
    assert FEWEST == 3
    assert "fewer than three" in PAGE
    assert moved.FEWEST == 20
    assert "fewer than twenty crops" in PAGE
    assert len(MEASURES) == 10
    assert "Ten simple measures" in PAGE
    defaults = {name: p.default for name, p in inspect.signature(drift).parameters.items()}
    assert f"`--alpha`, {defaults['alpha']}" in PAGE
    assert f"{defaults['permutations']} times" in PAGE
    assert 100 * sqrt(0.5 * 0.5 / 25) == pytest.approx(10)
    low, high, _ = limits(0.5, 400)
    assert (high - low) / 2 == pytest.approx(3 * sqrt(0.25 / 400))


@pytest.mark.parametrize(("samples", "whole"), [(5, False), (6, True)])
def test_six_samples_are_enough(samples: int, whole: bool) -> None:
    names = [f"s{i // 2}" for i in range(2 * samples)]
    assert divide(names, names, permutations=9).whole_samples is whole

"""The page on fields: its table of locating is the shipped card's, number by number."""

from __future__ import annotations

from pathlib import Path

import pytest

from androscope.model.locator_bundle import is_shipped, load_locator

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "fields.md"


@pytest.mark.skipif(not is_shipped(), reason="no locator is shipped")
def test_the_table_of_locating_is_the_cards() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = text.partition("<!-- locate:")[2].partition("<!-- /locate -->")[0]
    card = load_locator().card
    rows = [line for line in table.splitlines() if f"| {card.name} {card.version} |" in line]
    assert len(card.scores) >= 3
    for score in card.scores:
        numbers = (score.precision, score.recall, score.f1)
        shown = " | ".join("-" if n is None else f"{n:.3f}" for n in numbers)
        head = f"| {score.dataset} {score.video}, {score.microscopy}"
        (row,) = (row for row in rows if row.startswith(head))
        assert f"| {shown} |" in row
        assert ("other frames learned from" in row) is score.known
        assert f"{score.baseline_f1:.3f}" in table

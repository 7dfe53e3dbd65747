from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.batch.parts import MAX_BYTES, Item, cut

NAMES = st.lists(st.text(max_size=8), unique=True, max_size=200)


def items(names: list[str], size: int = 10) -> list[Item]:
    return [Item(name, size, where=name) for name in names]


@given(names=NAMES, part_size=st.integers(1, 50))
def test_parts_hold_every_item_once_and_in_order(names: list[str], part_size: int) -> None:
    parts = list(cut(items(names), 4, "root", part_size))
    assert [item.name for part in parts for item in part.items] == names
    assert [part.place for part in parts] == [(4, number) for number in range(len(parts))]
    assert all(part.root == "root" for part in parts)
    lengths = [len(part.items) for part in parts]
    assert all(max(1, part_size // 2) <= length <= 2 * part_size for length in lengths[:-1])


def test_an_added_image_changes_the_parts_around_it_only() -> None:
    names = [f"img{number}" for number in range(5000)]
    before = {part.items for part in cut(items(names), 0, None, 50)}
    names.insert(2500, "new")
    after = {part.items for part in cut(items(names), 0, None, 50)}
    assert len(before) > 50
    assert len(before - after) <= 3


def test_a_part_ends_by_its_bytes_too() -> None:
    parts = list(cut(items([str(n) for n in range(10)], MAX_BYTES // 3), 0, None, 1000))
    assert [len(part.items) for part in parts] == [4, 4, 2]


def test_a_part_size_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="part_size must be at least 1, got 0"):
        list(cut([], 0, None, 0))

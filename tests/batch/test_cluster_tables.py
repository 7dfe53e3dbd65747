from __future__ import annotations

import os

import pytest

pytest.importorskip("pyarrow", reason="needs the cluster extra: pyarrow is not installed")

from androscope.batch.cluster_tables import done_table, part_table, read_done, read_part
from androscope.batch.parts import Item, Part
from androscope.batch.work import Done, Tally
from androscope.errors import SourceError


def test_a_part_goes_to_a_node_and_its_rows_come_home() -> None:
    name = os.fsdecode(b"\xff.png")
    items = (Item(name, 3, where=name), Item("a.zip/b", 2, data=b"xy"), Item("c", 0, reason="CRC"))
    part = Part((2, 7), items, "folder")
    assert read_part(part_table([part])) == part
    for done in (Done((2, 7), "key", b"rows", Tally(3, {"image": 1})), Done((2, 7), "key")):
        assert list(read_done(done_table(done))) == [done]


def test_an_error_comes_home_as_it_was() -> None:
    error = SourceError("is gone", path="x", advice="Bring it back")
    heard = read_part(part_table([], error))
    assert (type(heard), str(heard)) == (SourceError, str(error))
    with pytest.raises(SourceError, match=r"^x: is gone\. Bring it back$"):
        list(read_done(done_table(error)))

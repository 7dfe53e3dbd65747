"""Arrow tables that carry parts to a cluster's actors and rows home: nothing is pickled by us.

Names are bytes, for those of files that are no UTF-8. An error is a row too: raised on a node, Ray
would try again and then wrap it beyond recognition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from androscope.batch.parts import Item, Part
from androscope.batch.work import Done, Tally
from androscope.errors import AndroscopeError
from androscope.extras import require

__all__ = ["WHY", "done_table", "part_table", "read_done", "read_part"]

#: What the cluster's packages are needed for, in messages.
WHY = "grade on a cluster"

_KINDS: tuple[type[AndroscopeError], ...] = (AndroscopeError, *AndroscopeError.__subclasses__())
_ERRORS = {kind.code: kind for kind in _KINDS}


def part_table(parts: list[Part], error: AndroscopeError | None = None) -> Any:
    """A row per part, and one more for the error that ended the cutting."""
    pa = require("pyarrow", extra="cluster", why=WHY)
    text = pa.list_(pa.binary())
    kinds = {
        "source": pa.int64(), "number": pa.int64(), "root": pa.binary(), "name": text,
        "size": pa.list_(pa.int64()), "where": text, "data": pa.list_(pa.large_binary()),
        "reason": text, "error": pa.list_(pa.string()),
    }  # fmt: skip
    rows: list[dict[str, Any]] = [
        {
            "source": part.place[0],
            "number": part.place[1],
            "root": _encoded(part.root),
            "name": [_encoded(item.name) for item in part.items],
            "size": [item.size for item in part.items],
            "where": [_encoded(item.where) for item in part.items],
            "data": [item.data for item in part.items],
            "reason": [_encoded(item.reason) for item in part.items],
        }
        for part in parts
    ]
    if error is not None:
        rows.append({"error": _said(error)})
    return pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items())))


def read_part(table: Any) -> Part | AndroscopeError:
    """The one row of a table of parts."""
    (row,) = table.to_pylist()
    if row["error"]:
        return _heard(row["error"])
    items = zip(
        map(_decoded, row["name"]), row["size"], map(_decoded, row["where"]), row["data"],
        map(_decoded, row["reason"]), strict=True,
    )  # fmt: skip
    return Part(
        (row["source"], row["number"]),
        tuple(Item(str(name), *further) for name, *further in items),
        _decoded(row["root"]),
    )


def done_table(done: Done | AndroscopeError) -> Any:
    """One row: what was graded of a part, or why it was not."""
    pa = require("pyarrow", extra="cluster", why=WHY)
    kinds = {
        "source": pa.int64(), "number": pa.int64(), "key": pa.string(), "data": pa.binary(),
        "rows": pa.int64(), "codes": pa.list_(pa.string()), "counts": pa.list_(pa.int64()),
        "error": pa.list_(pa.string()),
    }  # fmt: skip
    if isinstance(done, AndroscopeError):
        row: dict[str, Any] = {"error": _said(done)}
    else:
        row = {
            "source": done.place[0], "number": done.place[1], "key": done.key, "data": done.data
        }  # fmt: skip
        if done.tally is not None:
            row["rows"] = done.tally.rows
            row["codes"], row["counts"] = list(done.tally.failed), list(done.tally.failed.values())
    return pa.Table.from_pylist([row], schema=pa.schema(list(kinds.items())))


def read_done(table: Any) -> Iterator[Done]:
    """What was graded; raises the error that a row is, as it was where it came up."""
    for row in table.to_pylist():
        if row["error"]:
            raise _heard(row["error"])
        tally = None
        if row["data"] is not None:
            failed = dict(zip(row["codes"], row["counts"], strict=True))
            tally = Tally(row["rows"], failed)
        yield Done((row["source"], row["number"]), row["key"], row["data"], tally)


def _said(error: AndroscopeError) -> list[str | None]:
    return [error.code, error.reason, error.path, error.advice]


def _heard(said: list[str | None]) -> AndroscopeError:
    code, reason, path, advice = said
    return _ERRORS.get(str(code), AndroscopeError)(str(reason), path=path, advice=advice)


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogateescape")


def _decoded(text: bytes | None) -> str | None:
    return None if text is None else text.decode("utf-8", "surrogateescape")

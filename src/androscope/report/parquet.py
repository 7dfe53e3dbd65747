"""Results as Parquet: typed columns for data frames over many images. Needs ``[parquet]``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from androscope import __version__
from androscope.extras import require
from androscope.files import atomic_path
from androscope.report.names import NOTICE
from androscope.report.rows import column_names, rows
from androscope.types import Results

__all__ = ["parquet_fields", "parquet_table", "require_parquet", "utf8", "write_parquet"]


def require_parquet() -> Any:
    """Give ``pyarrow`` or raise :class:`MissingExtraError`; ask before a long run, not after."""
    return require("pyarrow", extra="parquet", why="write Parquet files")


def parquet_table(results: Results) -> Any:
    """Give a ``pyarrow.Table`` with the columns of :func:`androscope.report.rows.column_names`.

    Texts are strings, ``index`` int64, probabilities, thresholds and ``error_rate`` float64,
    ``notes`` a list of strings, ``flags`` one of structs. The schema's metadata name the model
    (``androscope.model``, ``.model_version``, ``.model_sha256``), the software and the notice.
    """
    pa = require_parquet()
    columns: dict[str, list[Any]] = {name: [] for name in column_names(results.labels)}
    for row in rows(results):
        for name, value in row.items():
            columns[name].append(utf8(value))
    schema = pa.schema(
        parquet_fields(results.labels),
        metadata={
            "androscope.version": __version__,
            "androscope.model": results.model,
            "androscope.model_version": results.model_version,
            "androscope.model_sha256": results.model_sha256,
            "androscope.notice": NOTICE,
        },
    )
    return pa.table(columns, schema=schema)


def parquet_fields(labels: Sequence[str]) -> list[tuple[str, Any]]:
    """Give name and Arrow type of each column, in order."""
    pa = require_parquet()
    flag = pa.struct(
        [
            ("check", pa.string()),
            ("value", pa.float64()),
            ("limit", pa.float64()),
            ("reason", pa.string()),
        ]
    )
    kinds = {"index": pa.int64(), "notes": pa.list_(pa.string()), "error_rate": pa.float64()}
    kinds["flags"] = pa.list_(flag)
    for label in labels:
        kinds[f"{label}_probability"] = kinds[f"{label}_threshold"] = pa.float64()
    return [(name, kinds.get(name, pa.string())) for name in column_names(labels)]


def write_parquet(path: str | Path, results: Results) -> None:
    """Write :func:`parquet_table` to ``path``, whole or not at all.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    OutputError
        If it cannot be written.
    """
    table = parquet_table(results)
    writer = require("pyarrow.parquet", extra="parquet", why="write Parquet files")
    with atomic_path(path) as temporary:
        writer.write_table(table, temporary)


def utf8(value: Any) -> Any:
    """Text, or a tuple of texts, made valid UTF-8: bytes of a name that are not become escapes."""
    if isinstance(value, tuple):
        return [utf8(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return value

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from androscope.errors import MissingExtraError, OutputError
from androscope.report.parquet import require_parquet, write_parquet
from androscope.types import Results


@pytest.fixture
def pq() -> Any:
    return pytest.importorskip("pyarrow.parquet", reason="needs the parquet extra")


FLAG = "struct<check: string, value: double, limit: double, reason: string>"


def test_it_reads_back_with_types(pq: Any, results: Results, tmp_path: Path) -> None:
    write_parquet(tmp_path / "r.parquet", results)
    table = pq.read_table(tmp_path / "r.parquet")
    assert [(f.name, str(f.type)) for f in table.schema] == [
        ("image", "string"), ("index", "int64"), ("status", "string"),
        ("head_verdict", "string"), ("head_probability", "double"), ("head_threshold", "double"),
        ("tail_verdict", "string"), ("tail_probability", "double"), ("tail_threshold", "double"),
        ("error_rate", "double"),
        ("flags", f"list<element: {FLAG}>"), ("notes", "list<element: string>"),
        ("error_code", "string"),
        ("error_reason", "string"), ("error_advice", "string"),
    ]  # fmt: skip
    rows = table.to_pylist()
    assert [row["status"] for row in rows] == ["assessed", "assessed", "failed"]
    assert rows[0]["image"] == "day 3/a.png"
    assert (rows[0]["index"], rows[1]["index"]) == (None, 4)
    assert (rows[0]["tail_verdict"], rows[0]["tail_probability"]) == ("abnormal", 0.75)
    assert rows[1]["notes"] == ["16-bit scaled to 8"]
    assert rows[2]["image"] == "=cmd|' /C calc'!A0.png"
    assert rows[2]["head_probability"] is None
    metadata = table.schema.metadata
    assert metadata[b"androscope.model"] == b"tiny"
    assert metadata[b"androscope.model_version"] == b"1.2.3"
    assert metadata[b"androscope.model_sha256"] == b"ab" * 32
    assert metadata[b"androscope.notice"] == b"For research use only: not a medical device."


def test_nothing_assessed_keeps_the_schema(pq: Any, nothing: Results, tmp_path: Path) -> None:
    write_parquet(tmp_path / "r.parquet", nothing)
    table = pq.read_table(tmp_path / "r.parquet")
    assert (table.num_rows, table.num_columns) == (0, 15)


def test_a_folder_is_no_place_for_a_file(pq: Any, results: Results, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_parquet(tmp_path, results)


def test_without_pyarrow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError) as caught:
        require_parquet()
    assert str(caught.value) == (
        "pyarrow is needed to write Parquet files, and is not installed. "
        "Run: pip install 'androscope[parquet]'"
    )

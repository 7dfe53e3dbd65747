"""The report as JSON, and the JSON Schema that it keeps to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from androscope.files import write_text
from androscope.report.sample.document import SCHEMA, SampleReport

__all__ = ["SCHEMA_FILE", "json_text", "schema_text", "write_json"]

#: The schema as it is published: in the wheel, and a copy in docs/.
SCHEMA_FILE = Path(__file__).resolve().parent / "schema.json"


def json_text(report: SampleReport) -> str:
    """Give the report as text, in ASCII."""
    document: dict[str, Any] = report.model_dump(mode="json", by_alias=True)
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def write_json(path: str | Path, report: SampleReport) -> None:
    """Write :func:`json_text`. Raises :class:`~androscope.errors.OutputError`."""
    write_text(path, json_text(report))


def schema_text() -> str:
    """JSON Schema (draft 2020-12) of the report, made from its model."""
    schema = SampleReport.model_json_schema(mode="serialization", by_alias=True)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA.replace('/', ':').replace('.', ':', 1)}",
        **schema,
    }
    return json.dumps(schema, indent=1) + "\n"

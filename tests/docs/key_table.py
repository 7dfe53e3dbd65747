"""The table of a file's keys as a page must have it, from the schema; and as the page has it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from androscope.learning.config_keys import _default, describe


def rows(tables: Mapping[str, type[BaseModel]]) -> list[str]:
    """Lines of the table: a row per key of each schema, by what stands before its keys.

    A key that has a schema of its own among them, such as ``recipes`` where there is
    ``recipes.NAME.``, has no row.
    """
    found = ["| Key | Takes | Default | What it is |", "| --- | --- | --- | --- |"]
    for prefix, table in tables.items():
        for name, field in table.model_fields.items():
            if any(other.startswith(f"{prefix}{name}.") for other in tables):
                continue
            takes = describe(field.annotation, tuple(field.metadata))
            found.append(
                f"| `{prefix}{name}` | {takes} | `{_default(field)}` | {field.description} |"
            )
    return found


def rows_on(page: str) -> list[str]:
    """Lines of the table between the page's marks."""
    return page.partition("<!-- keys -->\n")[2].partition("<!-- /keys -->")[0].strip().splitlines()

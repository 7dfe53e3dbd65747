"""Every word that pages show stands in ``texts.json``, by page; a translation is another file."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

__all__ = ["catalogue", "text"]

_FILE = Path(__file__).resolve().parent / "texts.json"


@lru_cache(maxsize=1)
def catalogue() -> dict[str, str]:
    """Every text by its key, such as ``samples.title``."""
    pages: dict[str, dict[str, str]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return {f"{page}.{key}": words for page, texts in pages.items() for key, words in texts.items()}


def text(key: str, /, **facts: object) -> str:
    """Give a text with ``{names}`` replaced. A key that is not there raises :class:`KeyError`.

    Where ``count`` is given and is 1, ``KEY.one`` is taken if there is one.
    """
    texts = catalogue()
    if facts.get("count") == 1 and f"{key}.one" in texts:
        key = f"{key}.one"
    return texts[key].format_map(facts)

"""A bundle to load, and copies of it to damage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TINY = Path(__file__).resolve().parent.parent / "data" / "tiny-bundle"


@pytest.fixture
def tiny() -> Path:
    return TINY


@pytest.fixture
def bundle_copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "bundle"))


@pytest.fixture
def edit_card(bundle_copy: Path) -> Callable[..., Path]:
    """Set (or, with ``...``, remove) dotted fields of the copy's card; give back its folder."""

    def edit(**changes: Any) -> Path:
        path = bundle_copy / "card.json"
        card = json.loads(path.read_text(encoding="utf-8"))
        for dotted, value in changes.items():
            *parents, last = dotted.split("__")
            table = card
            for parent in parents:
                table = table[parent]
            if value is ...:
                del table[last]
            else:
                table[last] = value
        path.write_text(json.dumps(card), encoding="utf-8")
        return bundle_copy

    return edit

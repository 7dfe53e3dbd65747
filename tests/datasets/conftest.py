"""Pictures that differ from one another, and tables of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from androscope.types import UInt8Array


def picture(number: int, size: int = 64) -> UInt8Array:
    """A crop unlike that of any other number."""
    rng = np.random.default_rng(number)
    coarse = rng.integers(60, 200, (8, 8), dtype=np.uint8)
    return np.kron(coarse, np.ones((size // 8, size // 8), np.uint8)).astype(np.uint8)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Save ``picture(number)`` under a path below the test's folder."""

    def save_it(name: str, number: int, size: int = 64) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number, size)).save(path)
        return path

    return save_it


@pytest.fixture
def lab(tmp_path: Path, save: Callable[..., Path]) -> Callable[[str], Path]:
    """A folder with ``a.png`` to ``f.png`` and a table of the given text; gives the table."""

    def lay_out(text: str, encoding: str = "utf-8") -> Path:
        for number, name in enumerate("abcdef"):
            save(f"{name}.png", number)
        table = tmp_path / "lab.csv"
        table.write_bytes(text.encode(encoding))
        return table

    return lay_out

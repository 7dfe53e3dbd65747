"""What is asked of every picture: that there is something on it, and always the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image


def colours(path: Path) -> int:
    """How many colours a PNG has."""
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return len(picture.convert("RGB").getcolors(10**6) or ())


def drawn_twice(
    draw: Callable[[Path], None], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Draw into two folders, under two users' settings; give the names of the pictures."""
    import matplotlib

    (folder / "a").mkdir()
    (folder / "b").mkdir()
    draw(folder / "a")
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 30.0)
    monkeypatch.setitem(matplotlib.rcParams, "figure.dpi", 30.0)
    draw(folder / "b")
    pictures = sorted((folder / "a").glob("*.png"))
    for path in pictures:
        assert colours(path) > 20
        assert path.read_bytes() == (folder / "b" / path.name).read_bytes(), path.name
    assert matplotlib.rcParams["font.size"] == 30.0
    return [path.name for path in pictures]

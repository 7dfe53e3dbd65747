"""A folder of small pictures, and a batch over it with the tests' own bundle."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pyarrow", reason="needs the batch extra: pyarrow is not installed")
pytest.importorskip("fsspec", reason="needs the batch extra: fsspec is not installed")
pytest.importorskip("filelock", reason="needs the batch extra: filelock is not installed")

TINY = Path(__file__).resolve().parent.parent / "data" / "tiny-bundle"


def png(seed: int) -> bytes:
    """A picture of 64 x 64 px."""
    blocks = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(blocks.repeat(8, axis=0).repeat(8, axis=1)).save(stream, "PNG")
    return stream.getvalue()


def fill(folder: Path, count: int) -> Path:
    """Write ``img0.png`` to ``imgN.png``, one of them no picture, one empty."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"img{number}.png").write_bytes(png(number))
    (folder / "img3.png").write_bytes(b"no picture")
    (folder / "img5.png").write_bytes(b"")
    return folder


@pytest.fixture(autouse=True)
def _tiny_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDROSCOPE_MODEL", str(TINY))


@pytest.fixture
def crops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with ``crops/img0.png`` to ``img59.png``; gives ``crops``."""
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "crops", 60)
    return Path("crops")


Rows = Callable[[Path | str], list[dict[str, Any]]]


@pytest.fixture
def rows() -> Rows:
    """Read the rows of an output."""
    parquet = pytest.importorskip("pyarrow.parquet")

    def read(path: Path | str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
        return found

    return read

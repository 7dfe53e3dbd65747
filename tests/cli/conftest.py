"""The command line, run in this process the way the installed command runs it."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from androscope.cli.main import main

TINY = Path(__file__).resolve().parent.parent / "data" / "tiny-bundle"


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``androscope`` with arguments; ``stdin`` is what it reads there."""

    def run_it(*arguments: object, stdin: str = "") -> Outcome:
        monkeypatch.setattr(sys, "argv", ["androscope", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run_it


@pytest.fixture
def tiny_model(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the tests' own bundle the one that grades; gives its folder."""
    monkeypatch.setenv("ANDROSCOPE_MODEL", str(TINY))
    return TINY


@pytest.fixture
def crops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with ``crops/img1.png, img2.png, img10.png``; gives it."""
    (tmp_path / "crops").mkdir()
    draw = np.random.default_rng(0)
    for number in (1, 2, 10):
        blocks = draw.integers(0, 256, (8, 8), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        Image.fromarray(blocks).save(tmp_path / "crops" / f"img{number}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path

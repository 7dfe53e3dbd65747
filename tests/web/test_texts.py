"""The catalogue of texts: every word that pages ask for is there, and none that nobody asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import androscope.web
from androscope.web.texts import catalogue, text

HERE = Path(androscope.web.__file__).parent


def asked() -> tuple[set[str], set[str]]:
    """Keys that templates and modules name, and beginnings that they complete."""
    whole, begun = set(), set()
    for path in [*HERE.rglob("*.html"), *HERE.rglob("*.py")]:
        source = path.read_text("utf-8")
        whole |= set(re.findall(r"""["'(\[]([a-z_]+\.[a-z_]+)["']""", source))
        begun |= set(re.findall(r"""["']([a-z_]+\.(?:[a-z]+\.)?)["'] ?~""", source))
        begun |= set(re.findall(r"""f["']([a-z_]+\.(?:[a-z]+\.)?)\{""", source))
    return whole, begun


def test_every_text_that_is_asked_for_is_there() -> None:
    pages = {key.partition(".")[0] for key in catalogue()}
    for path in HERE.rglob("*.html"):
        for key in re.findall(r"""\bt\(["']([a-z_.]+[a-z_])["'][,)]""", path.read_text("utf-8")):
            assert key in catalogue(), f"{path.name}: {key}"
    for path in HERE.rglob("*.py"):
        for key in re.findall(r"""\btext\(\s*["']([a-z_.]+)["']""", path.read_text("utf-8")):
            assert key in catalogue(), f"{path.name}: {key}"
    assert pages


def test_no_text_is_left_over() -> None:
    whole, begun = asked()
    for key in catalogue():
        plain = key.removesuffix(".one")
        named = plain in whole or any(plain.startswith(start) for start in begun)
        assert named, f"nobody asks for {key}"


def test_one_is_not_many() -> None:
    assert text("progress.failed", count=1) == "1 file could not be used."
    assert text("progress.failed", count=2) == "2 files could not be used."
    with pytest.raises(KeyError):
        text("no.such")

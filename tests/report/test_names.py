from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.report.names import html_safe, printable, spreadsheet_name, spreadsheet_text

FORMULA = ("=", "+", "-", "@", "\t", "\r")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("größe µ 精子.png", "größe µ 精子.png", id="any script stays"),
        pytest.param("a\nb\x1b[31m.png", r"a\nb\x1b[31m.png", id="control characters"),
        pytest.param(os.fsdecode(b"\xff\xfe.png"), r"\xff\xfe.png", id="bytes that are no UTF-8"),
        pytest.param("a\u202egnp.exe", "a\\u202egnp.exe", id="text turned right to left"),
    ],
)
def test_printable(name: str, shown: str) -> None:
    assert printable(name) == shown


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        pytest.param("=1+1.png", "./=1+1.png", id="equals"),
        pytest.param("+1.png", "./+1.png", id="plus"),
        pytest.param("-1.png", "./-1.png", id="minus"),
        pytest.param("@SUM(A1).png", "./@SUM(A1).png", id="at"),
        pytest.param("\t=1.png", "./\t=1.png", id="tab"),
        pytest.param("a=1.png", "a=1.png", id="inside is harmless"),
        pytest.param("/data/=1.png", "/data/=1.png", id="absolute"),
    ],
)
def test_spreadsheet_names_still_name_the_file(name: str, cell: str) -> None:
    assert spreadsheet_name(name) == cell
    assert os.path.normpath(cell) == os.path.normpath(name)


def _is_text(text: str) -> bool:
    return not any(0xD800 <= ord(c) < 0xDC80 or 0xDCFF < ord(c) < 0xE000 for c in text)


@given(st.binary(max_size=30))
def test_any_file_name_can_be_written(raw: bytes) -> None:
    name = os.fsdecode(raw)
    for shown in (printable(name), spreadsheet_name(name), spreadsheet_text(name)):
        shown.encode("utf-8")
    assert printable(name).isprintable()
    assert not spreadsheet_name(name).startswith(FORMULA)
    assert not spreadsheet_text(name).startswith(FORMULA)


@given(st.text(max_size=30).filter(_is_text))
def test_printing_twice_changes_nothing_more(text: str) -> None:
    assert printable(printable(text)) == printable(text)


def test_text_in_a_page_can_neither_end_a_tag_nor_an_attribute() -> None:
    assert html_safe("<b>\"a\" & 'b'\x1b") == "&lt;b&gt;&quot;a&quot; &amp; &#x27;b&#x27;\\x1b"

"""What the pages of reference say, against the code they speak of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from androscope import errors
from androscope.errors import AndroscopeError
from androscope.imaging.crop import MAX_SIDE, MIN_SIDE
from androscope.imaging.formats import EXTENSIONS
from androscope.model.card import Card, CropInput, Network, SplitFacts, TrainingData
from androscope.model.card_interval import Interval
from androscope.report.html import THUMBNAILS
from androscope.report.json import SCHEMA
from androscope.report.rows import column_names
from androscope.settings import PREFIX, Settings

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
ERRORS = [getattr(errors, name) for name in errors.__all__]


def _page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: e.__name__)
def test_every_error_has_its_section(error: type[AndroscopeError]) -> None:
    sections = dict(re.findall(r"^### (\S+)\n\n(.*?)(?=^##|\Z)", _page("errors"), re.M | re.S))
    assert sections[error.code].startswith(f"`{error.__name__}`. ")


def test_no_section_is_of_an_error_that_is_gone() -> None:
    headings = re.findall(r"^### (\S+)$", _page("errors"), re.M)
    assert sorted(headings) == sorted(error.code for error in ERRORS)


def _range(name: str) -> str:
    limits = {type(m).__name__: m for m in Settings.model_fields[name].metadata}
    if "Ge" not in limits:
        return ""
    low = limits["Ge"].ge
    return f" ({low} to {limits['Le'].le})" if "Le" in limits else f" (from {low})"


def test_the_settings_page_is_the_table_of_settings() -> None:
    special = {
        "data": "not set",
        "cache": "the user's data folder",
        "home": "the user's data folder",
        "records": "`records.db` in `ANDROSCOPE_HOME`",
        "error_rate": "not set (above 0, to 0.5)",
        "bit_depth": "not set (8 to 16)",
    }
    expected = [
        (
            f"`{PREFIX}{name.upper()}`",
            special.get(name, f"`{field.default}`{_range(name)}"),
            field.description,
        )
        for name, field in Settings.model_fields.items()
    ]
    rows = re.findall(r"^\| (`ANDROSCOPE_\w+`) \| (.*?) \| (.*?) \|$", _page("settings"), re.M)
    assert rows == expected


def test_the_bundles_page_names_every_field_of_a_card() -> None:
    table = _page("bundles").partition("## The fields of `card.json`")[2]
    first = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", table, re.M))))
    assert first == set(Card.model_fields)
    for inner in (CropInput, Network, TrainingData, SplitFacts, Interval):
        for name in inner.model_fields:
            assert f"`{name}`" in table


def test_the_assess_page_names_every_column() -> None:
    table = _page("assess").partition("### CSV and Parquet")[2].partition("### JSON")[0]
    named = set(re.findall(r"`([\w<>]+)`", " ".join(re.findall(r"^\| (`.*?) \|", table, re.M))))
    assert named == set(column_names(["<label>"]))


def test_the_assess_page_names_every_field_of_the_json() -> None:
    from androscope.report.json import json_document
    from androscope.types import Results

    results = Results(model="m", model_sha256="0", labels=("head",), assessments=())
    table = _page("assess").partition("### JSON")[2].partition("### HTML")[0]
    named = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", table, re.M)))
    document = json_document(results)
    assert named == list(document)
    for inner in (document["model"], document["summary"], document["summary"]["all_normal"]):
        for name in inner:
            assert f"`{name}`" in table
    assert f"`{SCHEMA}`" in table


def test_the_assess_page_has_the_codes_numbers() -> None:
    page = " ".join(_page("assess").split())
    assert f"{MIN_SIDE} to {MAX_SIDE} pixels a side" in page
    assert f"crops for the first {THUMBNAILS} images" in page
    for ending in EXTENSIONS:
        assert f"`{ending}`" in page

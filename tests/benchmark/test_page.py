from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from androscope.benchmark.board import read_board
from androscope.benchmark.entries import Board, Kind
from androscope.benchmark.page import page_text, write_page
from androscope.errors import OutputError
from androscope.learning.metrics import METRICS, TITLES

from .conftest import board, entry
from .pages import Element, Page
from .test_entries import SEEN

SHIPPED = Page(page_text(read_board(), "mhsma"))


def rows(page: Page, number: int = 0) -> list[list[str]]:
    """Text of a table's rows, cell by cell."""
    body = page.all("tbody")[number]
    return [[" ".join(cell.text.split()) for cell in row.children] for row in body.all("tr")]


def test_each_label_has_a_table_and_a_plot_per_metric() -> None:
    sections = SHIPPED.all("section")
    assert [s.attributes["id"] for s in sections] == ["head", "acrosome", "vacuole"]
    for section in sections:
        assert len(section.all("table")) == 1
        captions = [figure.text for figure in section.all("figcaption")]
        assert captions == list(TITLES.values())
        assert len(section.all("svg")) == len(METRICS)
    links = [a.attributes["href"] for a in SHIPPED.all("nav")[0].all("a")]
    assert links == ["#head", "#acrosome", "#vacuole"]


def test_the_published_rows_stand_in_their_order() -> None:
    found = rows(SHIPPED)
    published = [row for row in found if row[-1] != "✓ verified"]
    # Two of ours have the same accuracy, and share a rank.
    assert [row[0] for row in found] == ["1", "2", "3", "3", "5", "6", "7", "8", "-"]
    assert [row[2] for row in published] == ["90", "84.00", "82.00", "77.33", "77.00", "73.00"]
    assert found[0][9:] == ["2023-01-18", "unknown", "unverified"]
    assert found[1][2:9] == ["84.00", "87.01", "91.78", "87.92", "89.36", "81.56", "0.578"]
    assert found[-1][1].startswith("All called normal")
    assert found[-1][-1] == "baseline"
    assert "How ROC AUC was computed is not known" in found[1][1]


def test_sources_papers_and_code_are_linked() -> None:
    links = {a.attributes["href"] for a in SHIPPED.all("a")}
    for one in read_board().of("mhsma"):
        assert one.source.url is None or one.source.url in links
        assert one.paper is None or one.paper.url in links
        assert one.code is None or one.code in links


def test_a_verified_row_says_what_was_checked() -> None:
    scores = {"head": {"accuracy": {"value": 0.8, "low": 0.7, "high": 0.9}}}
    page = Page(page_text(board(entry(verification=SEEN, scores=scores)), "discs"))
    (row,) = rows(page)
    assert row[2] == "80.0070.0 to 90.0"
    assert row[3:9] == ["-"] * 6
    assert row[-1] == "✓ verified"
    assert "No code known" in row[1]
    assert "Abnormal from a probability of 0.5, as submitted." in row[1]
    assert "2000 draws, seed 0. Checked 2024-05-06 by androscope 0.1.0." in row[1]
    assert f"SHA-256 of the predictions {'a' * 64}, of the labels {'b' * 64}." in row[1]


def best_of(label: str) -> list[str]:
    """The largest value of each metric, calling all normal left aside."""
    found = [e.scores[label] for e in read_board().of("mhsma") if e.kind is Kind.RESULT]
    values = {m: max(f[m].value for f in found if m in f and f[m].value) for m in METRICS}
    shown = {m: f"{v:.3f}" if m == "mcc" else f"{100 * v:.2f}" for m, v in values.items()}
    return [text.removesuffix(".00") if text == "90.00" else text for text in shown.values()]


def test_the_best_of_each_metric_stands_out() -> None:
    best = [e.text for e in SHIPPED.all("tbody")[0].all("strong")]
    assert sorted(set(best)) == sorted(best_of("head"))


def test_sorting_has_what_it_needs() -> None:
    for table in SHIPPED.all("table"):
        heads = table.all("thead")[0].all("th")
        assert [h.text for h in heads if h.attributes.get("data-kind") == "number"] == list(
            TITLES.values()
        )
        assert [h.text for h in heads if "aria-sort" in h.attributes] == ["accuracy"]
        for row in table.all("tbody")[0].all("tr"):
            assert len(row.children) == len(heads)
            for head, cell in zip(heads, row.children, strict=True):
                kind = head.attributes.get("data-kind")
                value = cell.attributes.get("data-sort")
                assert (value is None) == (kind is None)
                if kind == "number" and value:
                    assert re.fullmatch(r"-?\d\.\d{6}", value)
    first = SHIPPED.all("tbody")[0].all("tr")[1]
    ranks = [c.attributes.get("data-rank") for c in first.all("td") if "score" in str(c.attributes)]
    # Recall of the paper's DTL: the fifth, behind its DMTL's and three verified ones'.
    assert ranks == ["2", "1", "5", "1", "1", "1", "1"]


def test_nothing_is_fetched_and_only_the_pages_own_script_runs() -> None:
    text = page_text(read_board(), "mhsma")
    tags = {e.tag for e in _everything(SHIPPED.root)}
    assert not tags & {"link", "iframe", "object", "embed", "form", "base", "img"}
    for element in _everything(SHIPPED.root):
        assert not [n for n in element.attributes if n.startswith("on") or n in {"src", "style"}]
        href = str(element.attributes.get("href", "#"))
        assert href.startswith(("#", "https://"))
    assert "url(" not in text
    assert "@import" not in text
    (script,) = SHIPPED.all("script")
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    (policy,) = [
        str(m.attributes["content"])
        for m in SHIPPED.all("meta")
        if m.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src ")
    assert f"script-src 'sha256-{digest}';" in policy


def _everything(element: Element) -> list[Element]:
    return [found for child in element.children for found in (child, *_everything(child))]


def test_it_is_made_for_phones_darkness_and_screen_readers() -> None:
    text = page_text(read_board(), "mhsma")
    assert "prefers-color-scheme: dark" in text
    assert SHIPPED.all("html")[0].attributes == {"lang": "en"}
    assert 'content="width=device-width, initial-scale=1"' in text
    assert len(SHIPPED.all("h1")) == len(SHIPPED.all("main")) == len(SHIPPED.all("title")[:1]) == 1
    assert all(h.attributes.get("scope") in {"row", "col"} for h in SHIPPED.all("th"))
    assert all(s.attributes["aria-label"] for s in SHIPPED.all("svg"))
    assert len(SHIPPED.all("caption")) == len(SHIPPED.all("table"))
    for region in (d for d in SHIPPED.all("div") if d.attributes.get("class") == "scroll"):
        assert region.attributes["tabindex"] == "0"
        assert region.attributes["aria-label"]


def test_the_same_board_gives_the_same_page() -> None:
    assert page_text(read_board(), "mhsma") == page_text(read_board(), "mhsma")


def test_a_board_without_a_result() -> None:
    page = page_text(board(entry(kind="baseline")), "discs")
    assert "There is no result yet." in page
    assert Page(page).all("table") == []


CHARACTERS = st.characters(codec="utf-8", categories=["L", "P", "S", "N"])
LINE = st.text(CHARACTERS, min_size=1, max_size=30)


@given(name=LINE, remark=LINE)
@settings(max_examples=25)
def test_no_name_breaks_out(name: str, remark: str) -> None:
    def shape(there: Board) -> list[tuple[str, list[str]]]:
        root = Page(page_text(there, "discs")).root
        return [(e.tag, sorted(e.attributes)) for e in _everything(root)]

    paper = {"text": remark}
    made = entry(name, remarks=[remark], paper=paper, source=paper)
    plain = entry("n", remarks=["r"], paper={"text": "p"}, source={"text": "p"})
    assert shape(board(made)) == shape(board(plain))


def test_it_is_written_whole(tmp_path: Path) -> None:
    write_page(tmp_path / "sub" / "b.html", read_board(), "mhsma")
    assert (tmp_path / "sub" / "b.html").read_text(encoding="utf-8").endswith("</html>\n")
    with pytest.raises(OutputError, match="cannot be written"):
        write_page(tmp_path / "sub", read_board(), "mhsma")

"""PDF, HTML, JSON and CSV of one report: they say the same, and take any name."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from androscope.assessment.findings import Overlay
from androscope.errors import MissingExtraError, OutputError
from androscope.report.sample import html, pdf
from androscope.report.sample.build import build_report
from androscope.report.sample.csv import csv_text
from androscope.report.sample.document import SampleReport
from androscope.report.sample.json import SCHEMA_FILE, json_text, schema_text
from androscope.report.sample.outputs import report_files, write_report
from androscope.report.sample.pictures import galleries
from androscope.types import Failure

WHEN = datetime(2024, 1, 2, 3, 4, tzinfo=UTC)
DOCS = Path(__file__).resolve().parent.parent.parent.parent / "docs"
# Typst code, HTML, a spreadsheet's formula, a terminal's escape, letters no font has.
HOSTILE = (
    '#panic("x") $a$ *b* _c_ @d <e> \\ "q" `r` [s] {t} //u <script>alert(1)</script>\x1b[31m 名.tif'
)
FAILED = Failure("=cmd|' /C calc'!A0.png", None, "image-unreadable", "is empty", "Export again")


def text_of_pdf(data: bytes) -> str:
    """All of its text, on one line, without the breaks that were put into long names."""
    pypdf = pytest.importorskip("pypdf", reason="pypdf is of the dev dependencies")
    pages = pypdf.PdfReader(io.BytesIO(data)).pages
    text = " ".join(page.extract_text() for page in pages).replace("\u200b", "")
    return " ".join(text.split())


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name in ("src", "href"):
                assert value is not None
                assert value.startswith("data:image/")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def findings(make: Any) -> Any:
    return make(
        {"a": ["nnn", "nan", "ann"] * 20, "b": ["nnn", "nnn", "aan"] * 20},
        excluded=(("the head is cut by the frame's edge", True),),
        failures=(FAILED,),
    )


SAID = (
    "For research use only: not a medical device.",
    "S-17",
    "2024-01-02 03:04 UTC",
    "50.0%",
    "60 of 120 sperm; 95% interval 41.2% to 58.8%",
    "Fewer than 200 sperm were assessed (120)",
    "WHO's lower reference limit is 4% normal forms (95% interval 3.9% to 4.0%;",
    "A reference, not a diagnosis.",
    "not available with this model",
    "the head is cut by the frame's edge",
    "The replicates do not agree: 33.3% and 66.7% normal differ by 33.3 points, more than the 10",
    "Assess two new replicates.",
    "TZI, teratozoospermia index",
    "TZI, SDI, MAI not assessed: all four regions are needed",
    "Signature",
    "Comment",
    "Most certain abnormal",
    "Undecided verdicts are not available with this model.",
    "tiny 0.0.1",
    "is empty",
    f"{1:064x}",
)


def test_the_pdf_says_it_all(findings: Any) -> None:
    report = build_report(findings, created=WHEN)
    text = text_of_pdf(pdf.pdf_bytes(report, findings)).replace("’", "'")
    for said in (*SAID, report.model.sha256, *report.model.limitations):
        assert " ".join(said.split()) in text


def test_the_page_says_it_all(findings: Any) -> None:
    report = build_report(findings, created=WHEN)
    page = Page(html.html_text(report, findings))
    text = " ".join(" ".join(page.words).split())
    for said in (*SAID, report.model.sha256, *report.model.limitations):
        assert " ".join(said.split()) in text
    assert "script" not in page.tags


def test_undecided_sperm_are_shown_counted_and_explained(
    make: Any, card_that_abstains: Any
) -> None:
    card = card_that_abstains(("head", "acrosome", "vacuole"))
    findings = make({"a": ["nnn", "nun", "nan", "unu"]}, error_rate=0.1, card=card)
    report = build_report(findings, created=WHEN)
    page = " ".join(" ".join(Page(html.html_text(report, findings)).words).split())
    text = text_of_pdf(pdf.pdf_bytes(report, findings)).replace("’", "'")
    for said in (
        "2 of 4 sperm are undecided and left to you",
        "with them it could be anything from 25.0% to 75.0%",
        "Error rate allowed",
        "0.1: Of each part, at most 10% of the truly normal sperm are called abnormal",
        "Undecided in probability",
        "head 0.41 to 0.59",
        "Undecided, all of them",
        "2 sperm of which no part is abnormal and at least one is undecided.",
    ):
        assert said in page
        assert said in text
    plain = make({"a": ["nnn"]}, card=card)
    shown = html.html_text(build_report(plain, created=WHEN), plain)
    assert "Undecided verdicts are not asked for (--error-rate)." in shown


def test_the_same_report_is_the_same_file(findings: Any) -> None:
    for render in (pdf.pdf_bytes, html.html_text):
        first = render(build_report(findings, created=WHEN), findings)
        assert render(build_report(findings, created=WHEN), findings) == first
    assert b"2024" in pdf.pdf_bytes(build_report(findings, created=WHEN), findings)


def test_hostile_names_are_words_and_nothing_else(make: Any) -> None:
    findings = make(
        {"a": ["nnn"], "#b": ["ann"]}, name=HOSTILE, sample_id=HOSTILE, failures=(FAILED,),
        notes=(HOSTILE,),
    )  # fmt: skip
    report = build_report(findings, created=WHEN)
    text = text_of_pdf(pdf.pdf_bytes(report, findings))
    for part in ('#panic("x")', "*b*", "_c_", "@d", "`r`", "[s]", "{t}", "//u", "<script>alert(1)"):
        assert part in text
    assert "\\x1b[31m \\u540d.tif" in text
    page = Page(html.html_text(report, findings))
    assert "script" not in page.tags
    assert "e" not in page.tags
    assert "<script>alert(1)</script>" in " ".join(page.words)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("field-1.tif", "field-1.tif", id="short"),
        pytest.param("é Ω Ж", "é Ω Ж", id="letters of the fonts"),
        pytest.param("精子", "\\u7cbe\\u5b50", id="others"),
        pytest.param("ab" * 32, "ab" * 32, id="hash"),
        pytest.param("x" * 40, "\u200b".join(["x" * 18, "x" * 18, "xxxx"]), id="long run"),
        pytest.param("replicate-1/field.tif", "replicate-\u200b1/\u200bfield.\u200btif", id="path"),
    ],
)
def test_text_in_a_pdf(name: str, shown: str) -> None:
    assert pdf.pdf_text(name) == shown


def test_a_sample_without_sperm_makes_every_rendering(make: Any) -> None:
    findings = make({"a": [], "b": []})
    report = build_report(findings, created=WHEN)
    for text in (
        text_of_pdf(pdf.pdf_bytes(report, findings)),
        " ".join(" ".join(Page(html.html_text(report, findings)).words).split()),
    ):
        assert "This sample has no result: no sperm was found in it." in text
        assert "no result" in text
    assert json.loads(json_text(report))["normal"]["fraction"] is None
    assert len(csv_text(report).splitlines()) == 1


def test_pictures_are_inside(make: Any) -> None:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (40, 30)).save(stream, "JPEG")
    findings = make(
        {"a": ["nnn", "nnn", "ann"]},
        overlays=(Overlay("a/field.tif", stream.getvalue()),),
        fields=3,
    )
    report = build_report(findings)
    text = html.html_text(report, findings)
    assert len(re.findall(r'<img src="data:image/png', text)) == 3
    assert len(re.findall(r'<img src="data:image/jpeg', text)) == 1
    assert "The first 1 of 3 are shown" in text
    pypdf = pytest.importorskip("pypdf", reason="pypdf is of the dev dependencies")
    pages = pypdf.PdfReader(io.BytesIO(pdf.pdf_bytes(report, findings))).pages
    assert sum(len(page.images) for page in pages) == 4


def test_the_gallery_is_of_the_most_certain(make: Any) -> None:
    findings = make({"a": ["nnn", "nan", "nun", "nnn", "aaa"] * 10})
    normal, abnormal, undecided = galleries(findings, most=3)
    # Probabilities fall by number: the last normal one is the clearest, the first abnormal one.
    assert [f.name for f in normal.finds] == ["a/field.tif#49", "a/field.tif#46", "a/field.tif#44"]
    assert [f.name for f in abnormal.finds] == ["a/field.tif#2", "a/field.tif#5", "a/field.tif#7"]
    assert (len(undecided.finds), undecided.of) == (10, 10)


def test_every_undecided_sperm_is_shown(make: Any) -> None:
    findings = make({"a": ["nun"] * 30 + ["nnn"]})
    page = Page(html.html_text(build_report(findings), findings))
    words = " ".join(page.words)
    assert "30 sperm of which no part is abnormal and at least one is undecided." in words
    assert page.tags.count("img") == 31
    assert "30 sperm are undecided and not in this fraction" in words


def test_json_is_what_the_model_reads(findings: Any) -> None:
    report = build_report(findings, created=WHEN)
    document = json.loads(json_text(report))
    assert document["schema"] == "androscope.sample-report/1"
    assert document["created"] == "2024-01-02T03:04:00Z"
    assert SampleReport.model_validate_json(json_text(report)) == report


def test_the_published_schemas_are_the_models() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()
    assert (DOCS / "sample-report.schema.json").read_text(encoding="utf-8") == schema_text()


def test_json_keeps_to_the_schema(findings: Any, make: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is of the dev dependencies")
    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    validator.check_schema(validator.schema)
    for of in (findings, make({"a": []}), make({"a": ["nun"]})):
        document = json.loads(json_text(build_report(of)))
        validator.validate(document)
        document["patient"] = "x"
        assert not validator.is_valid(document)


def test_csv_has_a_row_for_each_find(findings: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(build_report(findings)))))
    assert len(rows) == 120 + 1 + 1
    first, second = rows[:2]
    assert (first["sample"], first["replicate"], first["name"]) == ("S-17", "a", "a/field.tif#1")
    assert (first["outcome"], second["outcome"]) == ("normal", "abnormal")
    assert (second["acrosome_verdict"], second["x_px"]) == ("abnormal", "10.0")
    assert rows[-2]["outcome"] == "excluded"
    assert rows[-2]["reason"] == "the head is cut by the frame's edge"
    assert rows[-1]["image"] == "./=cmd|' /C calc'!A0.png"
    assert (rows[-1]["outcome"], rows[-1]["reason"]) == ("unreadable", "is empty. Export again")


@pytest.mark.parametrize(
    ("out", "formats", "expected"),
    [
        pytest.param(["r.html", "R.JSON"], [], ["r.html", "R.JSON"], id="endings"),
        pytest.param(["r.pdf"], ["html", "csv"], ["r.html", "r.csv"], id="formats"),
        pytest.param(["v1.2"], ["json"], ["v1.2.json"], id="a dot that is no ending"),
        pytest.param(["r.csv", "r.csv"], [], ["r.csv"], id="twice"),
    ],
)
def test_files_by_their_ending(out: list[str], formats: list[str], expected: list[str]) -> None:
    assert [str(p) for p in report_files([Path(o) for o in out], formats)] == expected


@pytest.mark.parametrize(
    ("out", "formats", "message"),
    [
        pytest.param(
            ["r.docx"], [], "to end in one of pdf, html, csv, json, got '.docx'", id="docx"
        ),
        pytest.param(["r"], [], "got ''", id="none"),
        pytest.param(["r.pdf"], ["odt"], "got '.odt'", id="format"),
        pytest.param(["a.pdf", "b.pdf"], ["html"], "expected one --out with --formats", id="two"),
    ],
)
def test_other_endings_are_refused(out: list[str], formats: list[str], message: str) -> None:
    with pytest.raises(OutputError, match=message):
        report_files([Path(o) for o in out], formats)


def test_pdf_alone_needs_the_extra(
    findings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "typst", None)
    report = build_report(findings)
    for name in ("r.html", "r.json", "r.csv"):
        (path,) = report_files([tmp_path / name])
        write_report(path, report, findings)
        assert path.stat().st_size > 0
    with pytest.raises(MissingExtraError, match=r"pip install 'androscope\[report\]'"):
        report_files([tmp_path / "r.pdf"])


def test_many_replicates_have_a_row_each(make: Any) -> None:
    findings = make({name: ["nnn", "ann"] for name in "abcde"})
    report = build_report(findings, created=WHEN)
    assert "e 1 2 2 50.0% (1 of 2;" in text_of_pdf(pdf.pdf_bytes(report, findings))
    words = " ".join(" ".join(Page(html.html_text(report, findings)).words).split())
    assert "5 replicates: WHO's test compares two, so that none was done." in words

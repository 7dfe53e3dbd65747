from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.errors import OutputError
from androscope.report import html as page
from androscope.report.html import html_text, write_html
from androscope.report.thumbnails import data_uri
from androscope.types import Assessment, Failure, PartVerdict, Results, Verdict

VOID = {"meta", "img", "link", "br", "hr", "input"}


class Page(HTMLParser):
    """What a browser would make of a page; insists that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_the_page_says_what_the_results_say(results: Results) -> None:
    text = html_text(results, created=datetime(2024, 1, 2, 3, 4, tzinfo=UTC))
    seen = " ".join(" ".join(Page(text).text).split())
    for expected in (
        "For research use only: not a medical device.",
        "Model tiny 1.2.3",
        "ab" * 32,
        "head 0.5, tail 0.5",
        "2024-01-02 03:04 UTC",
        "pixel size um 0.1",
        "2 assessed; 1 could not be.",
        "head abnormal 1 of 2 50.0% (9.5% to 90.5%)",
        "every part normal 0 of 2 0.0% (0.0% to 65.8%)",
        "day 3/a.png ✓ normal 0.25 ✗ abnormal 0.75",
        "16-bit scaled to 8 ✗ abnormal 0.50",
        "is empty Export again",
    ):
        assert expected in seen


def test_the_thumbnails_are_inside(results: Results) -> None:
    images = Page(html_text(results)).all("img")
    assert [image["src"] for image in images] == [data_uri(c.pixels) for c in results.crops]
    assert images[0]["alt"] == "Crop of day 3/a.png as graded"
    assert images[1]["alt"] == 'Crop of <script>alert("x")</script>&\'.png[4] as graded'


def test_nothing_is_fetched_and_nothing_runs(results: Results) -> None:
    text = html_text(results)
    parsed = Page(text)
    tags = {tag for tag, _ in parsed.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form", "base"}
    for _, attributes in parsed.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "href"]
        assert str(attributes.get("src", "data:")).startswith("data:")
    assert "url(" not in text
    assert "@import" not in text
    (policy,) = [m for m in parsed.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy["content"]).startswith("default-src 'none'; img-src data:;")


@given(name=st.text(max_size=60), reason=st.text(max_size=60))
def test_no_name_or_reason_breaks_out(name: str, reason: str) -> None:
    part = PartVerdict("head", 0.5, 0.5, Verdict.ABNORMAL)
    results = Results(
        model=name, model_sha256="0", labels=("head",), extra={"x": reason},
        assessments=(Assessment(name, None, (part,), (reason,)),),
        failures=(Failure(name, None, "image", reason, reason),),
    )  # fmt: skip
    plain = dataclasses.replace(
        results, model="m", extra={"x": "r"},
        assessments=(Assessment("n", None, (part,), ("r",)),),
        failures=(Failure("n", None, "image", "r", "r"),),
    )  # fmt: skip
    when = datetime(2024, 1, 1, tzinfo=UTC)
    shown, expected = (Page(html_text(r, created=when)).elements for r in (results, plain))
    assert shown == expected


def test_verdicts_do_not_differ_by_colour_alone(results: Results) -> None:
    text = html_text(results)
    assert re.search(r"✓</span> normal", text)
    assert re.search(r"✗</span> abnormal", text)


def test_it_is_made_for_phones_darkness_and_screen_readers(results: Results) -> None:
    text = html_text(results)
    parsed = Page(text)
    assert parsed.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in parsed.all(
        "meta"
    )
    assert "prefers-color-scheme: dark" in text
    assert "@media (max-width: 40rem)" in text
    assert all(image["alt"] for image in parsed.all("img"))
    assert all(head.get("scope") in {"row", "col"} for head in parsed.all("th"))
    assert len(parsed.all("h1")) == len(parsed.all("main")) == len(parsed.all("title")) == 1


def _contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        if len(colour) == 4:
            colour = "#" + "".join(2 * c for c in colour[1:])
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read(theme: int) -> None:
    style = (Path(page.__file__).parent / "page.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]+)", blocks[theme]))
    for name in ("ink", "faint", "normal", "abnormal", "undecided", "differs"):
        for ground in ("ground", "stripe"):
            assert _contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


def test_the_truth_stands_beside_the_verdict(results: Results) -> None:
    truth = [{"head": Verdict.NORMAL, "tail": Verdict.NORMAL}, {}]
    text = html_text(results, truth=truth, title="Phantoms & truth")
    assert '<small class="agrees">truly normal</small>' in text
    assert '<small class="differs">truly normal</small>' in text
    assert "1 of 2 verdicts agree with what is true of these images." in text
    assert "<h1>Phantoms &amp; truth</h1>" in text


def test_beyond_a_number_of_crops_the_rows_stay(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "THUMBNAILS", 1)
    text = html_text(results)
    assert len(Page(text).all("img")) == 1
    assert "Crops are shown for the first 1 of 2 images" in text
    assert "&lt;script&gt;alert" in text


def test_without_crops_there_are_no_pictures(results: Results) -> None:
    text = html_text(dataclasses.replace(results, crops=()))
    assert Page(text).all("img") == []
    assert "Crops are shown" not in text


def test_nothing_assessed(nothing: Results) -> None:
    assert "0 assessed; 0 could not be." in html_text(nothing)


def test_it_is_written_whole(results: Results, tmp_path: Path) -> None:
    write_html(tmp_path / "sub" / "r.html", results)
    assert (tmp_path / "sub" / "r.html").read_text(encoding="utf-8").endswith("</html>\n")
    with pytest.raises(OutputError, match="cannot be written"):
        write_html(tmp_path / "sub", results)


def test_undecided_has_its_sign_its_counts_and_its_promise(undecided: Results) -> None:
    text = html_text(undecided)
    assert re.search(r"\?</span> undecided 0\.40", text)
    assert "head 0.2 to 0.6, tail 0.3 to 0.5" in text
    assert "0.1: Of each part, at most 10% of the truly normal sperm" in text
    assert '<td class="undecided">2</td>' in text
    assert "With the 1 undecided sperm, every part is normal in 33.3% to 66.7%." in text
    assert "the lines in it where the part becomes undecided" in text
    assert "--t:0.200;--u:0.600" in text


def test_without_an_error_rate_nothing_is_said_of_undecided(results: Results) -> None:
    shown = html_text(results).partition("</style>")[2]
    assert "ndecided" not in shown

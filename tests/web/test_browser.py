"""In a real browser: pages that anybody can read and use, and the way from a drop to a review.

Debian's chromium, driven by Playwright; axe-core looks at each page. Without chromium these are
skipped with the reason, and fail under CI=true.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("playwright", reason="Playwright is not installed")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from androscope.imaging.phantom_field import render_field
from androscope.records.people import Role
from androscope.records.store import Records
from androscope.types import Verdict
from androscope.web.server import serving

pytestmark = pytest.mark.browser
# The machine may be busy.
expect.set_options(timeout=60_000)
PASSWORD = "correct horse battery"
#: Of axe's four grades, those that keep somebody out.
SERIOUS = {"serious", "critical"}


# Not for the session: while Playwright is open, no other test can run an event loop of its own.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        reason = "chromium is not installed: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    # Chromium's sandbox does not start for root, as which CI runs.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def url(records, options) -> Iterator[str]:
    with serving(records, replace(options, port=0)) as address:
        yield address


def open_page(chromium: Browser, url: str, **more: object) -> Page:
    context = chromium.new_context(base_url=url, accept_downloads=True, **more)
    context.set_default_timeout(60_000)
    page = context.new_page()
    # A script or style that the policy stops is a fault of ours.
    page.on("console", lambda message: pytest.fail(message.text) if _stopped(message) else None)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    return page


def _stopped(message) -> bool:
    return message.type == "error" and "Content Security Policy" in message.text


def faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:150]}"
        for v in found
        if v["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_keep_nobody_out(chromium, url, records, graded, theme: str) -> None:
    paths = [
        "/samples", "/samples?search=zzz", "/samples/new", f"/samples/{graded.id}",
        f"/samples/{graded.id}/images/{graded.field}", f"/samples/{graded.id}/review",
        f"/samples/{graded.id}/review?blind=true", f"/samples/{graded.id}/observers",
        f"/samples/{graded.id}/history",
        f"/samples/{graded.id}/sign", "/models", "/models/leaderboard", "/learn", "/users",
        "/login", "/nowhere",
    ]  # fmt: skip
    for crop in graded.crops[:3]:
        parts = dict.fromkeys(crop.verdicts, Verdict.NORMAL)
        records.reviews.observe(crop.id, parts, observer="li")
    page = open_page(chromium, url, color_scheme=theme)
    for path in paths:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert faults(page) == [], path
        # Nothing is cut off or scrolled sideways where it is narrow.
        page.set_viewport_size({"width": 360, "height": 740})
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, f"{path} is {width} px wide"
    page.context.close()


def test_a_review_by_keyboard_alone(chromium, url, records, graded) -> None:
    page = open_page(chromium, url)
    page.goto(f"/samples/{graded.id}/review?all=true")
    press = page.keyboard.press
    first = page.locator(".review > li").first
    crop = int(first.get_attribute("data-crop"))
    before = records.crops.get(crop).verdicts
    expect(first).to_be_focused()
    press("?")
    expect(page.get_by_role("dialog")).to_contain_text("head: normal or abnormal")
    press("Escape")
    press("h")
    flipped = "normal" if before["head"] is Verdict.ABNORMAL else "abnormal"
    expect(first.locator('[data-part="head"]')).to_have_attribute("data-expected", flipped)
    # Quick fingers: both are done, one after the other.
    press("h")
    press("Shift+A")
    expect(first.locator('[data-part="acrosome"]')).to_have_attribute("data-expected", "undecided")
    expect(page.locator(".left-over")).to_have_text("3 crops left")
    press("x")
    expect(first).to_contain_text("not a sperm")
    press("Control+z")
    expect(first).not_to_contain_text("not a sperm")
    press("u")
    expect(first.locator(".crop-card.undecided")).to_be_visible()
    press("Enter")
    second = page.locator(".review > li").nth(1)
    expect(second).to_be_focused()
    press("Enter")
    expect(page.locator(".review > li").nth(2)).to_be_focused()
    press("ArrowLeft")
    expect(second).to_be_focused()
    expect(page.locator(".left-over")).to_have_text("2 crops left")
    stands = records.crops.get(crop)
    assert stands.is_sperm
    assert set(stands.verdicts.values()) == {Verdict.UNDECIDED}
    page.context.close()


def test_a_second_observer(chromium, url, records, graded) -> None:
    page = open_page(chromium, url)
    page.goto(f"/samples/{graded.id}/review?blind=true")
    first = page.locator(".review > li").first
    expect(first).to_be_focused()
    page.keyboard.press("h")
    page.keyboard.press("Shift+V" if "vacuole" in graded.crops[0].verdicts else "Shift+A")
    page.keyboard.press("Enter")
    expect(first.locator(".crop-card.seen")).to_be_visible()
    expect(page.locator(".review > li").nth(1)).to_be_focused()
    (seen,) = records.reviews.observations(graded.id)
    assert seen.verdicts["head"] is Verdict.ABNORMAL
    assert Verdict.UNDECIDED in seen.verdicts.values()
    page.get_by_role("link", name="Agreement of observers").first.click()
    expect(page.get_by_role("heading", name="local, 1 crops")).to_be_visible()
    page.context.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, home: Path) -> Iterator[Records]:
    """Records in SQLite, and in PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("records")
        return
    with Records.open(request.getfixturevalue("postgres_url"), home / "images") as opened:
        yield opened


def test_the_whole_way(chromium, either, options, password_hash, tmp_path: Path) -> None:
    """Log in, drop a folder, watch, review by keyboard, sign, print, find the corrections."""
    field = render_field(420, 320, 4, 3, pixel_size_um=0.16)
    stream = io.BytesIO()
    Image.fromarray(field.pixels).save(stream, "PNG")
    (tmp_path / "S-7" / "a").mkdir(parents=True)
    (tmp_path / "S-7" / "a" / "field.png").write_bytes(stream.getvalue())
    either.users.create("maria", Role.ADMIN, password_hash, actor="test")
    with serving(either, replace(options, port=0, work=True)) as url:
        page = open_page(chromium, url)
        page.goto("/samples")
        page.get_by_label("Name").fill("maria")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        _drop(page, tmp_path / "S-7")
        # It says by itself when it is done.
        expect(page.locator(".headline")).to_be_visible()
        (image,) = either.images.list(1)
        assert image.replicate == "a"
        _zoom(page)
        page.get_by_role("link", name="S-7").click()
        page.get_by_role("link", name="Review", exact=True).click()
        first = page.locator(".review > li").first
        expect(first).to_be_focused()
        crop = either.crops.get(int(first.get_attribute("data-crop")))
        page.keyboard.press("h")
        left = page.locator(".review > li").count()
        for _ in range(left):
            page.keyboard.press("Enter")
        expect(page.locator(".left-over")).to_have_text("0 crops left")
        page.get_by_role("link", name="S-7").click()
        page.get_by_role("link", name="Sign", exact=True).click()
        page.get_by_label("Name under the report").fill("Dr. Maria Li")
        page.get_by_role("button", name="Sign the report").click()
        with page.expect_download() as download:
            page.get_by_role("link", name=re.compile("PDF")).click()
        assert download.value.suggested_filename == "S-7 v1.pdf"
        assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
        page.goto("/samples")
        expect(page.get_by_role("row", name=re.compile("S-7"))).to_contain_text("signed")
        page.get_by_role("link", name="Learn").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the labelled set").click()
        with zipfile.ZipFile(download.value.path()) as made:
            name = next(name for name in made.namelist() if name.endswith("labels.csv"))
            rows = list(csv.DictReader(io.StringIO(made.read(name).decode())))
        page.context.close()
    assert len(rows) == left
    changed = either.crops.get(crop.id).verdicts["head"]
    assert changed is not crop.verdicts["head"]
    heads = [
        either.crops.get(c.id).verdicts["head"] for c in either.crops.list(1).items if c.verdicts
    ]
    assert [row["head"] for row in rows] == [str(int(v is Verdict.ABNORMAL)) for v in heads]


def _drop(page: Page, folder: Path) -> None:
    page.get_by_role("link", name="New sample").click()
    page.wait_for_url("**/samples/new")  # loaded: its script listens
    page.get_by_label("Sample", exact=True).fill("S-7")
    page.get_by_label("Pixel size, µm").fill("0.16")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Images are").select_option("Fields of view")
    page.locator("input[data-folder]").set_input_files(folder)
    expect(page.locator(".chosen")).to_have_text(re.compile(r"1 file, \d+ kB"))
    page.get_by_role("button", name="Upload and grade").click()
    page.wait_for_url("**/samples/1")


def _zoom(page: Page) -> None:
    page.get_by_role("link", name="field.png, enlarge").click()
    page.wait_for_url("**/images/*")  # loaded: its script listens
    svg = page.locator(".viewer .field-svg")
    whole = svg.get_attribute("viewBox")
    page.get_by_role("button", name="Zoom in").click()
    assert svg.get_attribute("viewBox") != whole
    svg.focus()
    page.keyboard.press("0")
    assert svg.get_attribute("viewBox") == whole


def test_the_switch_of_light_and_dark(chromium, url) -> None:
    page = open_page(chromium, url, color_scheme="light")
    page.goto("/samples")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(ground) != light
    page.context.close()

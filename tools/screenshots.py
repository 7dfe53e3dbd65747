"""Screenshots of every page, light and dark, wide and narrow, for a person to look at.

``make screenshots`` runs it; it needs Debian's chromium. It serves a phantom sample here, walks
through the pages and writes ``build/screenshots/PAGE-THEME-WIDTH.png``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from androscope.records.people import Role
from androscope.records.store import Records
from androscope.types import Verdict
from androscope.web.options import ServeOptions
from androscope.web.security.passwords import hash_password
from androscope.web.server import demo_records, serving

NAME, PASSWORD = "maria", "a phantom's password"
WIDTHS = {"wide": 1280, "narrow": 360}

#: What is done on a page before its picture is taken.
Act = Callable[[Page], None]


def pages(records: Records) -> dict[str, tuple[str, Act | None]]:
    """Each page's name, its address and what is done there."""
    fields = records.samples.named("phantom fields")
    crops = records.samples.named("phantom crops")
    assert fields is not None
    assert crops is not None
    lost = records.samples.named("lost upload")
    assert lost is not None
    image = records.images.list(fields.id)[0]
    return {
        "samples": ("/samples", None),
        "new": ("/samples/new", None),
        "sample-fields": (f"/samples/{fields.id}", None),
        "sample-crops": (f"/samples/{crops.id}", None),
        "sample-failed": (f"/samples/{lost.id}", None),
        "sample-numbers": (f"/samples/{fields.id}", _open_all),
        "field": (f"/samples/{fields.id}/images/{image.id}", None),
        "review": (f"/samples/{fields.id}/review", None),
        "review-keys": (f"/samples/{fields.id}/review?all=true", _help),
        "review-map": (f"/samples/{fields.id}/review?all=true", _hold_map),
        "review-blind": (f"/samples/{crops.id}/review?blind=true", None),
        "observers": (f"/samples/{crops.id}/observers", None),
        "history": (f"/samples/{fields.id}/history", None),
        "sign": (f"/samples/{fields.id}/sign", None),
        "models": ("/models", None),
        "learn": ("/learn", None),
        "users": ("/users", None),
        "me": ("/me", None),
        "missing": ("/samples/999", None),
    }


def _help(page: Page) -> None:
    page.keyboard.press("?")


def _hold_map(page: Page) -> None:
    page.keyboard.down("m")
    page.locator(".heat[src]").evaluate("(image) => image.decode()")


def _lost(records: Records) -> None:
    """A sample of files that are gone: what is told of files that cannot be used."""
    sample = records.samples.create("lost upload", actor=NAME, pixel_size_um=0.1)
    details = [
        {"file": "none", "name": f"a/{number}.tif", "replicate": "a", "actor": NAME}
        for number in range(3)
    ]
    records.jobs.add_all("decode", details, sample_id=sample.id)


def _reviewed(records: Records) -> None:
    """Some crops looked at by a person, and by a second one who did not see the model's opinion."""
    fields, crops = (records.samples.named(f"phantom {what}") for what in ("fields", "crops"))
    assert fields is not None
    assert crops is not None
    for number, crop in enumerate(records.crops.list(fields.id, graded_only=True).items[:5]):
        if number % 2:
            records.reviews.accept(crop.id, actor=NAME)
        else:
            records.reviews.verdict(crop.id, "head", Verdict.UNDECIDED, actor=NAME)
    for number, crop in enumerate(records.crops.list(crops.id, graded_only=True).items[:8]):
        said = dict(crop.verdicts)
        if number % 3 == 0:
            said["head"] = Verdict.ABNORMAL
        records.reviews.observe(crop.id, said, observer="li")


def _open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")


def main() -> int:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/screenshots"))
    parser.add_argument("--only", default="", help="pages whose name holds this")
    given = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        print("chromium is not installed: apt-get install chromium", file=sys.stderr)  # noqa: T201
        return 2
    given.out.mkdir(parents=True, exist_ok=True)
    with demo_records() as (records, folder):
        records.users.create(NAME, Role.ADMIN, hash_password(PASSWORD), actor="screenshots")
        options = ServeOptions(incoming=folder / "incoming", port=0, threads=1)
        with serving(records, options) as url, sync_playwright() as playwright:
            _lost(records)
            _wait(records)
            _reviewed(records)
            browser = playwright.chromium.launch(executable_path=chromium, args=_flags())
            for theme in ("light", "dark"):
                for width, pixels in WIDTHS.items():
                    _walk(browser, url, records, given.out, given.only, theme, width, pixels)
            browser.close()
    return 0


def _walk(
    browser: Browser,
    url: str,
    records: Records,
    out: Path,
    only: str,
    theme: str,
    width: str,
    pixels: int,
) -> None:
    context = browser.new_context(
        base_url=url, color_scheme=theme, viewport={"width": pixels, "height": 900}
    )
    page = context.new_page()
    page.goto("/login")
    page.screenshot(path=out / f"login-{theme}-{width}.png", full_page=True)
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    for name, (path, act) in pages(records).items():
        if only not in name:
            continue
        page.goto(path)
        page.wait_for_load_state("networkidle")
        if act is not None:
            act(page)
        page.screenshot(path=out / f"{name}-{theme}-{width}.png", full_page=True)
    context.close()


def _flags() -> list[str]:
    # Chromium's sandbox does not start for root, as which CI runs.
    return ["--no-sandbox"] if os.geteuid() == 0 else []


def _wait(records: Records) -> None:
    until = time.monotonic() + 120
    while records.jobs.waiting(kind="decode") + records.jobs.waiting():
        if time.monotonic() > until:
            raise SystemExit("the phantom samples were not graded in two minutes")
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())

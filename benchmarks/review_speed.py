"""How long 200 crops take to review by keyboard in a real browser, without a person's thinking.

    python benchmarks/review_speed.py [--crops 200]

Records with that many crops in a temporary folder, a server on this machine, Debian's chromium.
Every third crop has a part flipped; each is accepted with Enter, as fast as keys can be pressed.
What it takes is the machine's share of the five minutes that a person has.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from androscope.model.bundle import load_bundle
from androscope.records.clean import clean_file
from androscope.records.store import Records
from androscope.records.types import Find, StoredModel
from androscope.types import PartVerdict, Verdict
from androscope.web.options import ServeOptions
from androscope.web.server import serving


def fill(records: Records, crops: int) -> int:
    """A sample of one field with so many crops, their opinions drawn at random; gives its id."""
    rng = np.random.default_rng(0)
    card = load_bundle("default").card
    model = StoredModel(card.name, card.version, card.model_sha256, card.to_json())
    sample = records.samples.create("speed", actor="benchmark")
    stream = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (600, 800), dtype=np.uint8)).save(stream, "PNG")
    (image,) = records.images.add(
        sample.id, clean_file(stream.getvalue(), "field.png"), actor="benchmark"
    )
    finds = []
    for number in range(crops):
        chances = rng.random(len(card.labels))
        parts = tuple(
            PartVerdict(label, float(p), 0.5, Verdict.ABNORMAL if p >= 0.5 else Verdict.NORMAL)
            for label, p in zip(card.labels, chances, strict=True)
        )
        pixels = rng.integers(0, 256, (64, 64), dtype=np.uint8)
        finds.append(Find(10.0 * number % 780, 20.0, 20.0, 12.0, 0.0, pixels=pixels, parts=parts))
    records.crops.add(image.id, finds, model, kind="field", job=records.jobs.claim("benchmark"))
    return sample.id


def review(page: Page, sample: int) -> int:
    """Review everything; gives how many keys were pressed."""
    keys = 0
    while True:
        page.goto(f"/samples/{sample}/review")
        cards = page.locator(".review > li")
        count = cards.count()
        if not count:
            return keys
        expect(cards.first).to_be_focused()
        for number in range(count):
            for key in ("h", "Enter") if number % 3 == 0 else ("Enter",):
                page.keyboard.press(key)
                keys += 1
        expect(page.locator(".crop-card[data-reviewed=yes]")).to_have_count(count)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=200)
    given = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        print("chromium is not installed: apt-get install chromium", file=sys.stderr)
        return 2
    expect.set_options(timeout=60_000)
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Records.open(f"sqlite:///{folder / 'records.db'}", folder / "images") as records:
            sample = fill(records, given.crops)
            options = ServeOptions(incoming=folder / "incoming", port=0, work=False)
            with serving(records, options) as url, sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=flags)
                page = browser.new_context(base_url=url).new_page()
                begun = time.perf_counter()
                keys = review(page, sample)
                seconds = time.perf_counter() - begun
                browser.close()
            done = records.samples.get(sample).reviewed
    print(f"{done} of {given.crops} crops reviewed with {keys} keys in {seconds:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

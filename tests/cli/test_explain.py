# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import androscope

from ..checked import write_checked  # noqa: TID252  (tests are no package)

NOTICE = "For research use only: not a medical device."
TINY = Path(__file__).parents[1] / "data" / "tiny-bundle"


@pytest.fixture(autouse=True)
def _here(crops: Path, tiny_model: Path) -> None:
    pass


def test_a_row_per_crop_and_label(run: Any) -> None:
    done = run("explain", "crops")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].split("  ")[0] == "Image"
    rows = [line.split() for line in lines[1 : lines.index("")]]
    assert [row[:2] for row in rows] == [
        [f"crops/{name}.png", label]
        for name in ("img1", "img2", "img10")
        for label in ("head", "acrosome", "vacuole")
    ]
    graded = [part for a in androscope.assess("crops").assessments for part in a.parts]
    assert [row[2:4] for row in rows] == [[p.verdict, f"{p.probability:.2f}"] for p in graded]
    assert "3 explained by tiny, " in done.out
    assert "shows what the model reacted to, not whether it is right" in done.out
    assert done.out.endswith(f"{NOTICE}\n")


def test_pictures_and_maps(run: Any) -> None:
    done = run("explain", "crops/img2.png", "--out", "maps", "--npy", "--label", "vacuole", "-q")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert sorted(p.name for p in Path("maps").iterdir()) == [
        "000001-img2-vacuole.png", "000001-img2.npy",
    ]  # fmt: skip
    assert Image.open("maps/000001-img2-vacuole.png").mode == "RGB"
    maps = np.load("maps/000001-img2.npy")
    (item,) = androscope.explain("crops/img2.png").explained
    np.testing.assert_array_equal(maps, item.map_of("vacuole")[None])


def test_a_page_of_the_pictures(run: Any) -> None:
    Path("crops/broken <b>.png").write_bytes(b"no picture")
    done = run("explain", "crops", "--out", "maps", "--html", "--label", "head")
    assert done.code == 1
    page = Path("maps/index.html").read_text(encoding="utf-8")
    pictures = re.findall(r'<img src="([^"]+)"', page)
    assert len(pictures) == 3
    assert all(Path("maps", picture).is_file() for picture in pictures)
    assert (
        sum(page.count(said) for said in ("half of the evidence", "nothing in", "no one place"))
        >= 3
    )
    assert "broken &lt;b&gt;.png" in page
    assert "not whether it is right" in page
    assert NOTICE in page
    assert "<script" not in page


def test_what_the_checks_refuse_is_explained_if_asked_for_and_keeps_its_flags(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checked(Path("checked"))
    monkeypatch.setenv("ANDROSCOPE_MODEL", "checked")
    Path("blank").mkdir()
    Image.fromarray(np.full((64, 64), 9, np.uint8)).save("blank/blank.png")
    refused = run("explain", "blank")
    assert (refused.code, "[refused]" in refused.err) == (1, True)
    (flag,) = androscope.explain("blank", grade_anyway=True).explained[0].assessment.flags
    done = run("explain", "blank", "--grade-anyway", "--out", "maps", "--html", "--label", "head")
    assert done.code == 0
    header, row = (line.rstrip().split("  ") for line in done.out.splitlines()[:2])
    assert (header[-1].strip(), row[-1].strip()) == ("did not pass", flag.check)
    page = Path("maps/index.html").read_text(encoding="utf-8")
    assert f"Did not pass the checks: {flag.reason}" in page
    run("explain", "crops/img1.png", "--out", "maps", "--label", "head", "-m", TINY)
    flagged, plain = (Image.open(f"maps/000001-{n}-head.png").height for n in ("blank", "img1"))
    assert flagged > plain


def test_a_bad_image_stops_none(run: Any) -> None:
    Path("crops/broken.png").write_bytes(b"no picture")
    done = run("explain", "crops", "--out", "maps")
    assert done.code == 1
    assert "3 explained by tiny" in done.out
    assert "1 image could not be assessed:" in done.err
    assert "crops/broken.png" in done.err
    assert len(list(Path("maps").iterdir())) == 9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["crops", "--html"], "needs a folder to write to: give --out DIR", id="html"),
        pytest.param(["crops", "--npy"], "needs a folder to write to: give --out DIR", id="npy"),
        pytest.param(["crops", "--label", "tail"], "'tail' is not assessed by this model", id="label"),
        pytest.param(["crops", "--out", "crops/img1.png"], "cannot be written", id="out is a file"),
    ],
)  # fmt: skip
def test_nothing_is_done(run: Any, arguments: list[str], message: str) -> None:
    done = run("explain", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in " ".join(done.err.replace("│", " ").split())

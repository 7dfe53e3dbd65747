"""One image, every entrance: the same flags, whether it is refused or graded all the same."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

import androscope
from androscope.assessment.gate import checks_text
from androscope.cli.main import main
from androscope.fields import grade_fields
from androscope.finders import FieldOptions
from androscope.imaging.crop import to_crop
from androscope.imaging.phantom_field import render_field
from androscope.imaging.phantom_set import phantom_set
from androscope.imaging.read import read_image
from androscope.model.card_checks import CHECKS
from androscope.predict import Graded, Grader
from androscope.types import Failure

from .checked import write_checked


def _pictures() -> dict[str, np.ndarray]:
    """One picture for each thing that a check finds, and two that pass."""
    good, other = (phantom.pixels for phantom in phantom_set(2, 0))
    text = Image.new("L", (64, 64), 230)
    ImageDraw.Draw(text).multiline_text((2, 2), "sample 12\nmotile 31\npH 7.4\nblank 0", fill=20)
    white = good.copy()
    white[:12] = 255
    coloured = np.repeat(good[:, :, None], 3, axis=2).astype(np.float64)
    coloured[16:48, 16:48] *= (0.6, 0.4, 0.9)
    dark = np.full((64, 64), 130, np.uint8)
    dark[:, 20:] = 60
    return {
        "a-good.png": good,
        "b-other.png": other,
        "c-text.png": np.asarray(text),
        "d-white.png": white,
        "e-stained.png": coloured.astype(np.uint8),
        "f-cut.png": dark,
        "g-empty.png": np.random.default_rng(0).normal(128, 2, (64, 64)).astype(np.uint8),
        "h-blank.png": np.full((64, 64), 9, np.uint8),
    }


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gate")
    write_checked(folder / "bundle")
    (folder / "sample" / "a").mkdir(parents=True)
    for name, pixels in _pictures().items():
        Image.fromarray(pixels).save(folder / "sample" / "a" / name)
    return folder


@pytest.fixture
def command(work: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(work)

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["androscope", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        return int(stopped.value.code or 0)

    return run


def _by_api(work: Path, anyway: bool) -> dict[str, list[dict[str, Any]]]:
    results = androscope.assess(work / "sample" / "a", model=work / "bundle", grade_anyway=anyway)
    items = (*results.assessments, *results.failures)
    return {Path(i.source).name: [asdict(flag) for flag in i.flags] for i in items}


def test_each_picture_is_found_out_and_the_good_ones_pass(work: Path) -> None:
    found = {name: [f["check"] for f in flags] for name, flags in _by_api(work, False).items()}
    assert found["a-good.png"] == found["b-other.png"] == []
    for name, check in (
        ("c-text.png", "focus"), ("d-white.png", "saturation"), ("e-stained.png", "colour"),
        ("f-cut.png", "edge"), ("g-empty.png", "contrast"), ("h-blank.png", "contrast"),
    ):  # fmt: skip
        assert check in found[name], (name, found[name])
    assert {check for checks in found.values() for check in checks} <= set(CHECKS)


@pytest.mark.parametrize("anyway", [False, True], ids=["refused", "graded-anyway"])
def test_assess_report_and_the_library_flag_alike(
    work: Path, command: Any, capsys: pytest.CaptureFixture[str], anyway: bool
) -> None:
    said = _by_api(work, anyway)
    asked = ("--grade-anyway",) if anyway else ()
    code = command(
        "assess", "sample/a", "-m", "bundle", *asked, "-q", "--csv", "r.csv", "--json", "r.json",
        "--html", "r.html", "--thumbnails", f"t{anyway}",
    )  # fmt: skip
    assert code == (0 if anyway else 1)
    document = json.loads(Path("r.json").read_text(encoding="utf-8"))
    items = document["assessments"] + document["failures"]
    assert {Path(i["image"]).name: i["flags"] for i in items} == said
    assert {f["code"] for f in document["failures"]} <= {"refused"}
    with Path("r.csv").open(encoding="utf-8", newline="") as stream:
        texts = {Path(row["image"]).name: row["flags"] for row in csv.DictReader(stream)}
    assert texts == {
        name: "; ".join(f"{f['check']}: {f['reason']}" for f in flags)
        for name, flags in said.items()
    }
    page = Path("r.html").read_text(encoding="utf-8")
    assert ("Did not pass the checks" in page) is anyway
    assert "every pixel is 9" in page
    flagged = [p.name for p in Path(f"t{anyway}").iterdir() if p.name.endswith("-flagged.png")]
    assert len(flagged) == (sum(map(bool, said.values())) if anyway else 0)

    code = command(
        "report", "sample", "-m", "bundle", *asked, "-q", "--out", "s.json", "--out", "s.csv"
    )
    assert code == (0 if anyway else 1)
    assert ("  a/c-text.png: finer detail" in capsys.readouterr().err) is not anyway
    sample = json.loads(Path("s.json").read_text(encoding="utf-8"))
    assert {Path(f["file"]).name: f["flags"] for f in sample["finds"]} == said
    outcomes = {Path(f["file"]).name: f["outcome"] for f in sample["finds"]}
    assert {name for name, found in outcomes.items() if found == "excluded"} == (
        set() if anyway else {name for name, flags in said.items() if flags}
    )
    assert any("did not pass the checks" in warning for warning in sample["warnings"]) is anyway
    counted = {e["reason"]: e["count"] for e in sample["counts"]["excluded"]}
    assert ("blank: every pixel is 9" in counted) is not anyway


def test_arrays_crops_and_streams_flag_alike(work: Path) -> None:
    said = _by_api(work, False)
    grader = Grader(work / "bundle")
    images = [read_image(work / "sample" / "a" / name) for name in said]
    by_image = grader.grade_images(images)
    by_crop = grader.grade([to_crop(image) for image in images])
    by_array = grader.stream([np.asarray(Image.open(image.source)) for image in images])
    for name, *found in zip(said, by_image, by_crop, by_array, strict=True):
        for item in found:
            flags = item.flags if isinstance(item, Failure) else item.assessment.flags
            assert [asdict(flag) for flag in flags] == said[name], name
            assert isinstance(item, Graded) is not bool(said[name])


def test_a_batch_flags_as_single_images_do(work: Path) -> None:
    grader = Grader(work / "bundle")
    images = [read_image(path) for path in sorted((work / "sample" / "a").iterdir())]
    together = list(grader.grade_images(images))
    for image, whole in zip(images, together, strict=True):
        (alone,) = grader.grade_images([image])
        assert type(alone) is type(whole)
        if isinstance(alone, Failure) and isinstance(whole, Failure):
            assert alone.flags == whole.flags


def test_what_a_field_s_crops_do_not_pass_excludes_them(work: Path, command: Any) -> None:
    # Heads of phantoms, and a scale that is wrong by far: each crop shows far too much or little.
    field = render_field(320, 240, 4, 3, pixel_size_um=0.16)
    Image.fromarray(field.pixels).save(work / "field.png")
    options = FieldOptions(head_length=27.5)
    (strict,) = grade_fields(work / "field.png", Grader(work / "bundle"), options)
    (anyway,) = grade_fields(
        work / "field.png", Grader(work / "bundle", grade_anyway=True), options
    )
    assert [item.located for item in strict.field.items] == [
        item.located for item in anyway.field.items
    ]
    for item, verdicts, forced in zip(
        strict.field.items, strict.assessments, anyway.assessments, strict=True
    ):
        if item.flags:
            assert verdicts is None
            assert item.excluded == checks_text(item.flags)
            assert forced is not None
            assert forced.flags == item.flags
        elif forced is not None:
            assert verdicts == forced
    command(
        "assess", "field.png", "-m", "bundle", "--fields", "--head-length", "27.5", "-q",
        "--grade-anyway", "--located", "l.csv", "--overlay", "o",
    )  # fmt: skip
    with Path("l.csv").open(encoding="utf-8", newline="") as stream:
        checks = [row["checks"] for row in csv.DictReader(stream)]
    assert checks == [
        "; ".join(f"{f.check}: {f.reason}" for f in verdicts.flags) if verdicts else ""
        for verdicts in anyway.assessments
    ]


def test_a_bundle_without_checks_grades_and_says_so_once(
    work: Path, command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = Path(__file__).parent / "data" / "tiny-bundle"
    assert command("assess", "sample/a", "-m", str(tiny), "--json", "n.json") == 0
    assert capsys.readouterr().out.count("was not checked") == 1
    document = json.loads(Path("n.json").read_text(encoding="utf-8"))
    assert "was not checked" in document["extra"]["not_checked"]
    assert all(a["flags"] == [] for a in document["assessments"])

# ruff: noqa: E501  a row of a table of cases stays on one line
"""One image, every entrance: the same probability, verdict and flags, however it is graded.

The bundle is the tests' own with a calibration that changes every probability and with conformal
data, so that an entrance that forgot either would be seen.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import androscope
from androscope.cli.main import main
from androscope.imaging.phantom_set import phantom_set
from androscope.model.bundle import load_bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.calibrate import moved_threshold
from androscope.model.card_trust import Calibration, Conformal
from androscope.predict import Grader

TINY = Path(__file__).parent / "data" / "tiny-bundle"
LABELS = ("head", "acrosome", "vacuole")

#: Image's name to label to what was said of it: verdict and probability.
Said = dict[str, dict[str, tuple[str, float]]]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle, twelve crops and their made-up labels."""
    folder = tmp_path_factory.mktemp("entrances")
    bundle = load_bundle(TINY)
    table = {
        "head": Calibration(method="temperature", parameters={"temperature": 2.0}, data="x", crops=9, abnormal=4),
        "acrosome": Calibration(method="platt", parameters={"slope": 0.5, "intercept": -0.3}, data="x", crops=9, abnormal=4),
        "vacuole": Calibration(method="beta", parameters={"a": 1.4, "b": 0.5, "c": 0.1}, data="x", crops=9, abnormal=4),
    }  # fmt: skip
    scores = tuple(i / 40 for i in range(1, 40))
    spread = Conformal(data="x", normal=scores, abnormal=scores)
    thresholds = {
        label: moved_threshold(bundle.card.thresholds[label], None, table[label])
        for label in LABELS
    }
    card = bundle.card.model_copy(
        update={
            "calibration": table,
            "conformal": dict.fromkeys(LABELS, spread),
            "thresholds": thresholds,
        }
    )
    write_bundle(folder / "bundle", bundle.model, card)
    crops = folder / "sample" / "a"
    crops.mkdir(parents=True)
    rows = [f"path,split,{','.join(LABELS)}"]
    for number, phantom in enumerate(phantom_set(12, 0)):
        Image.fromarray(phantom.pixels).save(crops / f"{number:02d}.png")
        split = ("train", "valid", "test")[number % 3]
        rows.append(f"sample/a/{number:02d}.png,{split},{number % 2},0,1")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def command(work: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(work)

    def run(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["androscope", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code

    return run


def _by_api(rate: float | None) -> Said:
    results = androscope.assess("sample/a", model="bundle", error_rate=rate)
    assert results.error_rate == rate
    assert all(a.flags == () for a in results.assessments)
    return {
        Path(a.source).name: {p.label: (str(p.verdict), p.probability) for p in a.parts}
        for a in results.assessments
    }


def _by_row(rows: list[dict[str, str]], name: str) -> Said:
    return {
        Path(row[name]).name: {
            label: (row[f"{label}_verdict"], float(row[f"{label}_probability"])) for label in LABELS
        }
        for row in rows
    }


def _read(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _by_part(parts: dict[str, Any]) -> dict[str, tuple[str, float]]:
    return {label: (part["verdict"], part["probability"]) for label, part in parts.items()}


@pytest.mark.parametrize("rate", [None, 0.1, 0.4], ids=["thresholds", "0.1", "0.4"])
def test_assess_report_and_the_library_say_the_same(command: Any, rate: float | None) -> None:
    said = _by_api(rate)
    asked = () if rate is None else ("--error-rate", str(rate))
    command(
        "assess", "sample/a", "-m", "bundle", *asked, "--csv", "r.csv", "--json", "r.json", "-q"
    )
    rows = _read("r.csv")
    assert _by_row(rows, "image") == said
    assert {row["error_rate"] for row in rows} == {"" if rate is None else str(rate)}
    document = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert {
        Path(a["image"]).name: _by_part(a["parts"]) for a in document["assessments"]
    } == said  # fmt: skip
    assert document["verdicts"]["error_rate"] == rate

    command("report", "sample", "-m", "bundle", *asked, "--out", "s.json", "--out", "s.csv", "-q")
    assert _by_row(_read("s.csv"), "image") == said
    sample = json.loads(Path("s.json").read_text(encoding="utf-8"))
    assert {Path(f["file"]).name: _by_part(f["parts"]) for f in sample["finds"]} == said
    assert sample["verdicts"]["error_rate"] == rate
    undecided = sum(
        "abnormal" not in {v for v, _ in parts.values()}
        and "undecided" in {v for v, _ in parts.values()}
        for parts in said.values()
    )
    assert document["summary"]["undecided"] == undecided
    assert sample["counts"]["undecided"] == (None if rate is None else undecided)

    for one in said.values():
        verdicts = {verdict for verdict, _ in one.values()}
        assert ("undecided" in verdicts) <= (rate is not None)


def test_some_are_undecided_and_some_are_not(work: Path, command: Any) -> None:
    verdicts = {v for parts in _by_api(0.1).values() for v, _ in parts.values()}
    assert "undecided" in verdicts
    verdicts = {v for parts in _by_api(0.4).values() for v, _ in parts.values()}
    assert verdicts - {"undecided"}


def test_the_setting_is_the_option(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = _by_api(0.4)
    monkeypatch.setenv("ANDROSCOPE_ERROR_RATE", "0.4")
    command("assess", "sample/a", "-m", "bundle", "--csv", "e.csv", "-q")
    assert _by_row(_read("e.csv"), "image") == said
    assert Grader("bundle").error_rate == 0.4
    # What is asked for goes before what is set.
    assert Grader("bundle", error_rate=0.2).error_rate == 0.2


@pytest.mark.train
def test_evaluate_says_the_same(command: Any) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    said = _by_api(None)
    command("evaluate", "bundle", "--data", "labels.csv", "--split", "valid", "--out", "ev",
            "--resamples", "100")  # fmt: skip
    found = _by_row(_read("ev/predictions.csv"), "id")
    assert set(found) == {f"{n:02d}.png" for n in (1, 4, 7, 10)}
    assert {
        name: {label: (v, pytest.approx(p, abs=1e-6)) for label, (v, p) in parts.items()}
        for name, parts in found.items()
    } == {name: said[name] for name in found}


def test_the_calibration_changes_what_is_said_and_no_verdict(work: Path, command: Any) -> None:
    own = androscope.assess("sample/a", model=TINY)
    said = _by_api(None)
    for assessment in own.assessments:
        for part in assessment.parts:
            verdict, probability = said[Path(assessment.source).name][part.label]
            assert verdict == str(part.verdict)
            assert probability != part.probability

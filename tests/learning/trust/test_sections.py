"""What ``benchmark trust`` measures, on the tiny bundle and on figures whose answer is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

from androscope.datasets import LabelledCrops
from androscope.learning.trust import (
    conformal_section,
    explain_curves,
    explain_section,
    selective_section,
)
from androscope.learning.trust.recalibrate import with_trust
from androscope.learning.trust.sections import SECTIONS, Row, Section, Trial, measure_sections
from androscope.learning.trust.selective_section import coverage_risk
from androscope.learning.trust.text import trust_lines
from androscope.learning.trust.trial import fell_short, trust_document
from androscope.model.bundle import load_bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.session import Predictions, Session

from .test_recalibrate import TINY, crops

pytestmark = pytest.mark.train


@pytest.mark.parametrize(
    ("row", "reached"),
    [
        pytest.param(Row("x", 0.9, goal=0.9), True, id="at the goal"),
        pytest.param(Row("x", 0.89, 0.8, 0.95, goal=0.9), False, id="below it"),
        pytest.param(Row("x", 0.89, 0.8, 0.95, goal=0.9, within_interval=True), True, id="within"),
        pytest.param(Row("x", 0.7, 0.6, 0.8, goal=0.9, within_interval=True), False, id="beyond"),
        pytest.param(Row("x", 0.06, 0, 0.1, goal=0.05, wanted="at most"), False, id="above it"),
        pytest.param(
            Row("x", 0.06, 0.01, 0.1, goal=0.05, wanted="at most", within_interval=True),
            True,
            id="above it, within",
        ),
        pytest.param(Row("x", None, goal=0.9), False, id="not defined"),
        pytest.param(Row("x", 0.1), None, id="no goal"),
    ],
)  # fmt: skip
def test_reached(row: Row, reached: bool | None) -> None:
    assert row.reached is reached


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    bundle = load_bundle(TINY)
    draft = with_trust(bundle.card, bundle.model, crops(120), "noise valid")
    folder = tmp_path_factory.mktemp("trust") / "bundle"
    session = Session(write_bundle(folder, bundle.model, draft), threads=1)
    data = crops(150, seed=9)
    labels = data.labels.copy()
    labels[:3, 0] = -1
    data = LabelledCrops(data.crops, labels, data.label_names, data.ids)
    graded = session.predict(data.crops)
    return Trial(session, "noise", "valid", data, graded, resamples=100)


@pytest.fixture(scope="module")
def sections(trial: Trial) -> dict[str, Section]:
    with pytest.MonkeyPatch.context() as patch:
        # Heat maps grade each crop hundreds of times; tests/learning/trust/test_explain_section.py.
        for name, few in (("PHANTOMS", 2), ("_SANITY_CROPS", 1), ("_TIMED", 1)):
            patch.setattr(explain_section, name, few)
        for name in ("CROPS", "ABNORMAL_CROPS"):
            patch.setattr(explain_curves, name, 2)
        return measure_sections(trial)


def _row(section: Section, what: str) -> Row:
    return next(row for row in section.rows if row.what == what)


def test_every_section_is_measured_and_told(trial: Trial, sections: dict[str, Section]) -> None:
    assert list(sections) == list(SECTIONS)
    for section in sections.values():
        assert section.rows or section.remarks
    document = json.loads(json.dumps(trust_document(trial, sections, None), allow_nan=False))
    assert document["data"]["crops"] == 150
    assert list(document["sections"]) == list(SECTIONS)
    reached, short = fell_short(sections)
    assert document["goals_reached"] == len(reached)
    assert document["fell_short"] == [row.what for row in short]
    lines = trust_lines(trial, sections)
    assert lines[0].endswith("on noise valid, 150 crops")
    assert f"{len(reached)} of {len(reached) + len(short)} goals reached." in lines
    assert sum("FELL SHORT" in line for line in lines) == len(short)
    for section in sections.values():
        assert section.title in lines
        assert f"### {section.title}" in trust_lines(trial, sections, markdown=True)


def test_one_section_alone(trial: Trial) -> None:
    assert list(measure_sections(trial, ("selective",))) == ["selective"]


def test_coverage_is_counted_by_hand(trial: Trial, sections: dict[str, Section]) -> None:
    assert trial.card.conformal is not None
    for label in trial.labels:
        truth, given = trial.column(label)
        kept = trial.card.conformal[label]
        for rate in conformal_section.RATES:
            for kind, name, scores in ((0, "normal", kept.normal), (1, "abnormal", kept.abnormal)):
                shown = [float(str(p)) for p in given[truth == kind]]
                at_least = [1 + sum(s >= p if kind == 0 else s <= p for s in scores) for p in shown]
                covered = sum(n / (1 + len(scores)) > rate + 1e-12 for n in at_least)
                row = _row(sections["conformal"], f"at {rate:g}, {label}: coverage of truly {name}")
                assert row.measured == pytest.approx(covered / len(shown))
                assert row.goal == 1 - rate
                assert row.note.startswith(f"{covered} of {len(shown)}; ")


def test_a_bundle_without_conformal_data_says_so(trial: Trial) -> None:
    plain = Trial(Session(load_bundle(TINY), threads=1), "x", "valid", trial.crops,
                  trial.predictions)  # fmt: skip
    found = conformal_section.measure(plain)
    assert found.rows == ()
    assert "cannot leave a part undecided" in found.remarks[0]


def test_the_surest_are_decided_first() -> None:
    truth = np.array([1, 1, 0, 0, 1, -1])
    given = np.array([0.99, 0.6, 0.1, 0.45, 0.2, 0.5])
    curve = coverage_risk(truth, given, 0.5)
    # In the order 0.99, 0.1, 0.2 (wrong), 0.6, 0.45.
    np.testing.assert_allclose(curve.coverage, [0.2, 0.4, 0.6, 0.8, 1])
    np.testing.assert_allclose(curve.risk, [0, 0, 1 / 3, 1 / 4, 1 / 5])
    assert curve.area == pytest.approx((1 / 3 + 1 / 4 + 1 / 5) / 5)


def test_selective_accuracy_is_of_the_fewest_crops_that_are_the_share(trial: Trial) -> None:
    n = 11  # 80% of 11 is 8.8: nine are decided
    labels = np.zeros((n, 3), np.int8)
    labels[0] = 1
    probabilities = np.full((n, 3), 0.1, np.float32)
    probabilities[:2] = 0.45
    data = LabelledCrops(
        trial.crops.crops[:n], labels, trial.crops.label_names, trial.crops.ids[:n]
    )
    graded = Predictions(probabilities, trial.predictions.embeddings[:n])
    card = trial.card.model_copy(update={"thresholds": dict.fromkeys(trial.card.labels, 0.5)})
    other = Session(load_bundle(TINY), threads=1)
    other.card = card
    found = selective_section.measure(Trial(other, "x", "valid", data, graded))
    row = _row(found, "head: right of the surest 80%")
    assert (row.measured, row.goal, row.note) == (1.0, 0.9, "9 of 9")
    assert _row(found, "head: right of all").note == "10 of 11"


def test_plots_are_drawn(sections: dict[str, Section], tmp_path: Path) -> None:
    names = []
    for section in sections.values():
        for name, draw in section.plots.items():
            draw(tmp_path / name)
            names.append(name)
    assert {"reliability.png", "coverage-risk.png"} <= set(names)
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in names)

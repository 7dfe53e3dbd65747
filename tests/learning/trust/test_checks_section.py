"""The section on input checks: its rows and goals, what refused, and what could not be measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")
pytest.importorskip("matplotlib", reason="needs the train extra: matplotlib is not installed")

from androscope.datasets import LabelledCrops
from androscope.imaging.phantom_set import phantom_set
from androscope.learning.trust import checks_section
from androscope.learning.trust.altered import ALTERATIONS
from androscope.learning.trust.checks import with_checks
from androscope.learning.trust.checks_section import GOAL, measure
from androscope.learning.trust.negatives import KINDS
from androscope.learning.trust.sections import Trial
from androscope.model.bundle import load_bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.card_text import card_text
from androscope.model.session import Session

pytestmark = pytest.mark.train

TINY = Path(__file__).parents[2] / "data" / "tiny-bundle"
LABELS = ("head", "acrosome", "vacuole")


def _crops(count: int, seed: int) -> LabelledCrops:
    phantoms = phantom_set(count, seed)
    return LabelledCrops(
        crops=np.stack([phantom.pixels for phantom in phantoms]),
        labels=np.array([[p.labels[name] for name in LABELS] for p in phantoms], np.int8),
        label_names=LABELS,
        ids=tuple(f"{seed}/{number}" for number in range(count)),
    )


def _trial(session: Session, crops: LabelledCrops) -> Trial:
    return Trial(session, "phantoms", "test", crops, session.predict(crops.crops))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    tiny = load_bundle(TINY)
    draft, domain = with_checks(tiny.card, tiny.model, _crops(240, 1), _crops(120, 2), "phantoms")
    folder = tmp_path_factory.mktemp("section") / "bundle"
    return Session(write_bundle(folder, tiny.model, draft, domain))


def test_every_kind_has_its_row_and_its_goal(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(checks_section, "COUNT", 4)
    monkeypatch.setenv("ANDROSCOPE_DATA", str(tmp_path))
    section = measure(_trial(session, _crops(30, 3)))
    goals = {row.what: row.goal for row in section.rows if row.goal is not None}
    assert goals["phantoms test: pass every check"] == GOAL
    for kind in KINDS:
        measured = f"{kind}: refused" in goals
        assert measured or any(line.startswith(f"{kind}: not measured") for line in section.remarks)
    assert goals["stained sperm, in colour: flagged outside the training domain"] == GOAL
    assert goals["stained sperm, saved in grey: flagged outside the training domain"] == GOAL
    assert "time of all checks, a crop" in goals
    for change in ALTERATIONS:
        what = f"phantoms test, {change.what}: refused"
        assert (what in goals) is change.strong
        (row,) = [row for row in section.rows if row.what == what]
        assert row.note.endswith(" of 30")
    # No frames here: said, and not counted as reached.
    for frames in ("visem frames, background between the boxes", "svia frames, boxes of sperm"):
        assert any(line.startswith(f"{frames}: not measured: ") for line in section.remarks)
    assert not [row for row in section.rows if row.what.startswith(("visem", "svia"))]
    by_check = section.details["refused by"]
    assert by_check["empty background"]["contrast"] == 1
    thirds = [row for row in section.rows if "third" in row.what]
    assert len(thirds) == 6 * len(LABELS)
    assert all("ROC AUC" in row.note for row in thirds)


def test_thirds_are_thirds_and_stand_in_the_card(session: Session) -> None:
    checks = session.card.checks
    assert checks is not None
    found = {(one.name, one.label): one for one in checks.subgroups}
    assert len(found) == 6 * len(LABELS)
    valid = _crops(120, 2)
    given = session.predict(valid.crops).probabilities
    for label in LABELS:
        for names in (
            ("least sharp third", "middle third in sharpness", "sharpest third"),
            ("shortest third", "middle third in length", "longest third"),
        ):
            parts = [found[name, label] for name in names]
            assert sum(part.crops for part in parts) == 120
            assert max(abs(part.crops - 120 / 3) for part in parts) < 3
            right = (given[:, LABELS.index(label)] >= session.card.thresholds[label]) == (
                valid.labels[:, LABELS.index(label)] == 1
            )
            assert sum(round(p.crops * (p.accuracy or 0)) for p in parts) == right.sum()
    assert "### Metrics by subgroup" in card_text(session.card)


def test_a_bundle_without_checks_says_so() -> None:
    section = measure(_trial(Session(load_bundle(TINY)), _crops(3, 3)))
    assert section.rows == ()
    assert section.remarks == ("This bundle's card holds no checks: every image is graded.",)

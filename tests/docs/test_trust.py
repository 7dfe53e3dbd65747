"""The numbers on docs/trust.md are those that the command prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

from androscope.assessment.gate import check_crops, values_of
from androscope.assessment.sample import proportion
from androscope.learning.trust.checks_section import COUNT
from androscope.learning.trust.negatives import negatives
from androscope.learning.trust.sections import Section, Trial
from androscope.learning.trust.subgroups import subgroup_rows
from androscope.learning.trust.trial import run_trial
from androscope.model.bundle import load_bundle
from androscope.types import Crop

pytestmark = [pytest.mark.train, pytest.mark.mhsma]

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "trust.md"
LABELS = ("head", "acrosome", "vacuole")


def _table(heading: str) -> dict[str, list[str]]:
    """Rows of the table whose first line holds ``heading``, by their first cell."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|") and heading in line)
    rows: dict[str, list[str]] = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        first, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows[first] = cells
    return rows


@pytest.fixture(scope="module")
def graded(
    mhsma_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Trial, Mapping[str, Section]]:
    patch = pytest.MonkeyPatch()
    patch.setenv("ANDROSCOPE_DATA", str(mhsma_dir.parent))
    patch.setenv("ANDROSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))
    try:
        return run_trial(names=("calibration", "conformal", "selective"))[:2]
    finally:
        patch.undo()


@pytest.fixture(scope="module")
def sections(graded: tuple[Trial, Mapping[str, Section]]) -> Mapping[str, Section]:
    return graded[1]


def _numbers(section: Section, what: str) -> tuple[str, str]:
    """The figure and its interval, as the page writes them."""
    row = next(row for row in section.rows if row.what == what)
    form = "{:.1%}" if row.unit == "%" else "{:.3f}"
    assert row.measured is not None
    if row.low is None or row.high is None:
        return form.format(row.measured), ""
    return form.format(row.measured), f"({form.format(row.low)} to {form.format(row.high)})"


def test_calibration(sections: Mapping[str, Section]) -> None:
    table = _table("Calibration error")
    found = sections["calibration"]
    for label in LABELS:
        error, goal, exact, brier = table[label]
        assert error == _numbers(found, f"{label}: expected calibration error")[0]
        row = next(r for r in found.rows if r.what == f"{label}: expected calibration error")
        assert ("missed" in goal) is (row.reached is False)
        assert exact == " ".join(
            _numbers(found, f"{label}: the same if every probability were exact")
        )
        assert brier == " ".join(_numbers(found, f"{label}: Brier score"))
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    shares = [found.details[label]["brier_of_share"] for label in LABELS]
    assert "would score {:.3f}, {:.3f} and {:.3f}".format(*shares) in page


def test_coverage_at_a_tenth(sections: Mapping[str, Section]) -> None:
    table, found = _table("Error rate 0.1"), sections["conformal"]
    for label in LABELS:
        said = [f"coverage of truly {name}" for name in ("normal", "abnormal")]
        expected = [" ".join(_numbers(found, f"at 0.1, {label}: {what}")) for what in said]
        expected += [
            _numbers(found, f"at 0.1, {label}: {what}")[0]
            for what in ("undecided", "right of what is decided")
        ]
        assert table[label] == expected
    assert all(row.reached is not False for row in found.rows)


def test_selective_accuracy(sections: Mapping[str, Section]) -> None:
    table, found = _table("Right of the surest 80%"), sections["selective"]
    for label in LABELS:
        whole, surest, goal = table[label]
        assert whole == _numbers(found, f"{label}: right of all")[0]
        what = f"{label}: right of the surest 80%"
        assert surest == " ".join(_numbers(found, what))
        row = next(r for r in found.rows if r.what == what)
        assert re.fullmatch(rf"{row.goal:.0%}: (\*\*missed\*\*|reached)", goal)
        assert ("missed" in goal) is (row.reached is False)


def test_log_losses_are_the_cards() -> None:
    card = load_bundle().card
    assert card.calibration is not None
    for label, cells in _table("Log loss, held-out").items():
        assert cells == [f"{value:.4f}" for value in card.calibration[label].log_loss.values()]


def test_checks(graded: tuple[Trial, Mapping[str, Section]]) -> None:
    """What passes, and one kind of what is refused: the others take a minute."""
    trial, _ = graded
    table = _table("Pictures never looked at before")

    def flagged(pixels: np.ndarray, embeddings: np.ndarray) -> int:
        crops = [Crop(one, "") for one in pixels]
        flags = check_crops(crops, embeddings, trial.card.checks, trial.session.domain)
        return sum(bool(found) for found in flags)

    def shown(count: int, of: int) -> str:
        found = proportion(count, of)
        return f"{found.fraction:.1%} ({found.low:.1%} to {found.high:.1%})"

    of = len(trial.crops)
    passed = of - flagged(trial.crops.crops, trial.predictions.embeddings)
    assert table["mhsma test: pass every check"][0] == shown(passed, of)
    words = negatives("text", COUNT)
    refused = flagged(words, trial.session.predict(words).embeddings)
    assert table["text: refused"][0] == shown(refused, COUNT)
    assert passed / of >= 0.95 <= refused / COUNT


def test_subgroups(graded: tuple[Trial, Mapping[str, Section]]) -> None:
    trial, _ = graded
    crops = [Crop(pixels, "") for pixels in trial.crops.crops]
    table = _table("Accuracy, on test")
    for row in subgroup_rows(trial, values_of(crops, trial.predictions.embeddings, None)):
        third, label = row.what.removesuffix(": accuracy").split(", ")
        assert (
            table[third][LABELS.index(label)]
            == f"{row.measured:.1%} ({row.low:.1%} to {row.high:.1%})"
        )

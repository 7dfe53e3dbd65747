from __future__ import annotations

import numpy as np
import pytest

from androscope.errors import TrainingError
from androscope.learning.adapt import carried
from androscope.learning.adapt.carried import calibration_of, checks_of, conformal_of
from androscope.model.bundle import load_bundle
from androscope.model.card_checks import CheckLimits, Checks
from androscope.model.card_trust import Calibration, Conformal

from .lab import LABELS, TINY, lab

PARENT = load_bundle(TINY).card
CHECKS = Checks(
    limits={"focus": CheckLimits(low=1.0)},
    data="mhsma train",
    crops=1000,
    tail=0.01,
    confirmed="mhsma valid",
    confirmed_crops=240,
    passed=0.98,
)
PLATT = Calibration(
    method="platt", parameters={"slope": 0.5, "intercept": 1.0}, data="x", crops=9, abnormal=3
)
OLD = Conformal(data="mhsma valid", normal=(0.1, 0.2), abnormal=(0.6, 0.9))


def test_checks_of_other_images_are_not_carried_over() -> None:
    parent = PARENT.model_copy(update={"checks": CHECKS})
    crops = lab(60)
    checks, domain, notes = checks_of(parent, b"", crops, crops.select(np.arange(20)), "lab")
    assert (checks, domain) == (None, None)
    assert notes[0].startswith("the parent's checks of images before grading are left out")
    assert "60 crops to fit by and 20 held out, and 100 of each are needed" in notes[0]


def test_a_parent_without_checks_has_none_to_drop() -> None:
    assert checks_of(PARENT, b"", lab(20), lab(20), "lab") == (None, None, ())


def test_with_crops_enough_checks_are_of_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    def fitted(draft, model, train, valid, data):
        assert draft.config == {}  # else rendered sperm of the parent's run would be learned
        return draft.model_copy(update={"checks": CHECKS}), "domain"

    monkeypatch.setattr(carried, "with_checks", fitted)
    parent = PARENT.model_copy(update={"checks": CHECKS, "config": {"seed": 1}})
    checks, domain, notes = checks_of(parent, b"", lab(100), lab(100), "lab")
    assert (checks, domain) == (CHECKS, "domain")
    assert "98.0% of those pass" in notes[0]


def test_why_checks_could_not_be_fitted_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args, **kwargs):
        raise TrainingError("no limits let 97.5% of the validation crops pass")

    monkeypatch.setattr(carried, "with_checks", fail)
    parent = PARENT.model_copy(update={"checks": CHECKS})
    _, _, (note,) = checks_of(parent, b"", lab(100), lab(100), "lab")
    assert "no limits let 97.5%" in note


@pytest.mark.parametrize(
    ("before", "how", "methods"),
    [
        pytest.param(None, ("kept", "branch", "kept"), None, id="nothing-calibrated"),
        pytest.param(
            None, ("kept", "recalibrated", "branch"), ("identity", "platt", "identity"), id="one"
        ),
        pytest.param(
            dict.fromkeys(LABELS, PLATT),
            ("kept", "kept", "branch"),
            ("platt", "platt", "identity"),
            id="kept-keeps-the-parents",
        ),
    ],
)
def test_calibration(before, how, methods) -> None:
    plain = Calibration(method="identity", data="lab", crops=60, abnormal=20)
    done = dict(zip(LABELS, how, strict=True))
    fitted = {
        label: PLATT if what == "recalibrated" else plain
        for label, what in done.items()
        if what != "kept"
    }
    table = calibration_of(PARENT.model_copy(update={"calibration": before}), done, fitted)
    assert (None if table is None else tuple(table[k].method for k in LABELS)) == methods


def _answers(normal: int, abnormal: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat([0, 1], [normal, abnormal]).astype(np.int8)
    return np.column_stack([labels] * 3), np.random.default_rng(0).random((len(labels), 3))


def test_conformal_data_is_of_crops_not_fitted_on() -> None:
    labels, said = _answers(30, 20)
    found, notes = conformal_of(PARENT, dict.fromkeys(LABELS, "branch"), labels, said, data="lab")
    assert len(found["head"].normal) == 30
    assert found["head"].normal == tuple(sorted(found["head"].normal))
    assert notes == ("conformal data is of the crops adapted to: head, acrosome, vacuole",)


def test_too_few_crops_leave_no_conformal_data() -> None:
    labels, said = _answers(30, 20)
    labels[:15, 0] = -1
    labels[30:45, 0] = -1
    parent = PARENT.model_copy(update={"conformal": dict.fromkeys(LABELS, OLD)})
    found, notes = conformal_of(parent, dict.fromkeys(LABELS, "branch"), labels, said, data="lab")
    assert found is None
    assert notes[0].startswith("no conformal data, so no --error-rate: head has fewer than 10")


def test_a_kept_label_keeps_the_parents_where_the_lab_has_too_few() -> None:
    labels, said = _answers(30, 20)
    labels[:, 2] = -1
    parent = PARENT.model_copy(update={"conformal": dict.fromkeys(LABELS, OLD)})
    how = {"head": "branch", "acrosome": "recalibrated", "vacuole": "kept"}
    found, notes = conformal_of(parent, how, labels, said, data="lab")
    assert found["vacuole"] == OLD
    assert found["head"].data == "lab"
    assert notes[1].startswith("vacuole: its conformal data is the parent's still (mhsma valid)")

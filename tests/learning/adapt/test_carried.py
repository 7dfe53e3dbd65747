from __future__ import annotations

import numpy as np
import pytest

from androscope.assessment.gate import check_crops
from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.imaging.phantom_set import phantom_set
from androscope.learning.adapt import carried
from androscope.learning.adapt.carried import calibration_of, checks_of, conformal_of, widened
from androscope.model.bundle import load_bundle
from androscope.model.card_checks import CheckLimits, Checks, DomainFile
from androscope.model.card_checks_text import checks_text
from androscope.model.card_trust import Calibration, Conformal
from androscope.types import Crop

from ...checked import LIMITS  # noqa: TID252  (tests are no package)
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
DOMAIN = DomainFile(file="domain.npz", sha256="0" * 64, bytes=9, components=3)
PLATT = Calibration(
    method="platt", parameters={"slope": 0.5, "intercept": 1.0}, data="x", crops=9, abnormal=3
)
OLD = Conformal(data="mhsma valid", normal=(0.1, 0.2), abnormal=(0.6, 0.9))


def _own(n: int, seed: int) -> LabelledCrops:
    """Phantoms of a lab whose lamp is weak: a sixth of the contrast."""
    pixels = np.stack([p.pixels for p in phantom_set(n, seed)]).astype(np.float64)
    dim = (128 + (pixels - 128) / 6).astype(np.uint8)
    return LabelledCrops(
        dim, np.zeros((n, 3), np.int8), LABELS, tuple(f"{seed}-{i}" for i in range(n))
    )


def test_the_parents_checks_are_widened_to_few_crops_and_still_find_what_is_no_sperm() -> None:
    parent = PARENT.model_copy(
        update={"checks": CHECKS.model_copy(update={"limits": LIMITS, "domain": DOMAIN})}
    )
    fitted, held = _own(40, 0), _own(20, 1)
    crops = [Crop(pixels, "x") for pixels in held.crops]
    none = np.zeros((len(held), 0), np.float32)
    refused = sum(map(bool, check_crops(crops, none, parent.checks, None)))
    assert refused > len(held) / 2  # what the bundle was adapted to
    checks, domain, (note,) = checks_of(parent, b"", fitted, held, "lab")
    assert domain is None
    assert checks.domain is None
    assert set(checks.limits) == set(LIMITS) - {"domain"}
    assert checks.limits["colour"] == LIMITS["colour"]
    assert checks.limits["contrast"].low < LIMITS["contrast"].low
    assert checks.limits["contrast"].high == LIMITS["contrast"].high
    assert checks.passed >= 0.85
    assert checks.confirmed == "lab, held out while limits were widened to the others"
    assert checks.confirmed_crops == 20
    every = [*crops, *(Crop(pixels, "x") for pixels in fitted.crops)]
    assert not any(check_crops(every, np.zeros((60, 0), np.float32), checks, None))
    assert note.startswith("checks of images before grading are the parent's: focus, contrast, ")
    assert "widened to the crops adapted to: " in note
    assert "left out: the distance to the training data" in note
    assert f"{checks.passed:.1%} of 20 held-out crops pass" in note
    assert "40 crops to fit by and 20 held out, and 100 of each are needed" in note
    assert "each as wide as the crops of lab need" in checks_text(checks)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    strange = [
        Crop(noise, "noise"), Crop(fitted.crops[0], "stained", chroma=0.5),
        Crop(np.full((64, 64), 9, np.uint8), "blank"),
    ]  # fmt: skip
    flags = check_crops(strange, none[:3], checks, None)
    assert [flag.check for flag in flags[0]] != []
    assert "colour" in [flag.check for flag in flags[1]]
    assert [flag.check for flag in flags[2]] == ["contrast"]


def test_a_distance_alone_leaves_nothing() -> None:
    only = {"domain": CheckLimits(high=2.0)}
    checks, note = widened(
        CHECKS.model_copy(update={"limits": only, "domain": DOMAIN}), lab(20), lab(10), "lab"
    )
    assert checks is None
    assert note.endswith("nothing is checked")


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

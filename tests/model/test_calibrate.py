"""Calibration applied: against scipy and scikit-learn, in its ranks, and in the session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.model.bundle import load_bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.calibrate import calibrate, calibrated, moved_threshold, uncalibrated
from androscope.model.card_trust import PARAMETERS, Calibration, Method
from androscope.model.session import Session

EXAMPLES: dict[Method, dict[str, float]] = {
    "identity": {},
    "temperature": {"temperature": 1.7},
    "platt": {"slope": 0.6, "intercept": -0.4},
    "beta": {"a": 1.3, "b": 0.4, "c": 0.2},
}


def one(method: Method, **parameters: float) -> Calibration:
    return Calibration(
        method=method, parameters=parameters or EXAMPLES[method], data="x", crops=9, abnormal=4
    )


@pytest.mark.parametrize("method", EXAMPLES)
def test_each_method_is_its_formula(method: Method) -> None:
    from scipy.special import expit, logit

    p = np.linspace(0.01, 0.99, 37)
    q = EXAMPLES[method]
    expected = {
        "identity": lambda: p,
        "temperature": lambda: expit(logit(p) / q["temperature"]),
        "platt": lambda: expit(q["slope"] * logit(p) + q["intercept"]),
        "beta": lambda: 1 / (1 + 1 / (np.exp(q["c"]) * p ** q["a"] / (1 - p) ** q["b"])),
    }[method]()
    np.testing.assert_allclose(calibrated(p, one(method)), expected, rtol=1e-12)


@given(
    method=st.sampled_from(["temperature", "platt", "beta"]),
    first=st.floats(0.05, 20),
    second=st.floats(0.05, 20),
    third=st.floats(-10, 10),
    probabilities=st.lists(st.floats(0, 1, width=32), min_size=2, max_size=20),
)
def test_ranks_stay_and_probabilities_remain_ones(
    method: Method, first: float, second: float, third: float, probabilities: list[float]
) -> None:
    values = dict(zip(PARAMETERS[method], (first, second, third), strict=False))
    if method == "platt":
        values["intercept"] = third
    p = np.sort(np.array(probabilities))
    found = calibrated(p, one(method, **values))
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("method", EXAMPLES)
@pytest.mark.parametrize("threshold", [0.02, 0.5, 0.8])
def test_a_moved_threshold_keeps_every_verdict(method: Method, threshold: float) -> None:
    p = np.random.default_rng(0).random(5000).astype(np.float32)
    p[0] = threshold
    after = one(method)
    moved = moved_threshold(threshold, None, after)
    before = p.astype(str).astype(float) >= threshold
    now = calibrate(p[:, None], {"x": after}, ["x"])[:, 0]
    assert ((now.astype(str).astype(float) >= moved) == before).all()
    if method == "identity":
        assert moved == threshold
    # And back to another calibration, whose own inverse it needs.
    assert moved_threshold(moved, after, one("identity")) == pytest.approx(threshold, abs=1e-6)


@pytest.mark.parametrize("method", EXAMPLES)
def test_the_inverse(method: Method) -> None:
    for p in (1e-4, 0.3, 0.9):
        assert uncalibrated(float(calibrated(p, one(method))), one(method)) == pytest.approx(p)


def test_without_a_table_nothing_changes() -> None:
    p = np.array([[0.1, 0.9]], np.float32)
    assert calibrate(p, None, ["a", "b"]) is p


def test_the_session_calibrates_each_label_by_itself(tiny: Path, tmp_path: Path) -> None:
    bundle = load_bundle(tiny)
    table = {
        "head": one("beta"), "acrosome": one("identity"), "vacuole": one("temperature")
    }  # fmt: skip
    card = bundle.card.model_copy(update={"calibration": table})
    written = write_bundle(tmp_path / "calibrated", bundle.model, card)
    assert written.card.calibration == table
    assert written.card.model_sha256 == bundle.card.model_sha256
    crops = np.random.default_rng(1).integers(0, 256, (9, 64, 64), dtype=np.uint8)
    own = Session(bundle, threads=1).predict(crops)
    found = Session(written, threads=1).predict(crops, batch_size=4)
    assert found.probabilities.dtype == np.float32
    for i, label in enumerate(bundle.card.labels):
        expected: Any = calibrated(own.probabilities[:, i], table[label])
        np.testing.assert_allclose(found.probabilities[:, i], expected, atol=1e-6)
    np.testing.assert_array_equal(found.embeddings, own.embeddings)

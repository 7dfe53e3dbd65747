from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score

from androscope.learning.adapt.measure import METRICS, changes


def test_before_and_after_are_scikit_learns() -> None:
    draw = np.random.default_rng(0)
    truth = draw.integers(0, 2, 60).astype(np.int8)
    one, two = np.round(draw.random(60), 1), draw.random(60)
    found = changes(truth, (one, 0.4), (two, 0.6), np.arange(60), resamples=300)
    for given, limit, when in ((one, 0.4, "before"), (two, 0.6, "after")):
        expected = {
            "log_loss": log_loss(truth, np.clip(given, 1e-6, 1 - 1e-6)),
            "brier": brier_score_loss(truth, given),
            "accuracy": accuracy_score(truth, given >= limit),
            "roc_auc": roc_auc_score(truth, given),
        }
        for name in METRICS:
            measured = getattr(found[name], when)
            assert measured.value == pytest.approx(expected[name]), name
            assert measured.low < measured.value < measured.high
    change = found["log_loss"]
    assert change.difference.value == pytest.approx(change.after.value - change.before.value)


def test_the_same_draws_serve_both() -> None:
    draw = np.random.default_rng(1)
    truth, given = draw.integers(0, 2, 40).astype(np.int8), draw.random(40)
    found = changes(truth, (given, 0.5), (given, 0.5), np.arange(40), resamples=300)
    assert all((c.difference.low, c.difference.high) == (0, 0) for c in found.values())


def test_patients_are_drawn_whole() -> None:
    truth = np.tile([0, 1], 20).astype(np.int8)
    given = np.where(np.arange(40) < 20, 0.9, 0.1) * truth + 0.05
    alone = changes(truth, (given, 0.5), (given, 0.5), np.arange(40), resamples=400)
    whole = changes(truth, (given, 0.5), (given, 0.5), np.arange(40) // 10, resamples=400)

    def width(found: dict) -> float:
        return found["log_loss"].before.high - found["log_loss"].before.low

    assert width(whole) > 1.5 * width(alone)


def test_what_is_not_defined_has_no_value() -> None:
    truth = np.zeros(10, np.int8)
    found = changes(truth, (np.full(10, 0.2), 0.5), (np.full(10, 0.1), 0.5), np.arange(10))
    assert found["roc_auc"].after.value is None
    assert found["accuracy"].after.value == 1
    assert changes(truth[:0], (np.empty(0), 0.5), (np.empty(0), 0.5), np.arange(0)) == {}

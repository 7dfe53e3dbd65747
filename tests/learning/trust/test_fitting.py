"""Calibration fitted: against scikit-learn, on data whose answer is known, and on too little."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss as sklearn_log_loss

from androscope.learning.trust.fitting import (
    FEWEST,
    compare_methods,
    fit_calibration,
    fit_conformal,
    fit_parameters,
    log_loss,
)
from androscope.model.calibrate import calibrated

pytestmark = pytest.mark.train

RANDOM = np.random.default_rng(0)
OWN = expit(RANDOM.normal(-1, 2, 600))
#: True with the probability that a beta map with these numbers gives.
TRUTH = (RANDOM.random(600) < expit(0.5 * np.log(OWN) - 0.9 * np.log1p(-OWN) - 0.3)).astype(int)


def test_log_loss_is_scikit_learns() -> None:
    assert log_loss(TRUTH, OWN) == pytest.approx(sklearn_log_loss(TRUTH, OWN))


@pytest.mark.parametrize("method", ["temperature", "platt", "beta"])
def test_parameters_are_those_of_logistic_regression(method: str) -> None:
    design = {
        "temperature": logit(OWN)[:, None],
        "platt": logit(OWN)[:, None],
        "beta": np.c_[np.log(OWN), -np.log1p(-OWN)],
    }[method]
    model = LogisticRegression(C=1e9, tol=1e-10, fit_intercept=method != "temperature")
    model.fit(design, TRUTH)
    found = fit_parameters(method, TRUTH, OWN)  # type: ignore[arg-type]
    expected = {
        "temperature": [1 / model.coef_[0, 0]],
        "platt": [model.coef_[0, 0], model.intercept_[0] if method != "temperature" else 0],
        "beta": [*model.coef_[0], model.intercept_[0] if method != "temperature" else 0],
    }[method]
    np.testing.assert_allclose(list(found.values()), expected, rtol=2e-3, atol=2e-3)


def test_a_network_that_is_too_sure_is_cooled() -> None:
    truth = (np.random.default_rng(1).random(600) < OWN).astype(int)
    sure = expit(2.5 * logit(OWN))
    cooler = fit_parameters("temperature", truth, sure)
    assert cooler["temperature"] == pytest.approx(2.5, rel=0.15)
    found = fit_calibration(truth, sure, data="x")
    assert found.log_loss["temperature"] < found.log_loss["identity"]
    assert min(found.log_loss, key=lambda m: found.log_loss[m]) == found.method != "identity"
    assert log_loss(truth, calibrated(sure, found)) < log_loss(truth, sure)
    assert (found.crops, found.abnormal) == (600, int(truth.sum()))


def test_a_skewed_network_is_mapped_by_beta() -> None:
    # Sure in one direction alone: no straight line in logits follows this.
    own = np.tile(np.linspace(0.001, 0.999, 500), 4)
    truth = np.random.default_rng(4).random(2000) < 1 / (1 + np.exp(1.5) * (1 - own) ** 2)
    found = fit_calibration(truth.astype(int), own, data="x")
    assert found.method == "beta"
    assert list(found.parameters) == ["a", "b", "c"]
    assert found.parameters["b"] == pytest.approx(2, rel=0.15)


def test_a_calibrated_network_is_left_alone() -> None:
    truth = (np.random.default_rng(2).random(600) < OWN).astype(int)
    found = fit_calibration(truth, OWN, data="x")
    assert found.method == "identity"
    assert found.parameters == {}
    np.testing.assert_array_equal(calibrated(OWN, found), OWN)


def test_folds_are_drawn_by_the_seed() -> None:
    once = compare_methods(TRUTH[:60], OWN[:60], seed=1)
    assert once == compare_methods(TRUTH[:60], OWN[:60], seed=1)
    assert once != compare_methods(TRUTH[:60], OWN[:60], seed=2)
    assert once["identity"] == pytest.approx(log_loss(TRUTH[:60], OWN[:60]), abs=1e-6)


@pytest.mark.parametrize(
    "own",
    [
        pytest.param(np.where(np.arange(60) < 30, 0.2, 0.8), id="parted without error"),
        pytest.param(np.full(60, 0.4), id="all the same"),
        pytest.param(np.where(np.arange(60) < 30, 0.0, 1.0), id="at the ends"),
        pytest.param(np.where(np.arange(60) < 30, 0.9, 0.1), id="the wrong way round"),
    ],
)
def test_degenerate_probabilities_still_rise(own: np.ndarray) -> None:
    truth = (np.arange(60) >= 30).astype(int)
    for method in ("temperature", "platt", "beta"):
        values = fit_parameters(method, truth, own)  # type: ignore[arg-type]
        assert all(np.isfinite(v) for v in values.values())
    found = fit_calibration(truth, own, data="x")
    grid = np.linspace(0, 1, 50)
    assert (np.diff(calibrated(grid, found)) >= 0).all()


def test_too_few_crops_fit_nothing() -> None:
    truth = np.r_[np.zeros(40), np.ones(FEWEST - 1), np.full(5, -1)].astype(int)
    own = np.linspace(0.1, 0.9, len(truth))
    found = fit_calibration(truth, own, data="x")
    assert (found.method, found.log_loss, found.crops) == ("identity", {}, 40 + FEWEST - 1)
    assert fit_conformal(truth, own, data="x") is None


def test_conformal_data_are_the_reported_probabilities_by_class() -> None:
    truth = np.r_[np.tile([0, 1], FEWEST), -1]
    own = np.linspace(0.9, 0.1, len(truth)).astype(np.float32)
    found = fit_conformal(truth, own, data="x")
    assert found is not None
    assert found.abnormal == tuple(sorted(float(str(v)) for v in own[truth == 1]))
    assert len(found.normal) == FEWEST

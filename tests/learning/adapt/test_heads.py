from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from androscope.learning.adapt.heads import (
    PENALTIES,
    Head,
    fit_branch,
    fit_logistic,
    logit,
    recalibrate,
    sigmoid,
    turned,
)
from androscope.learning.adapt.losses import log_losses


def cloud(n: int = 60, dim: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings, the bundle's probabilities (of little use), and labels that follow the first."""
    draw = np.random.default_rng(seed)
    e = draw.normal(size=(n, dim))
    truth = (draw.random(n) < sigmoid(3 * e[:, 0])).astype(np.int8)
    return e, sigmoid(draw.normal(size=n)), truth


@pytest.mark.parametrize("penalty", [0.01, 1.0, 30.0])
def test_without_a_centre_it_is_scikit_learns_fit(penalty: float) -> None:
    e, _, truth = cloud()
    own = fit_logistic(e, truth, np.full(30, penalty), np.zeros(30))
    theirs = LogisticRegression(C=1 / penalty, fit_intercept=False, tol=1e-10, max_iter=10_000)
    np.testing.assert_allclose(own, theirs.fit(e, truth).coef_[0], atol=1e-5)


def test_a_centre_is_an_offset() -> None:
    e, _, truth = cloud(dim=5)
    centre = np.array([1.0, -2, 0, 0.5, 3])
    here = fit_logistic(e, truth, np.full(5, 2.0), centre)
    # Shifting the coefficients by the centre leaves a fit around zero with an offset.
    gradient = e.T @ (sigmoid(e @ here) - truth) + 2.0 * (here - centre)
    np.testing.assert_allclose(gradient, 0, atol=1e-5)
    np.testing.assert_allclose(fit_logistic(e, truth, np.full(5, 1e9), centre), centre, atol=1e-4)


def test_where_the_start_is_does_not_matter() -> None:
    e, _, truth = cloud()
    a = fit_logistic(e, truth, np.full(30, 0.01), np.zeros(30))
    b = fit_logistic(e, truth, np.full(30, 0.01), np.zeros(30), np.full(30, 40.0))
    np.testing.assert_allclose(a, b, atol=1e-4)


def test_recalibrating_finds_the_offset_that_was_put_in() -> None:
    draw = np.random.default_rng(3)
    z = draw.normal(size=20_000)
    truth = (draw.random(len(z)) < sigmoid(0.5 * z - 1)).astype(np.int8)
    head = recalibrate(sigmoid(z), truth)
    assert head.slope == pytest.approx(0.5, abs=0.05)
    assert head.intercept == pytest.approx(-1, abs=0.05)
    assert head.weights is None


@pytest.mark.parametrize(
    ("raw", "truth"),
    [
        pytest.param([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], id="separated"),
        pytest.param([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0], id="the-wrong-way-round"),
        pytest.param([0.1, 0.2, 0.8, 0.9], [1, 1, 1, 1], id="one-class"),
        pytest.param([0.0, 1.0, 0.0, 1.0], [0, 1, 1, 0], id="at-the-ends"),
    ],
)
def test_few_crops_give_finite_answers_that_keep_the_order(
    raw: list[float], truth: list[int]
) -> None:
    head = recalibrate(np.array(raw), np.array(truth))
    assert 0 < head.slope < 10
    assert abs(head.intercept) < 10
    given = head.probabilities(np.array([0.2, 0.4, 0.6]), np.empty((3, 0)))
    assert (np.diff(given) > 0).all()


def test_with_no_crop_it_is_the_bundles_own() -> None:
    head = recalibrate(np.empty(0), np.empty(0, np.int8))
    assert (head.slope, head.intercept) == (1, 0)


def test_a_branch_sees_what_the_bundle_does_not() -> None:
    e, raw, truth = cloud(200, 40)
    new, new_raw, new_truth = cloud(500, 40, seed=1)
    branch = fit_branch(raw, e, truth, np.arange(200))
    before = log_losses(recalibrate(raw, truth).probabilities(new_raw, new), new_truth).mean()
    after = log_losses(branch.probabilities(new_raw, new), new_truth).mean()
    assert after < before - 0.1
    assert branch.penalty in PENALTIES


@settings(max_examples=15)
@given(st.integers(0, 2**16))
def test_turning_the_embedding_changes_nothing(seed: int) -> None:
    e, raw, truth = cloud(24, 8, seed=seed)
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(8, 8)))
    a = fit_branch(raw, e, truth, np.arange(24), penalties=(0.3,))
    b = fit_branch(raw, e @ turn + 7, truth, np.arange(24), penalties=(0.3,))
    np.testing.assert_allclose(
        a.probabilities(raw, e), b.probabilities(raw, e @ turn + 7), atol=1e-6
    )


def test_fewer_directions_are_the_same_cloud() -> None:
    e, raw, truth = cloud(24, 60)
    small = turned(e)
    assert small.shape == (24, 24)
    rows, out = np.arange(16), np.arange(16, 24)
    given = [
        fit_branch(raw[rows], cloud_[rows], truth[rows], rows).probabilities(raw[out], cloud_[out])
        for cloud_ in (e, small)
    ]
    np.testing.assert_allclose(given[0], given[1], atol=1e-6)


def test_logit_and_sigmoid_undo_each_other() -> None:
    p = np.array([1e-6, 0.2, 0.5, 1 - 1e-6])
    np.testing.assert_allclose(sigmoid(logit(p)), p, rtol=1e-9)
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()
    assert Head(1.0, 0.0).probabilities(p, np.empty((4, 0))) == pytest.approx(p)

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.metrics import log_loss

from androscope.learning.adapt.losses import gain, log_losses
from androscope.learning.adapt.parts import label_parts


def test_log_losses_are_scikit_learns() -> None:
    draw = np.random.default_rng(0)
    truth, given = draw.integers(0, 2, 50), draw.random(50)
    assert log_losses(given, truth).mean() == pytest.approx(log_loss(truth, given))
    assert log_losses(np.array([0.0]), np.array([1]))[0] == pytest.approx(13.8, abs=0.1)


@pytest.mark.parametrize("clusters", [8, 60])
def test_the_error_is_statsmodels_cluster_robust_one(clusters: int) -> None:
    draw = np.random.default_rng(1)
    groups = draw.integers(0, clusters, 60) if clusters < 60 else np.arange(60)
    before, after = draw.normal(1, 0.3, 60), draw.normal(0.9, 0.3, 60)
    found = gain(before, after, groups)
    fit = sm.OLS(before - after, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": groups})
    assert found.mean == pytest.approx(fit.params[0])
    assert found.error == pytest.approx(fit.bse[0])


@pytest.mark.parametrize(
    ("by", "beyond"),
    [
        pytest.param(0.5, True, id="clearly-better"),
        pytest.param(0.0, False, id="noise"),
        pytest.param(-0.5, False, id="worse"),
    ],
)
def test_what_is_beyond_noise(by: float, beyond: bool) -> None:
    draw = np.random.default_rng(2)
    before = draw.normal(1, 0.3, 40)
    assert gain(before, before - by + draw.normal(0, 0.3, 40), np.arange(40)).beyond_noise is beyond


def test_one_patient_proves_nothing() -> None:
    assert not gain(np.ones(40), np.zeros(40), np.zeros(40, int)).beyond_noise


def test_parts_hold_each_crop_once_and_patients_whole() -> None:
    draw = np.random.default_rng(3)
    truth, groups = draw.integers(0, 2, 60), draw.integers(0, 12, 60)
    out = []
    for rows, held in label_parts(truth, groups, 5, 0):
        assert not set(groups[rows]) & set(groups[held])
        out += held.tolist()
    assert sorted(out) == list(range(60))


def test_no_parts_of_one_patient() -> None:
    assert list(label_parts(np.array([0, 1, 0]), np.zeros(3, int), 5, 0)) == []

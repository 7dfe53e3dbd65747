from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")
pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from sklearn.metrics import log_loss, roc_auc_score

from androscope.errors import TrainingError
from androscope.search.score import by_label, cross_entropy, objective_of

pytestmark = pytest.mark.train

LABELS = ("head", "tail")


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    truth = (generator.random((50, 2)) < 0.3).astype(np.int8)
    truth[:5, 1] = -1
    return truth, generator.random((50, 2)).astype(np.float32)


def test_against_scikit_learn(answers: tuple[np.ndarray, np.ndarray]) -> None:
    truth, given = answers
    found = by_label(LABELS, truth, given)
    for i, label in enumerate(LABELS):
        known = truth[:, i] >= 0
        y, p = truth[known, i], given[known, i].astype(float)
        assert found[label]["loss"] == pytest.approx(log_loss(y, p))
        assert found[label]["roc_auc"] == pytest.approx(roc_auc_score(y, p))
        assert found[label]["accuracy"] == pytest.approx(((p >= 0.5) == y).mean())
    for metric in ("roc_auc", "loss"):
        mean = np.mean([found[label][metric] for label in LABELS])  # type: ignore[arg-type]
        assert objective_of(metric, LABELS, truth, given) == pytest.approx(mean)  # type: ignore[arg-type]


def test_a_label_of_one_class_is_left_out(answers: tuple[np.ndarray, np.ndarray]) -> None:
    truth, given = answers
    truth[:, 1] = 0
    found = by_label(LABELS, truth, given)
    assert found["tail"]["roc_auc"] is None
    assert objective_of("roc_auc", LABELS, truth, given) == found["head"]["roc_auc"]
    assert objective_of("loss", LABELS, truth, given) != found["head"]["loss"]
    truth[:, 0] = 1
    assert math.isnan(objective_of("roc_auc", LABELS, truth, given))


def test_sure_and_wrong_costs_much_but_not_everything() -> None:
    assert cross_entropy([1], [0.0]) == pytest.approx(-math.log(1e-7))
    assert cross_entropy([1, 0], [1.0, 0.0]) == 0
    assert math.isnan(cross_entropy([-1], [0.5]))
    with pytest.raises(TrainingError, match="1 of 1 probabilities are not"):
        cross_entropy([1], [math.nan])

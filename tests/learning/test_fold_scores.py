from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")

from androscope.datasets import LabelledCrops
from androscope.learning.evaluate import measure
from androscope.learning.fold_scores import CrossValidation, FoldScores, scores_by_fold
from androscope.learning.folds import Fold

pytestmark = pytest.mark.train

NONE = np.array([], dtype=int)

#: Two crops in each of three folds; the last fold holds out no abnormal crop.
DATA = LabelledCrops(
    crops=np.zeros((6, 32, 32), np.uint8),
    labels=np.array([[0], [1], [0], [1], [0], [0]], np.int8),
    label_names=("head",),
    ids=tuple("abcdef"),
)
PLAN = [Fold(train=NONE, valid=NONE, held_out=np.array(rows)) for rows in ([0, 1], [2, 3], [4, 5])]
PROBABILITIES = np.array([[0.1], [0.9], [0.2], [0.3], [0.1], [0.6]], np.float32)
THRESHOLDS = np.array([[0.5], [0.5], [0.5], [0.5], [0.7], [0.7]])


def test_each_fold_is_scored_by_its_own_threshold() -> None:
    found = scores_by_fold(DATA, PLAN, PROBABILITIES, THRESHOLDS)["head"]
    # The second fold's abnormal crop is missed; the third fold's threshold lets 0.6 be normal.
    assert found["accuracy"].folds == (1.0, 0.5, 1.0)
    assert found["accuracy"].mean == pytest.approx(5 / 6)
    assert found["accuracy"].sd == pytest.approx(np.std([1, 0.5, 1], ddof=1))


def test_a_fold_of_one_class_is_left_out_of_the_mean() -> None:
    auc = scores_by_fold(DATA, PLAN, PROBABILITIES, THRESHOLDS)["head"]["roc_auc"]
    assert auc.folds == pytest.approx((1.0, 1.0, np.nan), nan_ok=True)
    assert (auc.mean, auc.sd) == (1.0, 0.0)


def test_a_score_that_no_fold_or_one_alone_has() -> None:
    one = scores_by_fold(DATA, PLAN[1:], PROBABILITIES, THRESHOLDS)["head"]["roc_auc"]
    assert one.mean == 1.0
    assert np.isnan(one.sd)
    none = scores_by_fold(DATA, PLAN[2:], PROBABILITIES, THRESHOLDS)["head"]["roc_auc"]
    assert np.isnan([none.mean, none.sd]).all()


def test_what_is_undefined_is_null_in_json() -> None:
    pooled = measure(
        PROBABILITIES, DATA, THRESHOLDS, model="m", model_sha256=None, name="d", split="s",
        resamples=100,
    )  # fmt: skip
    by_fold = {"head": {"roc_auc": FoldScores(1.0, float("nan"), (1.0, float("nan")))}}
    found = CrossValidation(pooled, by_fold, ((3, 1, 2),)).to_json()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["folds"] == [{"train": 3, "valid": 1, "held_out": 2}]
    assert found["by_fold"] == {
        "head": {"roc_auc": {"mean": 1.0, "sd": None, "folds": [1.0, None]}}
    }
    assert found["pooled"]["crops"] == 6

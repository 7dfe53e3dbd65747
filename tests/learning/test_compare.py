from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")
pytest.importorskip("matplotlib", reason="needs the train extra: matplotlib is not installed")

from androscope.errors import TrainingError
from androscope.learning.compare import compare
from androscope.learning.evaluate import Evaluation, evaluate
from androscope.learning.metrics import METRICS

from .synthetic import Brightness, crops

pytestmark = pytest.mark.train

DATA = crops(200)


class Guess:
    """Columns of chance."""

    def __init__(self, columns: int) -> None:
        self.columns = columns

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        return np.random.default_rng(1).random((len(crops), self.columns)).astype(np.float32)


def good() -> Evaluation:
    return evaluate(Brightness(), DATA, {"head": 0.5, "acrosome": 0.5, "tail": 0.5}, model="good")


def test_the_better_model_is_ahead_by_the_difference_of_the_scores() -> None:
    guess = evaluate(Guess(2), DATA, {"tail": 0.5, "head": 0.5}, model="guess")
    found = compare(good(), guess, DATA)
    assert list(found) == ["head", "tail"]
    for label, metrics in found.items():
        for name in METRICS:
            ours, theirs = (e.summary.by_label[label].scores[name].value for e in (good(), guess))
            assert ours is not None
            assert theirs is not None
            assert metrics[name].value == pytest.approx(ours - theirs)
    area = found["head"]["roc_auc"]
    assert area.low is not None
    assert area.value is not None
    assert area.high is not None
    assert 0 < area.low < area.value < area.high


def test_a_model_against_itself_is_no_better() -> None:
    for metrics in compare(good(), good(), DATA).values():
        assert {(m.value, m.low, m.high) for m in metrics.values()} == {(0.0, 0.0, 0.0)}


def test_a_score_that_one_of_them_lacks_has_no_difference() -> None:
    never = evaluate(Guess(1), DATA, {"head": 0.0}, model="never normal")
    precision = compare(good(), never, DATA)["head"]["precision"]
    assert (precision.value, precision.low, precision.why) == (
        None,
        None,
        "no crop was called normal",
    )


def test_other_crops_or_labels() -> None:
    other = evaluate(Guess(1), crops(20), {"head": 0.5})
    with pytest.raises(TrainingError, match="on the same crops alone"):
        compare(good(), other, DATA)
    tail = evaluate(Guess(1), DATA, {"tail": 0.5}, model="t")
    head = evaluate(Guess(1), DATA, {"head": 0.5}, model="h")
    with pytest.raises(TrainingError, match="nothing to compare: h grades head, t grades tail"):
        compare(head, tail, DATA)

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")

from androscope.errors import TrainingError
from androscope.learning.metrics import METRICS, scores
from androscope.protocol.graded import Graded, baseline_of, means_of, read_graded

pytestmark = pytest.mark.train

N = 60
TRUTH = (np.random.default_rng(0).random(N) < 0.3).astype(np.int8)


def graded(seed: int, limit: float = 0.5) -> Graded:
    noise = np.random.default_rng(seed).random(N)
    given = np.clip(0.3 * TRUTH + 0.7 * noise, 0, 1)
    ids = tuple(f"test/{i}" for i in range(N))
    return Graded(ids, {"head": TRUTH}, {"head": given}, {"head": np.full(N, limit)})


RUNS = [graded(1), graded(2), graded(3, 0.4)]


def test_mean_sd_and_interval_by_hand() -> None:
    found = means_of("head", RUNS, resamples=150, seed=7)
    drawn = np.random.default_rng(7).multinomial(N, np.full(N, 1 / N), 150)
    for name in METRICS:
        each = [
            scores(TRUTH, run.probabilities["head"], run.thresholds["head"][0])[name]
            for run in RUNS
        ]
        assert found[name].n == 3
        assert found[name].mean == pytest.approx(np.mean(each), abs=1e-6)
        assert found[name].sd == pytest.approx(np.std(each, ddof=1), abs=1e-6)
        means = [
            np.mean(
                [
                    scores(
                        np.repeat(TRUTH, w),
                        np.repeat(run.probabilities["head"], w),
                        run.thresholds["head"][0],
                    )[name]
                    for run in RUNS
                ]
            )
            for w in drawn
        ]
        ends = np.quantile(means, [0.025, 0.975])
        assert (found[name].low, found[name].high) == pytest.approx(tuple(ends), abs=1e-6)


def test_a_score_that_one_run_lacks() -> None:
    nothing = Graded(RUNS[0].ids, {"head": TRUTH}, {"head": np.zeros(N)}, {"head": np.full(N, 0.5)})
    found = means_of("head", [RUNS[0], nothing], resamples=100)
    assert found["mcc"].n == 1
    assert found["mcc"].sd is None
    assert found["accuracy"].n == 2
    none = means_of("head", [nothing], resamples=100)["mcc"]
    assert none == (None, None, 0, None, None)


def test_patients_are_drawn_whole() -> None:
    patients = [f"p{i // 10}" for i in range(N)]
    by_crop = means_of("head", RUNS, resamples=400)["accuracy"]
    by_patient = means_of("head", RUNS, patients=patients, resamples=400)["accuracy"]
    assert by_crop.mean == by_patient.mean
    assert (by_crop.low, by_crop.high) != (by_patient.low, by_patient.high)


def test_the_baseline() -> None:
    found = baseline_of(np.array([0, 0, 0, 1, -1], np.int8))
    assert (found.normal, found.abnormal) == (3, 1)
    assert found.scores["accuracy"] == 0.75
    assert found.scores["recall"] == 1
    assert found.scores["roc_auc"] == 0.5
    assert found.scores["mcc"] is None


def test_selected_crops() -> None:
    kept = np.arange(N) % 2 == 0
    some = RUNS[0].select(kept)
    assert some.ids == RUNS[0].ids[::2]
    assert np.array_equal(some.truth["head"], TRUTH[::2])


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    for text in (None, "id,head_truth\na,normal\n", "id,head_truth\na,maybe\n"):
        if text is not None:
            path.write_text(text)
        with pytest.raises(TrainingError, match="is no file of predictions"):
            read_graded(path, ["head"])

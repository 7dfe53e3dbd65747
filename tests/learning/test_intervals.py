from __future__ import annotations

import math
import time

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")

from androscope.learning import intervals
from androscope.learning.intervals import bootstrap, bootstrap_difference, bootstrap_mean
from androscope.learning.metrics import METRICS, scores

pytestmark = pytest.mark.train


def sample(n: int, seed: int = 0, levels: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = (generator.random(n) < 0.3).astype(np.int8)
    given = np.clip(0.3 * labels + 0.7 * generator.random(n), 0, 1)
    return labels, np.round(given * levels) / levels


@pytest.mark.parametrize("levels", [1000, 10], ids=["few ties", "many ties"])
def test_every_draw_scores_as_the_crops_it_stands_for(levels: int) -> None:
    # The weighted sums against the scores of the crops really repeated.
    labels, given = sample(60, levels=levels)
    drawn = intervals._draws(labels, [(given, np.full(60, 0.4))], None, 25, seed=3)[0]
    weights = np.random.default_rng(3).multinomial(60, np.full(60, 1 / 60), 25)
    for i, weight in enumerate(weights):
        expected = scores(np.repeat(labels, weight), np.repeat(given, weight), 0.4)
        for name in METRICS:
            assert drawn[name][i] == pytest.approx(expected[name], nan_ok=True), name


def test_a_block_at_a_time_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, given = sample(50)
    whole = bootstrap(labels, given, 0.5, resamples=100)
    monkeypatch.setattr(intervals, "_BLOCK", 8 * 50 * 7)
    assert bootstrap(labels, given, 0.5, resamples=100) == whole


def test_accuracys_interval_is_the_binomials() -> None:
    # Each draw's right verdicts are binomial: an independent way to the same ends.
    labels, given = sample(300)
    accuracy = scores(labels, given, 0.5).accuracy
    right = np.random.default_rng(9).binomial(300, accuracy, 200_000) / 300
    expected = np.quantile(right, [0.025, 0.975])
    found = bootstrap(labels, given, 0.5, resamples=20_000)["accuracy"]
    assert [found.low, found.high] == pytest.approx(expected, abs=0.004)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    # The area of two uniforms shifted by 0.3 in 0.7: 1 - (4/7)^2 / 2.
    truth = 1 - (4 / 7) ** 2 / 2
    held = 0
    for seed in range(200):
        labels, given = sample(150, seed=seed, levels=10**9)
        area = bootstrap(labels, given, 0.5, resamples=400, seed=seed)["roc_auc"]
        held += area.low <= truth <= area.high
    assert 0.90 <= held / 200 <= 0.99


def test_the_seed_decides() -> None:
    labels, given = sample(100)
    assert bootstrap(labels, given, 0.5, seed=1) == bootstrap(labels, given, 0.5, seed=1)
    assert bootstrap(labels, given, 0.5, seed=1) != bootstrap(labels, given, 0.5, seed=2)


def test_patients_are_drawn_whole() -> None:
    # Every crop five times, as one patient's: no more is known than from each once.
    labels, given = sample(80)
    patients = [f"p{i}" for i in range(80)]
    once = bootstrap(labels, given, 0.5)
    fivefold = bootstrap(
        np.repeat(labels, 5), np.repeat(given, 5), 0.5, patients=np.repeat(patients, 5)
    )
    naive = bootstrap(np.repeat(labels, 5), np.repeat(given, 5), 0.5)

    def width(found: dict[str, intervals.Interval]) -> float:
        return found["accuracy"].high - found["accuracy"].low

    assert width(fivefold) == pytest.approx(width(once), rel=0.15)
    assert width(naive) < 0.6 * width(once)


def test_crops_without_a_label_are_left_out() -> None:
    labels, given = sample(50)
    padded = bootstrap(np.r_[labels, -1, -1], np.r_[given, 0.3, np.nan], 0.5)
    assert padded == bootstrap(labels, given, 0.5)


def test_no_interval_where_the_score_is_undefined() -> None:
    found = bootstrap([0, 0, 0, 0], [0.1, 0.2, 0.3, 0.9], 0.5)
    assert math.isnan(found["roc_auc"].low)
    assert math.isnan(found["mcc"].high)
    assert 0 <= found["accuracy"].low < found["accuracy"].high == 1
    assert all(math.isnan(found.high) for found in bootstrap([-1], [0.5], 0.5).values())
    assert all(math.isnan(found.high) for found in bootstrap([], [], 0.5).values())


def test_no_interval_where_many_draws_miss_a_class() -> None:
    # One abnormal crop of twenty is missing from 36 % of the draws.
    labels, given = [1] + [0] * 19, np.linspace(1, 0, 20)
    assert math.isnan(bootstrap(labels, given, 0.5)["roc_auc"].low)
    # Four of twenty are missing from 1 %: the rest tell enough.
    assert bootstrap([1] * 4 + [0] * 16, given, 0.5)["roc_auc"].low == 1.0


def test_difference_of_a_model_and_itself_is_nothing() -> None:
    labels, given = sample(60)
    for found in bootstrap_difference(labels, (given, 0.5), (given, 0.5)).values():
        assert found == intervals.Interval(0.0, 0.0)


def test_difference_is_narrower_than_two_intervals() -> None:
    labels, given = sample(300)
    other = np.clip(given + 0.1 * labels, 0, 1)
    one = bootstrap(labels, given, 0.5)["roc_auc"]
    found = bootstrap_difference(labels, (given, 0.5), (other, 0.5))["roc_auc"]
    assert 0 < found.low < found.high
    assert found.high - found.low < one.high - one.low


def test_two_thousand_draws_of_three_hundred_crops_take_no_time() -> None:
    labels, given = sample(300)
    start = time.process_time()
    bootstrap(labels, given, 0.5)
    # Seven scores in about 0.1 s where this was written; ten times that under load.
    assert time.process_time() - start < 2.0


def test_crops_of_unknown_patients_are_units_of_their_own() -> None:
    assert len(set(intervals.units(["", "", "a", "a", "0"]))) == 4
    labels, given = sample(60)
    unknown = bootstrap(labels, given, 0.5, patients=[""] * 60)
    known = bootstrap(labels, given, 0.5)
    # Other draws of the same units.
    assert unknown["accuracy"].high == pytest.approx(known["accuracy"].high, abs=0.03)


def test_crops_may_have_thresholds_of_their_own() -> None:
    labels, given = sample(60)
    assert bootstrap(labels, given, np.full(60, 0.5)) == bootstrap(labels, given, 0.5)
    # Half a unit off for all: as if the probabilities were shifted; the area stays theirs.
    limits = np.where(np.arange(60) % 2 == 0, 0.3, 0.7)
    found = bootstrap(labels, given, limits)
    assert found["roc_auc"] == bootstrap(labels, given, 0.5)["roc_auc"]
    assert found["accuracy"] == bootstrap(labels, (given >= limits) * 1.0, 0.5)["accuracy"]


def test_the_mean_over_models_against_crops_really_repeated() -> None:
    labels, one = sample(80)
    other = sample(80, seed=1)[1] * 0.5 + 0.5 * one
    models = [(one, 0.4), (other, 0.5)]
    found = bootstrap_mean(labels, models, resamples=200, seed=3)
    weights = np.random.default_rng(3).multinomial(80, np.full(80, 1 / 80), 200)
    for name in METRICS:
        means = [
            np.mean(
                [scores(np.repeat(labels, w), np.repeat(p, w), limit)[name] for p, limit in models]
            )
            for w in weights
        ]
        expected = np.quantile(means, [0.025, 0.975])
        assert (found[name].low, found[name].high) == pytest.approx(tuple(expected)), name


def test_the_mean_over_one_model_is_that_models_interval() -> None:
    labels, given = sample(60)
    alone = bootstrap(labels, given, 0.4, resamples=300)
    assert bootstrap_mean(labels, [(given, 0.4)], resamples=300) == alone


def test_a_model_whose_score_is_undefined_is_left_out_of_that_mean_alone() -> None:
    labels, given = sample(60)
    nothing = np.zeros(60)  # all called normal: no MCC
    both = bootstrap_mean(labels, [(given, 0.4), (nothing, 0.5)], resamples=300)
    alone = bootstrap(labels, given, 0.4, resamples=300)
    assert both["mcc"] == alone["mcc"]
    assert both["accuracy"] != alone["accuracy"]
    undefined = bootstrap_mean(labels, [(nothing, 0.5)], resamples=300)["mcc"]
    assert math.isnan(undefined.low)
    with pytest.raises(ValueError, match="expected one model at least"):
        bootstrap_mean(labels, [])

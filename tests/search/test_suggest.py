from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna", reason="needs the train extra: optuna is not installed")
pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

import optuna
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from androscope.search.file import changed, load_space, parse_space
from androscope.search.schema import SamplerConfig, Space
from androscope.search.study import quiet
from androscope.search.suggest import SeededSampler, distributions, roots_of, suggest

pytestmark = pytest.mark.train

TEXT = """
name: s
config: dtl
space:
  stage1.batch_size: {low: 4, high: 64, log: true}
  stage1.epochs: {low: 10, high: 50, step: 20}
  branch.dropout: {low: 0, high: 0.5, step: 0.25}
  branch.dense: {layers: [0, 2], widths: [8, 16]}
  data.phantom_labels: {choices: [null, [head], [head, acrosome]]}
  augment.enabled: {choices: [true, false], also: [augment.flip]}
"""


@pytest.fixture(scope="module")
def space() -> Space:
    return parse_space(TEXT, "s.yaml").space


def test_what_is_drawn_from(space: Space) -> None:
    assert distributions(space) == {
        "stage1.batch_size": IntDistribution(4, 64, log=True),
        "stage1.epochs": IntDistribution(10, 50, step=20),
        "branch.dropout": FloatDistribution(0, 0.5, step=0.25),
        "branch.dense.layers": CategoricalDistribution((0, 2)),
        "branch.dense.width": CategoricalDistribution((8, 16)),
        "data.phantom_labels": CategoricalDistribution((None, '["head"]', '["head", "acrosome"]')),
        "augment.enabled": CategoricalDistribution((True, False)),
    }


def test_what_is_drawn_becomes_keys_of_the_configuration(space: Space) -> None:
    trial = optuna.trial.FixedTrial(
        {
            "stage1.batch_size": 7,
            "stage1.epochs": 30,
            "branch.dropout": 0.25,
            "branch.dense.layers": 2,
            "branch.dense.width": 16,
            "data.phantom_labels": '["head", "acrosome"]',
            "augment.enabled": False,
        }
    )
    assert suggest(trial, space) == {
        "stage1.batch_size": 7,
        "stage1.epochs": 30,
        "branch.dropout": 0.25,
        "branch.dense": [16, 16],
        "data.phantom_labels": ["head", "acrosome"],
        "augment.enabled": False,
        "augment.flip": False,
    }


SHIPPED = {name: load_space(name) for name in ("dmtl", "dtl")}


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), name=st.sampled_from(sorted(SHIPPED)))
def test_whatever_is_drawn_from_a_shipped_space_is_a_configuration(seed: int, name: str) -> None:
    found = SHIPPED[name]
    study = optuna.create_study(sampler=SeededSampler.tpe(seed, SamplerConfig()))
    changes = suggest(study.ask(), found.space)
    assert set(changes) == set(found.space.keys)
    changed(found.base, changes)


def propose(study: Any, count: int, seed: int, *, plain: bool = False) -> None:
    """Trials judged by their number: any function of it will do."""
    config = SamplerConfig(startup_trials=3)
    study.sampler = (
        optuna.samplers.TPESampler(seed=seed, n_startup_trials=3)
        if plain
        else SeededSampler.tpe(seed, config)
    )
    space = parse_space(TEXT, "s.yaml").space
    for _ in range(count):
        trial = study.ask()
        suggest(trial, space)
        study.tell(trial, (trial.number * 7) % 5)


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(level)


def test_a_search_that_goes_on_proposes_what_it_would_have_proposed() -> None:
    whole, stopped, other, plain = (optuna.create_study() for _ in range(4))
    propose(whole, 10, 4)
    for part in (2, 5, 3):
        propose(stopped, part, 4)
        propose(plain, part, 4, plain=True)
    propose(other, 10, 5)
    assert [t.params for t in stopped.trials] == [t.params for t in whole.trials]
    assert [t.params for t in other.trials] != [t.params for t in whole.trials]
    # Optuna's own begins its draws anew, which is why there is ours.
    assert plain.trials[2].params == plain.trials[0].params


def test_a_trial_that_is_tried_again_takes_no_proposal_away(tmp_path: Path) -> None:
    whole, retried = optuna.create_study(), optuna.create_study()
    propose(whole, 6, 1)
    propose(retried, 3, 1)
    dead = retried.ask()
    suggest(dead, parse_space(TEXT, "s.yaml").space)
    retried.tell(dead, state=optuna.trial.TrialState.FAIL)
    with quiet():
        again = optuna.storages.RetryHeartbeatStaleTrialCallback(max_retry=2)
        again(retried, retried.trials[3])
    propose(retried, 3, 1)
    assert roots_of(retried.trials) == {0: 0, 1: 1, 2: 2, 3: 3, 4: 3, 5: 5, 6: 6}
    params = [t.params for t in retried.trials]
    assert [*params[:3], *params[4:6]] == [t.params for t in whole.trials[:5]]

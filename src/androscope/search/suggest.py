"""A trial's values: proposed by Optuna within the space, put as changes of the configuration."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import RetryHeartbeatStaleTrialCallback

from androscope.search.file import is_whole
from androscope.search.schema import Parameter, SamplerConfig, Space

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial, TrialState

__all__ = ["SeededSampler", "distributions", "roots_of", "suggest"]


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """What Optuna draws from, by the names of its parameters: two for dense layers."""
    found: dict[str, BaseDistribution] = {}
    for key, one in space.space.items():
        if one.choices:
            found[key] = CategoricalDistribution([_plain(value) for value in one.choices])
        elif one.layers:
            found[f"{key}.layers"] = CategoricalDistribution(one.layers)
            found[f"{key}.width"] = CategoricalDistribution(one.widths)
        else:
            found[key] = _range(key, one)
    return found


def _range(key: str, one: Parameter) -> BaseDistribution:
    assert one.low is not None
    assert one.high is not None
    if is_whole(key) and one.low == int(one.low) and one.high == int(one.high):
        step = 1 if one.step is None else int(one.step)
        return IntDistribution(int(one.low), int(one.high), log=one.log, step=step)
    return FloatDistribution(one.low, one.high, log=one.log, step=one.step)


def _plain(value: Any) -> Any:
    # Optuna keeps words and numbers alone; a list is kept as JSON.
    return json.dumps(value) if isinstance(value, list | tuple | dict) else value


def suggest(trial: Trial, space: Space) -> dict[str, Any]:
    """The trial's changes, by keys of the configuration; ``also`` keys included."""
    drawn = {name: _drawn(trial, name, kind) for name, kind in distributions(space).items()}
    changes: dict[str, Any] = {}
    for key, one in space.space.items():
        if one.layers:
            value: Any = [drawn[f"{key}.width"]] * drawn[f"{key}.layers"]
        elif one.choices:
            value = next(v for v in one.choices if _same(_plain(v), drawn[key]))
        else:
            value = drawn[key]
        changes |= dict.fromkeys((key, *one.also), value)
    return changes


def _drawn(trial: Trial, name: str, kind: BaseDistribution) -> Any:
    if isinstance(kind, CategoricalDistribution):
        return trial.suggest_categorical(name, kind.choices)
    if isinstance(kind, IntDistribution):
        return trial.suggest_int(name, kind.low, kind.high, step=kind.step, log=kind.log)
    assert isinstance(kind, FloatDistribution)
    return trial.suggest_float(name, kind.low, kind.high, step=kind.step, log=kind.log)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def roots_of(trials: Sequence[FrozenTrial]) -> dict[int, int]:
    """Each trial's number to that of the trial it tries again; its own if it is a first try."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        for trial in trials:
            first = RetryHeartbeatStaleTrialCallback.retried_trial_number(trial)
            found[trial.number] = trial.number if first is None else first
    return found


class SeededSampler(BaseSampler):
    """A sampler whose draws for a trial follow from the seed and how many came before it.

    Optuna's own go on drawing from one stream: seeded, a search that was killed would begin it
    again and propose what it had proposed before. Here a search that goes on proposes what it
    would have proposed, had it been left alone (with one job: which of several ends first is
    chance).

    Parameters
    ----------
    seed
        Of the search.
    make
        A seed to the sampler that draws.
    """

    def __init__(self, seed: int, make: Callable[[int], BaseSampler]) -> None:
        self.seed = seed
        self.make = make
        self._now = make(seed)

    @classmethod
    def tpe(cls, seed: int, config: SamplerConfig) -> SeededSampler:
        """Tree-structured Parzen estimators, Bergstra et al. 2011."""
        startup = config.startup_trials
        return cls(seed, lambda s: TPESampler(seed=s, n_startup_trials=startup))

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Begin the trial's own stream."""
        roots = roots_of([t for t in study.get_trials(deepcopy=False) if t.number < trial.number])
        before = len(set(roots.values()))
        words = np.random.SeedSequence([self.seed, before]).generate_state(1)
        self._now = self.make(int(words[0]))
        self._now.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """See Optuna's base class."""
        return self._now.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """See Optuna's base class."""
        return self._now.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """See Optuna's base class."""
        return self._now.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """See Optuna's base class."""
        self._now.after_trial(study, trial, state, values)

"""Trials one after the other in this process, side by side with those of other processes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from androscope.search.facts import Facts
from androscope.search.schema import PruningConfig
from androscope.search.study import gate, lock_of, quiet, revive, room
from androscope.search.suggest import SeededSampler, roots_of
from androscope.search.trial import Bench, folder_of, run_trial
from androscope.search.turns import Turn, elsewhere

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

__all__ = ["Keep", "best_of", "equip", "loop", "tidy"]

#: Seconds after which another machine's trials are looked at again.
_PAUSE = 1.0

#: Which trials' folders stay.
Keep = Literal["best", "all", "none"]


def equip(study: Study, facts: Facts) -> None:
    """Give the study the sampler and the pruner of its space."""
    study.sampler = SeededSampler.tpe(facts.seed, facts.space.sampler)
    study.pruner = _pruner(facts.space.pruning)


def _pruner(config: PruningConfig) -> Any:
    from optuna.pruners import MedianPruner, NopPruner

    if not config.enabled:
        return NopPruner()
    return MedianPruner(n_startup_trials=config.startup_trials, n_warmup_steps=config.warmup_epochs)


def loop(
    study: Study,
    bench: Bench,
    *,
    trials: int,
    until: float | None = None,
    keep: Keep = "best",
    turn: Turn | None = None,
) -> None:
    """Do trials until there are as many as wanted, or the time is over.

    A trial that fails is recorded, and the next is begun. When all are begun, those of other
    machines are waited for: one whose machine died is done here.

    Parameters
    ----------
    study
        With sampler and pruner; see :func:`equip`.
    bench
        What the trials have in common.
    trials
        Of the whole search, those of other processes and of earlier days included.
    until
        Time (of :func:`time.time`) from which no trial is begun.
    keep
        Which trials' folders stay when they are done.
    turn
        Of whom one at a time counts and begins; by default those of this folder.
    """
    waiting: list[int] = []
    while True:
        one_at_a_time = Turn(bench.out) if turn is None else turn
        one_at_a_time.acquire()
        held: list[Any] = []

        def begun(number: int, one_at_a_time: Any = one_at_a_time, held: list[Any] = held) -> None:
            # Whose lock it is is known before anybody else may count.
            lock = lock_of(bench.out, number)
            lock.acquire()
            held.append(lock)
            one_at_a_time.release()

        def objective(trial: Trial, begun: Any = begun) -> float:
            return run_trial(trial, bench, begun)

        try:
            for number in revive(study, bench.out, bench.place):
                bench.report(f"trial {number}: its process died; it is tried again")
            late = until is not None and time.time() >= until
            if late:
                return
            others = elsewhere(study, bench.place)
            begin = room(study, trials)
            if begin:
                with quiet():
                    study.optimize(objective, n_trials=1, catch=(Exception,))
            elif not others:
                return
        finally:
            for lock in held:
                lock.release()
            one_at_a_time.release()
        if not begin:
            if others != waiting:
                bench.report(f"waiting for other machines' trials {', '.join(map(str, others))}")
            waiting = others
            time.sleep(_PAUSE)
            continue
        with gate(bench.out):
            tidy(study, bench.out, bench.place, keep)


def tidy(study: Study, out: Path, place: str, keep: Keep) -> None:
    """Remove the folders of trials of this place that are done and are not to be kept.

    To be called under :func:`gate`. Those of failed trials go as well: their error is on record.
    """
    if keep == "all":
        return
    trials = study.get_trials(deepcopy=False)
    roots = roots_of(trials)
    stay = {roots[t.number] for t in trials if not t.state.is_finished()}
    best = best_of(study, trials)
    if keep == "best" and best is not None:
        stay.add(roots[best.number])
    for trial in trials:
        if trial.user_attrs.get("place") == place and roots[trial.number] not in stay:
            shutil.rmtree(folder_of(out, roots[trial.number]), ignore_errors=True)


def best_of(study: Study, trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The best trial that was trained to its end; the earliest among equals."""
    from optuna.study import StudyDirection
    from optuna.trial import TrialState

    done = [t for t in trials if t.state == TrialState.COMPLETE and t.value is not None]
    sign = -1 if study.direction == StudyDirection.MAXIMIZE else 1
    return min(done, key=lambda t: (sign * (t.value or 0.0), t.number), default=None)

"""What a search came to: its trials, the best of them, and which keys mattered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from androscope.files import write_text
from androscope.learning.config_file import dump_config
from androscope.search.address import shown_url
from androscope.search.facts import read_facts
from androscope.search.file import changed
from androscope.search.loop import best_of
from androscope.search.schema import Objective
from androscope.search.study import quiet
from androscope.search.suggest import roots_of

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

__all__ = ["BEST", "RECORD", "SearchRecord", "TrialRecord", "best_yaml", "describe", "write_result"]

RECORD, BEST = "search.json", "best.yaml"

#: Fewer whole trials say nothing of what mattered.
_ENOUGH = 4


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrialRecord(_Table):
    """One trial. ``value`` is the objective; of a trial that was given up, its last epoch's."""

    number: int
    retries: int | None
    state: Literal["complete", "pruned", "failed", "died", "running", "waiting"]
    value: float | None
    epochs: int
    changes: dict[str, Any]
    valid: dict[str, dict[str, float | None]]
    error: str | None
    seconds: float | None
    started: datetime | None
    host: str | None
    folder: str | None


class SearchRecord(_Table):
    """A search as far as it has come: what ``search.json`` holds."""

    format: Literal["androscope-search-1"] = "androscope-search-1"
    name: str
    space: str
    storage: str
    objective: Objective
    seed: int
    data: dict[str, str]
    trials: tuple[TrialRecord, ...]
    best: int | None
    importance: dict[str, float]
    importance_missing: str | None

    def of_state(self, *states: str) -> tuple[TrialRecord, ...]:
        """Trials of these states, in their order."""
        return tuple(trial for trial in self.trials if trial.state in states)

    @property
    def ranked(self) -> tuple[TrialRecord, ...]:
        """Trials that were trained to their end, the best first; the earlier one among equals."""
        sign = -1 if self.objective == "roc_auc" else 1
        done = [trial for trial in self.of_state("complete") if trial.value is not None]
        return tuple(sorted(done, key=lambda t: (sign * (t.value or 0.0), t.number)))


def describe(study: Study, url: str) -> SearchRecord:
    """What the study holds now."""
    facts = read_facts(study)
    trials = study.get_trials(deepcopy=False)
    roots = roots_of(trials)
    # Whoever was tried again had died; the last try of each says what came of it.
    again = {roots[t.number] for t in trials if roots[t.number] != t.number}
    last = {roots[t.number]: t.number for t in trials}
    best = best_of(study, trials)
    importance, missing = _importance(study, trials)
    return SearchRecord(
        name=study.study_name,
        space=facts.space.name,
        storage=shown_url(url),
        objective=facts.space.objective,
        seed=facts.seed,
        data=dict(facts.data),
        trials=tuple(
            _trial(t, roots, died=roots[t.number] in again and last[roots[t.number]] != t.number)
            for t in trials
        ),
        best=None if best is None else best.number,
        importance=importance,
        importance_missing=missing,
    )


_STATES: dict[str, Literal["complete", "pruned", "failed", "running", "waiting"]] = {
    "COMPLETE": "complete",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "running",
    "WAITING": "waiting",
}


def _trial(trial: FrozenTrial, roots: dict[int, int], *, died: bool) -> TrialRecord:
    attrs = trial.user_attrs
    state = _STATES[trial.state.name]
    root = roots[trial.number]
    finished = state in ("complete", "pruned")
    return TrialRecord(
        number=trial.number,
        retries=None if root == trial.number else root,
        state="died" if died else state,
        value=trial.value if finished else None,
        epochs=len(trial.intermediate_values),
        changes=attrs.get("changes", {}),
        valid=attrs.get("valid", {}) if finished else {},
        error=attrs.get("error", "the process died") if state == "failed" else None,
        seconds=attrs.get("seconds") if trial.state.is_finished() else None,
        started=trial.datetime_start,
        host=attrs.get("host"),
        folder=attrs.get("folder"),
    )


def _importance(study: Study, trials: Sequence[FrozenTrial]) -> tuple[dict[str, float], str | None]:
    """Share of each key in what made trials good (Watanabe et al. 2023, PED-ANOVA)."""
    import optuna

    whole = [t.value for t in trials if t.state.name == "COMPLETE"]
    if len(whole) < _ENOUGH:
        return {}, f"{len(whole)} trials were trained to their end; {_ENOUGH} are needed"
    if len(set(whole)) == 1:
        return {}, "all trials are equally good"
    with quiet():
        found = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
        )
    return {name: round(float(value), 6) for name, value in found.items()}, None


def best_yaml(study: Study) -> str | None:
    """The best trial's configuration, every key; None before one was trained to its end."""
    best = best_of(study, study.get_trials(deepcopy=False))
    if best is None:
        return None
    facts = read_facts(study)
    config = changed(facts.base, best.user_attrs["changes"])
    config = config.model_copy(update={"name": f"{facts.base.name}-best"[:80]})
    words = {"roc_auc": "mean ROC AUC", "loss": "mean cross-entropy"}[facts.space.objective]
    changes = "".join(f"#   {k}: {json.dumps(v)}\n" for k, v in best.user_attrs["changes"].items())
    return (
        f"# The best of the search {study.study_name}: trial {best.number}, {words} "
        f"{best.value:.4f} on valid.\n# The best of many is flattered by chance; what another seed "
        f"gives is nearer the truth.\n# What the trial chose:\n{changes}{dump_config(config)}"
    )


def write_result(study: Study, out: Path, url: str) -> SearchRecord:
    """Write ``search.json``, and ``best.yaml`` if there is a best. Raises :class:`OutputError`."""
    found = describe(study, url)
    text = best_yaml(study)
    if text is not None:
        write_text(out / BEST, text)
    write_text(out / RECORD, found.model_dump_json(indent=1) + "\n")
    return found

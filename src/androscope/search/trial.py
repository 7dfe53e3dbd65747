"""One trial: a configuration of the space trained in a folder, watched, scored on validation."""

from __future__ import annotations

import json
import math
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from androscope.datasets import Dataset
from androscope.errors import TrainingError
from androscope.learning.config import Config
from androscope.learning.record import RECORD, different_keys
from androscope.learning.splits import learnable
from androscope.search.file import changed
from androscope.search.schema import Space
from androscope.search.score import by_label, objective_of
from androscope.search.suggest import roots_of, suggest
from androscope.types import FloatArray

if TYPE_CHECKING:
    from optuna import Trial

    from androscope.learning.run import Run

__all__ = ["Bench", "folder_of", "run_trial"]

Report = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """What all trials of a search have in common, on this machine.

    Attributes
    ----------
    space, base
        The search's.
    dataset
        With train and valid alone: there is no test to be looked at.
    out
        The search's folder.
    place
        Marks the trials of this folder.
    report
        Called with a line of progress.
    """

    space: Space
    base: Config
    dataset: Dataset
    out: Path
    place: str
    report: Report = lambda _: None

    def __post_init__(self) -> None:
        kept = {name: self.dataset.splits[name] for name in ("train", "valid")}
        object.__setattr__(self, "dataset", replace(self.dataset, splits=kept))


def folder_of(out: Path, root: int) -> Path:
    """The run's folder of the trial that was numbered ``root`` when it was first tried."""
    return out / "trials" / f"{root:04d}"


def run_trial(trial: Trial, bench: Bench, begun: Callable[[int], None] = lambda _: None) -> float:
    """Draw a configuration, train it, and give its objective.

    Parameters
    ----------
    trial
        Optuna's.
    bench
        The search's.
    begun
        Called with the trial's number once its configuration is drawn.

    Raises
    ------
    optuna.TrialPruned
        If it is given up.
    Exception
        Whatever training raises; it stands in the trial's attribute ``error``, too.
    """
    root = roots_of(trial.study.get_trials(deepcopy=False))[trial.number]
    folder = folder_of(bench.out, root)
    changes = suggest(trial, bench.space)
    for key, value in {
        "place": bench.place,
        "folder": str(folder.relative_to(bench.out)),
        "host": socket.gethostname(),
        "process": os.getpid(),
        "changes": changes,
    }.items():
        trial.set_user_attr(key, value)
    begun(trial.number)
    again = "" if root == trial.number else f", which tries {root} again"
    bench.report(f"trial {trial.number}{again}: {json.dumps(trial.params)}")
    started = time.monotonic()
    try:
        config = changed(bench.base, changes, f"trial {trial.number}")
        value, scores = _trained(config, folder, trial, bench)
    except Exception as error:
        if type(error).__name__ != "TrialPruned":
            text = str(error) or repr(error)
            trial.set_user_attr("error", f"{type(error).__name__}: {text}"[:2000])
            bench.report(f"trial {trial.number}: failed: {text.splitlines()[0]}")
        else:
            bench.report(f"trial {trial.number}: given up, {error}")
        raise
    finally:
        trial.set_user_attr("seconds", round(time.monotonic() - started, 1))
    trial.set_user_attr("valid", scores)
    bench.report(f"trial {trial.number}: {bench.space.objective} {value:.4f} on valid")
    return value


def _trained(
    config: Config, folder: Path, trial: Trial, bench: Bench
) -> tuple[float, dict[str, dict[str, float | None]]]:
    from androscope.learning.training import train

    run = _finished(folder, config)
    if run is None:
        watch = _watch(trial, bench, config)
        run = train(config, folder, dataset=bench.dataset, watch=watch, report=bench.report)
    valid = learnable(bench.dataset, "valid", config)
    given = run.probabilities(valid.crops)
    value = objective_of(bench.space.objective, config.labels, valid.labels, given)
    if math.isnan(value):
        raise TrainingError(
            "no label of valid has normal and abnormal crops: ROC AUC is undefined",
            advice="Use objective: loss, or label more crops",
        )
    return value, by_label(config.labels, valid.labels, given)


def _finished(folder: Path, config: Config) -> Run | None:
    """The run that a trial had finished when its process died."""
    from androscope.learning.run import Run

    if not (folder / RECORD).is_file():
        return None
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    if not record.get("finished"):
        return None
    run = Run.load(folder)
    return None if different_keys(run.config, config) else run


def _watch(
    trial: Trial, bench: Bench, config: Config
) -> Callable[[int, FloatArray, NDArray[np.int8]], None]:
    from optuna import TrialPruned

    frozen = trial.study.get_trials(deepcopy=False)[trial.number]
    known = set(frozen.intermediate_values)

    def watch(epoch: int, given: FloatArray, truth: NDArray[np.int8]) -> None:
        value = objective_of(bench.space.objective, config.labels, truth, given)
        # An epoch that was told before the process died is told once.
        if epoch not in known and not math.isnan(value):
            trial.report(value, epoch)
        if bench.space.pruning.enabled and trial.should_prune():
            raise TrialPruned(f"epoch {epoch + 1}: {bench.space.objective} {value:.4f}")

    return watch

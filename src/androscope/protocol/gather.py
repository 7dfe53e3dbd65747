"""From the folders of runs to the entries of ``benchmark.json``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from androscope.errors import TrainingError
from androscope.files import sha256_of
from androscope.learning.config_file import load_config
from androscope.learning.metrics import METRICS
from androscope.learning.record import read_record
from androscope.learning.subject import TEST_READS, count_test_reads
from androscope.learning.summary import Summary, read_summary
from androscope.protocol.plan import Task, config_sha256, folder_of
from androscope.protocol.record import (
    Baseline,
    CrossvalEntry,
    Part,
    RunEntry,
    Score,
    rounded,
)
from androscope.protocol.schema import Crossval
from androscope.protocol.state import CONFIG, RESULT, find_evaluation
from androscope.protocol.work import ensemble_sha256

__all__ = ["crossval_entry", "predictions_of", "run_entry", "software_key"]

PREDICTIONS = "predictions.csv"

_SPLITS: tuple[Part, ...] = ("valid", "test")


def predictions_of(task: Task, out: Path, split: str) -> Path | None:
    """The file of a task's verdicts on a split, if it has been read."""
    found = find_evaluation(folder_of(out, task.name), split)
    return None if found is None else found / PREDICTIONS


def software_key(software: Mapping[str, str]) -> str:
    """A short name for one set of versions."""
    return hashlib.sha256(json.dumps(software, sort_keys=True).encode()).hexdigest()[:8]


def run_entry(task: Task, out: Path) -> tuple[RunEntry, dict[str, str]]:
    """What is kept of a finished run or ensemble, and the versions of the software it was made by.

    Raises
    ------
    TrainingError
        If its evaluation is of other weights than lie in its folder.
    """
    folder = folder_of(out, task.name)
    found: dict[str, Summary] = {}
    files: dict[str, Path] = {}
    for part in _SPLITS:
        evaluation = find_evaluation(folder, part)
        if evaluation is not None:
            found[part] = read_summary(evaluation)
            files[part] = evaluation / PREDICTIONS
    facts: dict[str, Any] = {}
    software: dict[str, str] = {}
    data: dict[str, str] = {}
    if task.kind == "run":
        record = read_record(folder)
        model = str(record["network_sha256"])
        software = dict(record["software"])
        data = {name: split["sha256"] for name, split in record["data"]["splits"].items()}
        facts = {
            "config_sha256": config_sha256(load_config(folder / CONFIG)),
            "seconds": record.get("seconds"),
            "peak_memory_mb": record.get("peak_memory_mb"),
            "threads": record.get("threads"),
            "software": software_key(software),
            "ended": datetime.fromisoformat(record["ended"]),
        }
    else:
        members = [read_record(folder_of(out, name)) for name in task.needs]
        model = ensemble_sha256([str(m["network_sha256"]) for m in members], task.views)
        facts = {"config_sha256": None}
    for split, summary in found.items():
        if summary.model_sha256 != model:
            raise TrainingError(
                "is an evaluation of other weights than those in this folder",
                path=files[split].parent,
                advice="Restore the folder; or remove it whole, and say so where you report "
                "results",
            )
        if split in data and task.labels == summary.labels and data[split] != summary.data_sha256:
            raise TrainingError(
                f"was evaluated on other {split} crops than it was trained with",
                path=files[split].parent,
                advice="Bring the data back",
            )
        data[split] = summary.data_sha256
    last = list(found.values())[-1]
    return RunEntry(
        name=task.name,
        labels=last.labels,
        seed=task.seed,
        model_sha256=model,
        data_sha256=data,
        predictions_sha256={split: sha256_of(path) for split, path in files.items()},
        thresholds={
            label: one.threshold
            for label, one in last.by_label.items()
            if one.threshold is not None
        },
        scores={
            part: {label: _scores(found[part], label) for label in found[part].labels}
            for part in _SPLITS
            if part in found
        },
        test_readings=count_test_reads(folder / TEST_READS, model),
        **facts,
    ), software


def _scores(summary: Summary, label: str) -> dict[str, Score]:
    found = summary.by_label[label].scores
    return {
        name: Score(*map(rounded, (found[name].value, found[name].low, found[name].high)))
        for name in METRICS
    }


def crossval_entry(tasks: list[Task], entry: Crossval, out: Path) -> CrossvalEntry | None:
    """What is kept of a cross-validation, of those of its labels that are finished; ``None``: none.

    Raises
    ------
    TrainingError
        If a result cannot be read.
    """
    baseline: dict[str, Baseline] = {}
    found: dict[str, dict[str, tuple[float | None, ...]]] = {}
    predictions: dict[str, str] = {}
    summary: Summary | None = None
    seconds = 0.0
    for task in tasks:
        folder = folder_of(out, task.name)
        if not (folder / RESULT).is_file():
            continue
        summary = read_summary(folder)
        try:
            values = json.loads((folder / RESULT).read_text(encoding="utf-8"))["by_fold"]
            for label in summary.labels:
                one = summary.by_label[label]
                baseline[label] = Baseline(
                    normal=one.normal, abnormal=one.abnormal, scores=one.baseline
                )
                found[label] = {
                    name: tuple(
                        map(
                            rounded,
                            (
                                values[label][name]["mean"],
                                values[label][name]["sd"],
                                one.scores[name].value,
                                one.scores[name].low,
                                one.scores[name].high,
                            ),
                        )
                    )
                    for name in METRICS
                }
                predictions[label] = sha256_of(folder / PREDICTIONS)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"cannot be read: {error!r}",
                path=folder / RESULT,
                advice="Remove it: it is made again from the folds",
            ) from error
        for number in range(1, task.folds + 1):
            seconds += read_record(folder / f"fold-{number}").get("seconds") or 0.0
    if summary is None:
        return None
    return CrossvalEntry.model_validate(
        {
            "config": entry.config,
            "folds": entry.folds,
            "seed": entry.seed,
            "splits": entry.splits,
            "crops": summary.crops,
            "config_sha256": config_sha256(tasks[0].config),
            "data_sha256": summary.data_sha256,
            "predictions_sha256": predictions,
            "seconds": round(seconds, 3),
            "baseline": baseline,
            "scores": found,
        }
    )

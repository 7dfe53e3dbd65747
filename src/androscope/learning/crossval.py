"""Cross-validation: every crop graded by a network that never saw it, nor a crop of its patient.

Each fold is trained whole, by the configuration as it stands. Its epoch and thresholds are chosen
on a validation part carved out of its own training crops, so that nothing about the held-out crops
is known when their verdicts are made. The test split is part of it only where it is asked for by
name, as a benchmark does that tells how much of a result is due to the one split.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from androscope.datasets import Dataset, LabelledCrops
from androscope.errors import TrainingError
from androscope.files import write_text
from androscope.learning.config import Config
from androscope.learning.config_file import dump_config
from androscope.learning.evaluate import measure
from androscope.learning.fold_scores import CrossValidation, scores_by_fold
from androscope.learning.folds import Fold, make_folds

__all__ = ["Trained", "crossval", "pool", "train_fold"]

PLAN, FOLD, RESULT = "plan.json", "fold.json", "crossval.json"

#: Splits that are pooled and divided anew, unless others are named.
POOLED = ("train", "valid")


class Trained(Protocol):
    """A trained fold: its thresholds, found on its own validation part, and its probabilities."""

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Per label."""
        ...

    def probabilities(self, crops: NDArray[np.uint8], /) -> NDArray[np.float32]:
        """Grade ``(N, S, S)`` uint8 crops: ``(N, L)``, the probability of abnormal."""
        ...


#: Trains by a configuration in a folder, on a data set with the splits train and valid.
Train = Callable[[Config, Path, Dataset], Trained]


def pool(
    dataset: Dataset, labels: tuple[str, ...], splits: Sequence[str] = POOLED
) -> LabelledCrops:
    """Put ``splits`` together, those of them that there are; others, test above all, stay apart.

    Crops without any of ``labels`` are left out.

    Raises
    ------
    LabelsError
        If the data lacks a label.
    """
    parts = [dataset.splits[name].with_labels(labels) for name in splits if name in dataset.splits]
    if not parts:
        raise TrainingError(
            f"{dataset.name} has none of the splits {', '.join(splits)}; "
            f"there are {', '.join(dataset.splits)}"
        )
    patients: tuple[str, ...] | None = None
    if any(part.patients is not None for part in parts):
        patients = tuple(p for part in parts for p in part.patients or ("",) * len(part))
    whole = LabelledCrops(
        crops=np.concatenate([part.crops for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        label_names=labels,
        ids=tuple(name for part in parts for name in part.ids),
        patients=patients,
    )
    return whole.select((whole.labels >= 0).any(axis=1))


def train_fold(config: Config, folder: Path, dataset: Dataset) -> Trained:
    """Train as `androscope train` does; an unfinished fold goes on, a finished one is read back."""
    from androscope.learning.record import RECORD, read_record
    from androscope.learning.run import Run, train

    if (folder / RECORD).is_file() and read_record(folder).get("finished"):
        return Run.load(folder)
    return train(config, folder, dataset=dataset)


def crossval(
    config: Config,
    dataset: Dataset,
    out: str | Path,
    folds: int = 5,
    train: Train = train_fold,
    *,
    splits: Sequence[str] = POOLED,
    resamples: int = 2000,
    report: Callable[[str], None] = lambda _: None,
) -> CrossValidation:
    """Cross-validate a configuration.

    Parameters
    ----------
    config
        The run; its seed also draws the folds.
    dataset
        Of it, ``splits`` are pooled and divided anew.
    out
        Folder: ``plan.json``, ``fold-1/`` and so on (a run each, with ``fold.json``), and at the
        end ``crossval.json`` beside the files of an evaluation. Called again, finished folds are
        kept.
    folds
        Number of folds.
    train
        Trains one fold in its folder.
    splits
        What is pooled: train and valid, unless others are named.
    resamples
        Of the bootstrap over the pooled held-out crops.
    report
        Called with a line per fold.

    Raises
    ------
    TrainingError
        If ``out`` holds another cross-validation, or the data is too small for so many folds.
    """
    out = Path(out)
    data = pool(dataset, config.labels, splits)
    plan = make_folds(data, folds, config.seed)
    fingerprint = _claim(out, config, data, folds)
    probabilities = np.full((len(data), len(config.labels)), np.nan, dtype=np.float32)
    thresholds = np.full((len(data), len(config.labels)), np.nan)
    of_fold = np.zeros(len(data), dtype=int)
    for number, fold in enumerate(plan, start=1):
        folder = out / f"fold-{number}"
        found = _finished(folder, fingerprint, data, fold)
        if found is None:
            report(
                f"fold {number} of {folds}: {len(fold.train)} to fit, {len(fold.valid)} to choose"
            )
            found = _run_fold(config, dataset, data, fold, folder, fingerprint, train)
        else:
            report(f"fold {number} of {folds}: done before")
        probabilities[fold.held_out], thresholds[fold.held_out] = found
        of_fold[fold.held_out] = number
    pooled = measure(
        probabilities,
        data,
        thresholds,
        model=config.name,
        model_sha256=None,
        name=dataset.name,
        split="+".join(name for name in splits if name in dataset.splits) + f", {folds} folds",
        seed=config.seed,
        resamples=resamples,
        extra={"fold": of_fold.tolist()},
    )
    sizes = tuple((len(f.train), len(f.valid), len(f.held_out)) for f in plan)
    result = CrossValidation(pooled, scores_by_fold(data, plan, probabilities, thresholds), sizes)
    pooled.write(out)
    write_text(out / RESULT, json.dumps(result.to_json(), indent=2) + "\n")
    return result


def _claim(out: Path, config: Config, data: LabelledCrops, folds: int) -> str:
    """Write down what is being done in ``out``, or make sure it is what was begun there."""
    ids = hashlib.sha256("\n".join((*data.ids, *(data.patients or ()))).encode()).hexdigest()
    plan = {
        "config": dump_config(config),
        "data_sha256": data.sha256,
        "ids_sha256": ids,
        "folds": folds,
    }
    path = out / PLAN
    try:
        before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else plan
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot be read: {error}", path=path) from error
    what = {
        "config": "another configuration",
        "data_sha256": "other data",
        "ids_sha256": "other file names or patients",
        "folds": f"{before.get('folds')} folds" if isinstance(before, dict) else "something else",
    }
    differ = [what[k] for k in plan if not isinstance(before, dict) or before.get(k) != plan[k]]
    if differ:
        raise TrainingError(
            f"holds a cross-validation of {', '.join(differ)}",
            path=out,
            advice="Choose another folder with --out, or remove this one",
        )
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    if out.is_dir() and any(out.iterdir()):
        raise TrainingError(
            "holds files that are no cross-validation's",
            path=out,
            advice="Choose an empty or a new folder with --out",
        )
    text = json.dumps(plan, indent=2) + "\n"
    write_text(path, text)
    return hashlib.sha256(text.encode()).hexdigest()


def _run_fold(
    config: Config,
    dataset: Dataset,
    data: LabelledCrops,
    fold: Fold,
    folder: Path,
    fingerprint: str,
    train: Train,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    splits = {"train": data.select(fold.train), "valid": data.select(fold.valid)}
    trained = train(config, folder, replace(dataset, splits=splits))
    held_out = data.select(fold.held_out)
    given = np.asarray(trained.probabilities(held_out.crops), dtype=np.float32)
    if given.shape != held_out.labels.shape:
        raise TrainingError(
            f"expected probabilities {held_out.labels.shape}, got {given.shape}", path=folder
        )
    limits = np.array([trained.thresholds[label] for label in config.labels], dtype=np.float64)
    record = {
        "plan_sha256": fingerprint,
        "thresholds": dict(zip(config.labels, limits.tolist(), strict=True)),
        "ids": list(held_out.ids),
        "probabilities": given.tolist(),
    }
    write_text(folder / FOLD, json.dumps(record) + "\n")
    return given, np.broadcast_to(limits, given.shape)


def _finished(
    folder: Path, fingerprint: str, data: LabelledCrops, fold: Fold
) -> tuple[NDArray[np.float32], NDArray[np.float64]] | None:
    path = folder / FOLD
    if not path.is_file():
        return None
    expected = [data.ids[i] for i in fold.held_out]
    try:
        record: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        given = np.array(record["probabilities"], dtype=np.float32)
        limits = np.array([record["thresholds"][name] for name in data.label_names], np.float64)
        whole = record["plan_sha256"] == fingerprint and record["ids"] == expected
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"cannot be read: {error!r}", path=path, advice="Remove it; the fold is graded again"
        ) from error
    if not whole or given.shape != (len(expected), len(data.label_names)):
        raise TrainingError(
            "is of another cross-validation",
            path=path,
            advice="Remove the fold's folder; it is trained again",
        )
    return given, np.broadcast_to(limits, given.shape)

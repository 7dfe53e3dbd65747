"""Runs read to be compared: of the same crops, by recipe, each with its grades of a split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from androscope.datasets import Dataset
from androscope.errors import TrainingError
from androscope.learning.config import Config
from androscope.learning.record import different_keys
from androscope.protocol.graded import Graded, read_graded

if TYPE_CHECKING:
    from androscope.learning.run import Run

__all__ = ["distinct", "graded_by", "recipes_of", "same_data"]

#: Keys in which runs of one recipe differ.
_OF_A_RUN = (
    "name",
    "seed",
    "init_seed",
    "data.dataset",
    "data.held_out_folds",
    "data.train_share",
    "trainer.threads",
)

#: Of the bootstrap that an evaluation of test comes with.
_RESAMPLES = 2000


def distinct(runs: Sequence[Run]) -> None:
    """Refuse a network that is there twice. Raises :class:`TrainingError`."""
    seen: dict[str, Path] = {}
    for run in runs:
        sha = str(run.record["network_sha256"])
        if sha in seen:
            raise TrainingError(
                f"is the same network as {seen[sha]}", path=run.folder, advice="Name it once"
            )
        seen[sha] = run.folder


def same_data(runs: Sequence[Run], dataset: Dataset) -> None:
    """Refuse runs that were trained on other crops. Raises :class:`TrainingError`."""
    for run in runs:
        for name in ("train", "valid"):
            if name not in dataset.splits:
                continue
            known = run.record["data"]["splits"][name]["sha256"]
            if dataset.splits[name].with_labels(run.labels).sha256 != known:
                raise TrainingError(
                    f"was trained on other {name} crops than {dataset.name} has",
                    path=run.folder,
                    advice="Compare runs on the same data, which must be here as it was",
                )


def recipes_of(configs: Sequence[Config]) -> list[int]:
    """Number the recipes, from 0 in order of appearance."""
    found: list[Config] = []
    numbers = []
    for config in configs:
        for number, other in enumerate(found):
            if all(key in _OF_A_RUN for key in different_keys(config, other)):
                numbers.append(number)
                break
        else:
            numbers.append(len(found))
            found.append(config)
    return numbers


def graded_by(run: Run, dataset: Dataset, split: str, seed: int) -> Graded:
    """A run's grades of a split; of test once, on record, and into the run's folder.

    Raises
    ------
    TrainingError
        As :func:`androscope.protocol.read.evaluate_once`.
    """
    labels = run.labels
    if split == "test":
        from androscope.learning.evaluate import PREDICTIONS
        from androscope.learning.subject import open_subject
        from androscope.protocol.read import evaluate_once

        subject = open_subject(run.folder)
        # As `androscope evaluate` and a benchmark do: recorded, and never a second time.
        out = evaluate_once(subject, dataset, split, run.folder, seed=seed, resamples=_RESAMPLES)
        return read_graded(out / PREDICTIONS, labels)
    crops = dataset.splits[split].with_labels(labels)
    given = run.probabilities(crops.crops).astype(np.float64)
    return Graded(
        ids=crops.ids,
        truth={label: crops.labels[:, i] for i, label in enumerate(labels)},
        probabilities={label: given[:, i] for i, label in enumerate(labels)},
        thresholds={label: np.full(len(crops), run.thresholds[label]) for label in labels},
    )

"""Verdicts of a run read back from its ``predictions.csv``, and the means over several runs."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from androscope.errors import TrainingError
from androscope.learning.intervals import bootstrap_mean
from androscope.learning.metrics import METRICS, scores
from androscope.protocol.record import Baseline, Mean, rounded
from androscope.types import Verdict

__all__ = ["Graded", "baseline_of", "means_of", "read_graded"]

_WORDS = {Verdict.NORMAL.value: 0, Verdict.ABNORMAL.value: 1, "": -1}


@dataclass(frozen=True)
class Graded:
    """One model's grades of one split.

    Attributes
    ----------
    ids
        ``N`` ids of the crops, as the file has them.
    truth
        Label to ``(N,)`` int8: 0, 1, or -1 where not labelled.
    probabilities, thresholds
        Label to ``(N,)`` float64.
    """

    ids: tuple[str, ...]
    truth: Mapping[str, NDArray[np.int8]]
    probabilities: Mapping[str, NDArray[np.float64]]
    thresholds: Mapping[str, NDArray[np.float64]]

    def select(self, kept: NDArray[np.bool_]) -> Graded:
        """Only the crops where ``kept`` is true."""
        return Graded(
            tuple(name for name, keep in zip(self.ids, kept, strict=True) if keep),
            {label: values[kept] for label, values in self.truth.items()},
            {label: values[kept] for label, values in self.probabilities.items()},
            {label: values[kept] for label, values in self.thresholds.items()},
        )


def read_graded(path: Path, labels: Sequence[str]) -> Graded:
    """Read a ``predictions.csv`` of `androscope evaluate`.

    Raises
    ------
    TrainingError
        If it is missing or is none.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        return Graded(
            ids=tuple(row["id"] for row in rows),
            truth={
                label: np.array([_WORDS[row[f"{label}_truth"]] for row in rows], np.int8)
                for label in labels
            },
            probabilities={
                label: np.array([float(row[f"{label}_probability"]) for row in rows])
                for label in labels
            },
            thresholds={
                label: np.array([float(row[f"{label}_threshold"]) for row in rows])
                for label in labels
            },
        )
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise TrainingError(
            f"is no file of predictions: {error!r}",
            path=path,
            advice="Restore the evaluation's folder",
        ) from error


def means_of(
    label: str,
    runs: Sequence[Graded],
    *,
    patients: Sequence[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Mean]:
    """Mean, standard deviation and interval of every score of one label over runs.

    Crops are drawn once for all runs, each run is scored on the draw, and the mean of the runs'
    scores is what the draw gives: see :func:`androscope.learning.intervals.bootstrap_mean`.

    Parameters
    ----------
    runs
        Of the same crops in the same order.
    patients
        ``(N,)`` whose sperm each crop shows; then patients are drawn.
    """
    truth = runs[0].truth[label]
    each = [scores(truth, run.probabilities[label], run.thresholds[label]) for run in runs]
    ends = bootstrap_mean(
        truth,
        [(run.probabilities[label], run.thresholds[label]) for run in runs],
        patients=patients,
        resamples=resamples,
        seed=seed,
    )
    found = {}
    for name in METRICS:
        defined = np.array([s[name] for s in each if not np.isnan(s[name])])
        found[name] = Mean(
            mean=rounded(defined.mean()) if len(defined) else None,
            sd=rounded(defined.std(ddof=1)) if len(defined) > 1 else None,
            n=len(defined),
            low=rounded(ends[name].low),
            high=rounded(ends[name].high),
        )
    return found


def baseline_of(truth: NDArray[np.int8]) -> Baseline:
    """What calling every crop normal scores."""
    found = scores(truth, np.zeros(len(truth)), 0.5)
    return Baseline(
        normal=found.normal,
        abnormal=found.abnormal,
        scores={name: rounded(found[name]) for name in METRICS},
    )

"""What finished runs think of the training crops: targets for one network to learn from them.

Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network": a single network that
learns the mean probabilities of several grades better than one that learns the labels alone, and
costs one pass. The targets are ``(1 - share) label + share mean``, so that the loss is the
weighted sum of the cross-entropies against both (their section 2, at temperature 1, where the
cross-entropy is linear in its target).

With ``teacher.held_out`` the mean is over those runs alone that did not learn the crop
(:mod:`androscope.learning.held_out`): where a label is wrong, they may say so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.learning.config import Config, TeacherConfig
from androscope.learning.epochs import Report
from androscope.learning.held_out import asked
from androscope.learning.matching import Matching, shared_columns
from androscope.learning.run import Run
from androscope.learning.views import dihedral_views
from androscope.types import FloatArray, UInt8Array

__all__ = ["load_teachers", "matching_of", "opinion", "soft_targets", "teacher_facts"]


def load_teachers(config: Config) -> list[Run]:
    """The runs of ``teacher.runs``, in order; none if there are none.

    Raises
    ------
    TrainingError
        If one is not finished, takes crops of another size, or no run grades a label.
    """
    runs = [Run.load(Path(folder).expanduser()) for folder in config.teacher.runs]
    for run in runs:
        if run.config.data.crop_size != config.data.crop_size:
            raise TrainingError(
                f"grades crops of {run.config.data.crop_size} px; "
                f"data.crop_size is {config.data.crop_size}",
                path=run.folder,
                advice="Name runs of the same crop size in teacher.runs",
            )
    for label in config.labels if runs else ():
        if not any(label in run.labels for run in runs):
            known = sorted({name for run in runs for name in run.labels})
            raise TrainingError(
                f"no run of teacher.runs grades {label}; they grade {', '.join(known)}",
                advice=f"Name a run that does, or leave {label} out of `labels`",
            )
    return runs


def matching_of(runs: list[Run], config: Config) -> Matching | None:
    """The runs as they are asked of each batch; None without ``teacher.match``, or without runs."""
    if not runs or not config.teacher.match:
        return None
    return Matching(runs, config.labels, config.teacher.share)


def teacher_facts(runs: list[Run]) -> list[dict[str, Any]]:
    """Name, seed and hash of each teacher, for the record."""
    return [
        {
            "name": run.config.name,
            "method": run.config.method,
            "labels": list(run.labels),
            "seed": run.config.seed,
            "network_sha256": run.record["network_sha256"],
        }
        | _fold(run)
        for run in runs
    ]


def _fold(run: Run) -> dict[str, Any]:
    held = run.record.get("held_out")
    return {} if held is None else {"held_out": {k: held[k] for k in ("folds", "fold")}}


def opinion(
    runs: list[Run],
    labels: tuple[str, ...],
    crops: UInt8Array,
    views: int,
    asked: NDArray[np.bool_] | None = None,
) -> FloatArray:
    """Mean probability of abnormal over runs and views: ``(N, L)`` float32.

    Parameters
    ----------
    runs
        Each grades some of ``labels``; each label has one at least.
    labels
        Columns of the answer.
    crops
        ``(N, S, S)`` uint8.
    views
        1, 2 or 8, of :func:`androscope.learning.views.dihedral_views`.
    asked
        ``(R, N)``: which run is asked of which crop; all of all by default. NaN where none is.
    """
    total = np.zeros((len(crops), len(labels)), np.float64)
    count = np.zeros((len(crops), len(labels)), np.int64)
    for number, run in enumerate(runs):
        own, theirs = shared_columns(labels, run.labels)
        rows = np.arange(len(crops)) if asked is None else np.flatnonzero(asked[number])
        for view in dihedral_views(crops[rows], views) if len(rows) else ():
            found = run.probabilities(view)
            total[rows[:, None], own] += found[:, theirs]
            count[rows[:, None], own] += 1
    with np.errstate(invalid="ignore"):
        return (total / count).astype(np.float32)


def soft_targets(
    train: LabelledCrops, runs: list[Run], config: TeacherConfig, report: Report
) -> FloatArray | None:
    """Targets ``(N, L)`` in 0 to 1, -1 where not labelled; None without teachers.

    With ``held_out``, a label that no run may be asked of (a phantom's) is learned as it is.
    A crop that nobody labelled stays out of the loss: the teachers' opinion alone is no label.
    """
    if not runs:
        return None
    report(f"{len(runs)} teachers, {config.views} views of {len(train)} crops each")
    who = asked(runs, train) if config.held_out else None
    mean = opinion(runs, train.label_names, train.crops, config.views, who)
    mean = np.where(np.isnan(mean), train.labels, mean)
    targets = (1 - config.share) * train.labels + config.share * mean
    return np.where(train.labels >= 0, targets, -1).astype(np.float32)

"""A fold of the train crops that a run does not learn from, so that its opinion of them is its own.

A network that learned a crop repeats its label, right or wrong. Several runs that each hold out
another fold have, together, an opinion of every train crop that none of its teachers had learned
(cross-fitting). ``teacher.held_out`` learns from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.learning.folds import divide

if TYPE_CHECKING:
    from androscope.learning.run import Run

__all__ = ["asked", "held_out_ids", "without_fold"]

#: Of the division into folds: the same for all runs, whatever their seeds.
FOLDS_SEED = 0


def without_fold(
    train: LabelledCrops, folds: int, seed: int
) -> tuple[LabelledCrops, dict[str, Any] | None]:
    """The train crops but for those of fold ``seed % folds``, and what was held out.

    Parameters
    ----------
    train
        Real crops; patients stay in one fold where they are known.
    folds
        0 for none held out, or 2 at least.
    seed
        The run's.

    Returns
    -------
    train, held_out
        For the run's record: number of folds, which one, ids of its crops. None with 0 folds.

    Raises
    ------
    TrainingError
        If there are fewer patients (or crops) than folds, or a class is held out whole.
    """
    if not folds:
        return train, None
    number = seed % folds
    out = divide(train, folds, FOLDS_SEED)[number]
    rest = train.select(np.setdiff1d(np.arange(len(train)), out))
    for label, counts in rest.counts().items():
        if not (counts.normal and counts.abnormal):
            raise TrainingError(
                f"without fold {number} of {folds}, train has {counts.normal} normal and "
                f"{counts.abnormal} abnormal crops for {label}; one of each at least is needed",
                advice="Use fewer data.held_out_folds, or more data",
            )
    return rest, {"folds": folds, "fold": number, "crops": [train.ids[i] for i in out]}


def held_out_ids(run: Run) -> frozenset[str]:
    """Ids of the train crops that a finished run did not learn from by ``data.held_out_folds``."""
    found = run.record.get("held_out") or {}
    return frozenset(found.get("crops", ()))


def asked(runs: Sequence[Run], train: LabelledCrops) -> NDArray[np.bool_]:
    """Which run may be asked of which crop: ``(R, N)``, those that held it out.

    Raises
    ------
    TrainingError
        If every run learned a real crop. Of a phantom nobody is asked: its truth is known.
    """
    held = [held_out_ids(run) for run in runs]
    mask = np.array([[name in ids for name in train.ids] for ids in held]).reshape(-1, len(train))
    real = np.array([not name.startswith("phantom/") for name in train.ids])
    learned = np.flatnonzero(real & ~mask.any(axis=0))
    if learned.size:
        raise TrainingError(
            f"{learned.size} of {int(real.sum())} training crops were learned by every run of "
            f"teacher.runs, such as {train.ids[learned[0]]}",
            advice="Name runs trained with --set data.held_out_folds=N and N different seeds in a "
            "row, or leave teacher.held_out false",
        )
    return mask

"""A part of the train crops, to learn how much more of them would help.

Training with a half, a quarter, an eighth of the crops shows where the curve over their number
points: whether it still rises at all of them, or has come to rest for another reason.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError

__all__ = ["part_of"]


def part_of(
    train: LabelledCrops, share: float, seed: int
) -> tuple[LabelledCrops, dict[str, Any] | None]:
    """A share of the crops, in which every combination of labels is as frequent as in all.

    With one seed, a smaller share is a part of a larger one.

    Parameters
    ----------
    train
        Real crops, in an order that stays.
    share
        Above 0, up to 1 for all.
    seed
        The run's.

    Returns
    -------
    train, part
        For the run's record: the share, how many of how many crops, hash of their ids. None for
        all.

    Raises
    ------
    TrainingError
        If a class of a label has no crop in the part.
    """
    if share >= 1:
        return train, None
    rows = np.sort(_ranked(train.labels, seed)[: max(1, round(share * len(train)))])
    part = train.select(rows)
    for label, counts in part.counts().items():
        if not (counts.normal and counts.abnormal):
            raise TrainingError(
                f"data.train_share {share:g} leaves {counts.normal} normal and {counts.abnormal} "
                f"abnormal train crops for {label}; one of each at least is needed",
                advice="Learn from a larger share",
            )
    names = hashlib.sha256("\n".join(part.ids).encode()).hexdigest()
    return part, {"share": share, "crops": len(part), "of": len(train), "ids_sha256": names}


def _ranked(labels: NDArray[np.int8], seed: int) -> NDArray[np.intp]:
    """All rows, in an order of which every beginning is alike in its combinations of labels.

    Each combination's rows are shuffled and set at equal distances between 0 and 1, from a random
    first place (systematic sampling); the order is that of these places.
    """
    generator = np.random.default_rng([seed, 1009])
    places = np.empty(len(labels))
    _, classes = np.unique(labels, axis=0, return_inverse=True)
    classes = classes.reshape(-1)
    for number in range(classes.max() + 1):
        rows = generator.permutation(np.flatnonzero(classes == number))
        places[rows] = (np.arange(len(rows)) + generator.random()) / len(rows)
    return np.argsort(places, kind="stable")

"""Folds that are alike: every label's rare class spread evenly, every patient in one fold alone."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.learning.intervals import units

__all__ = ["Fold", "divide", "make_folds", "strata"]

#: One of so many parts of a fold's training crops chooses its epoch and thresholds: a fifth, as in
#: MHSMA's own split (240 of 1,240).
_INNER = 5


class Fold:
    """Rows of one fold, each sorted, none in two.

    Attributes
    ----------
    train
        To fit by.
    valid
        To choose epoch and thresholds by; carved out of the training part.
    held_out
        To score.
    """

    __slots__ = ("held_out", "train", "valid")

    def __init__(
        self, train: NDArray[np.intp], valid: NDArray[np.intp], held_out: NDArray[np.intp]
    ) -> None:
        self.train, self.valid, self.held_out = train, valid, held_out


def strata(labels: NDArray[np.int8], least: int) -> NDArray[np.intp]:
    """Class of each row for stratifying: its combination of labels.

    A combination that fewer than ``least`` rows have cannot be spread over as many folds. Such rows
    forget the label whose rare class is the largest, and are put together anew, until each class
    has enough (or nothing is left to forget): so the rarest defects stay spread the longest.

    Parameters
    ----------
    labels
        ``(N, L)``: 0, 1, or -1 for not labelled, which counts as a value of its own.
    least
        Smallest class wanted.

    Returns
    -------
    ``(N,)``
        Numbers of the classes.
    """
    rare = np.minimum((labels == 0).sum(axis=0), (labels == 1).sum(axis=0))
    columns = labels[:, np.argsort(rare, kind="stable")].astype(np.intp)
    forgotten = -2
    for last in range(columns.shape[1] - 1, -1, -1):
        _, classes, counts = np.unique(columns, axis=0, return_inverse=True, return_counts=True)
        few = counts[classes.reshape(-1)] < least
        columns[few, last] = forgotten
    return np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1)


def divide(data: LabelledCrops, parts: int, seed: int) -> list[NDArray[np.intp]]:
    """Rows of each of ``parts`` alike parts; patients stay whole where they are known.

    Raises
    ------
    TrainingError
        If there are fewer patients (or crops) than parts.
    """
    groups = units(data.patients or [""] * len(data))
    return _divide(data.labels, groups, parts, seed, patients=data.patients is not None)


def make_folds(data: LabelledCrops, folds: int, seed: int) -> tuple[Fold, ...]:
    """Divide the crops.

    Patients stay whole where they are known, in the folds and in the validation part of each; a
    crop of an unknown patient stands for itself.

    Parameters
    ----------
    data
        All crops to divide.
    folds
        Number of folds, from 2.
    seed
        The same seed gives the same folds.

    Raises
    ------
    TrainingError
        If there are fewer patients (or crops) than that takes.
    """
    if folds < 2:
        raise TrainingError(f"cross-validation takes at least 2 folds, got {folds}")
    groups = units(data.patients or [""] * len(data))
    outer = divide(data, folds, seed)
    found = []
    for number, held_out in enumerate(outer):
        rest = np.setdiff1d(np.arange(len(data)), held_out)
        inner = _divide(
            data.labels[rest],
            groups[rest],
            _INNER,
            seed + 1 + number,
            patients=data.patients is not None,
        )
        valid = rest[inner[0]]
        found.append(Fold(np.setdiff1d(rest, valid), valid, held_out))
    return tuple(found)


def _divide(
    labels: NDArray[np.int8], groups: NDArray[np.intp], parts: int, seed: int, *, patients: bool
) -> list[NDArray[np.intp]]:
    available = len(np.unique(groups))
    if available < parts:
        kind = "patients" if patients else "crops"
        raise TrainingError(
            f"{parts} parts need at least {parts} {kind}, got {available}",
            advice="Use fewer folds, or more data",
        )
    splitter = StratifiedGroupKFold(parts, shuffle=True, random_state=seed % 2**32)
    classes = strata(labels, parts)
    if np.bincount(classes).max() < parts:
        classes = np.zeros_like(classes)  # all are rare: spread by size alone
    with warnings.catch_warnings():
        # A class smaller than the number of parts, with nothing left to forget, is spread as it is.
        warnings.filterwarnings("ignore", message="The least populated class in y")
        return [held for _, held in splitter.split(classes, classes, groups)]

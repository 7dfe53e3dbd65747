"""How far models agree with one another and with the labels, and which crops all of them miss.

Where models that were trained apart agree among themselves and not with the label, more of the same
training will not help: the crop is hard to see, or its label is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

from androscope.extras import require

__all__ = ["Agreement", "Missed", "Spread", "agreement", "kappa", "missed_by_all"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Spread(_Table):
    """Mean and ends of several values; None where none is defined."""

    mean: float | None
    least: float | None
    most: float | None
    n: int


class Agreement(_Table):
    """Of several models on the labelled crops of one label.

    Attributes
    ----------
    models, crops
        How many.
    kappa
        Cohen's, of every pair of models.
    kappa_with_labels
        Cohen's, of every model with the labels.
    unanimous
        Share of crops of which all models say the same.
    all_right, all_wrong
        Share of crops that all models get right, or wrong.
    all_wrong_if_independent
        What the share of all wrong would be if the models' errors had nothing to do with one
        another: the product of their shares of errors.
    """

    models: int
    crops: int
    kappa: Spread
    kappa_with_labels: Spread
    unanimous: float
    all_right: float
    all_wrong: float
    all_wrong_if_independent: float


class Missed(_Table):
    """A crop that every model gets wrong: its label, and the mean probability of abnormal."""

    id: str
    label: int
    probability: float


def kappa(one: ArrayLike, other: ArrayLike) -> float | None:
    """Cohen's kappa (1960) of two rows of verdicts; None if both say one thing of all crops."""
    a, b = np.asarray(one), np.asarray(other)
    if len(np.unique(np.concatenate([a, b]))) < 2:
        return None
    score: Any = require("sklearn.metrics", extra="train", why="compare models").cohen_kappa_score
    return float(score(a, b))


def agreement(truth: ArrayLike, verdicts: ArrayLike) -> Agreement:
    """Compare models.

    Parameters
    ----------
    truth
        ``(N,)``: 0 normal, 1 abnormal, -1 not labelled; those crops are left out.
    verdicts
        ``(M, N)`` of M models, two at least: 0 normal, 1 abnormal.

    Raises
    ------
    ValueError
        If the shapes do not fit, there is one model, or no crop is labelled.
    """
    labels, given = _labelled(truth, verdicts)
    if len(given) < 2:
        raise ValueError(f"expected two models at least, got {len(given)}")
    wrong = given != labels
    return Agreement(
        models=len(given),
        crops=len(labels),
        kappa=_spread([kappa(a, b) for a, b in combinations(given, 2)]),
        kappa_with_labels=_spread([kappa(one, labels) for one in given]),
        unanimous=float((given == given[0]).all(axis=0).mean()),
        all_right=float((~wrong).all(axis=0).mean()),
        all_wrong=float(wrong.all(axis=0).mean()),
        all_wrong_if_independent=float(np.prod(wrong.mean(axis=1))),
    )


def missed_by_all(
    ids: Sequence[str], truth: ArrayLike, verdicts: ArrayLike, probabilities: ArrayLike
) -> tuple[Missed, ...]:
    """Labelled crops that every model gets wrong, those first of which they are surest.

    Parameters
    ----------
    ids
        Of the ``N`` crops.
    truth, verdicts
        As in :func:`agreement`.
    probabilities
        ``(M, N)``, of abnormal.
    """
    labels, given = np.asarray(truth), np.asarray(verdicts)
    mean = np.asarray(probabilities, dtype=np.float64).mean(axis=0)
    rows = np.flatnonzero((labels >= 0) & (given != labels).all(axis=0))
    sure = np.abs(mean[rows] - labels[rows])
    return tuple(
        Missed(id=ids[i], label=int(labels[i]), probability=round(float(mean[i]), 6))
        for i in rows[np.argsort(-sure, kind="stable")]
    )


def _labelled(truth: ArrayLike, verdicts: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    labels, given = np.asarray(truth), np.asarray(verdicts)
    if given.ndim != 2 or given.shape[1:] != labels.shape:
        raise ValueError(f"expected (M, {len(labels)}) verdicts, got {given.shape}")
    kept = labels >= 0
    if not kept.any():
        raise ValueError("no crop is labelled")
    return labels[kept], given[:, kept]


def _spread(values: Sequence[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    if not known:
        return Spread(mean=None, least=None, most=None, n=0)
    return Spread(
        mean=float(np.mean(known)), least=float(min(known)), most=float(max(known)), n=len(known)
    )

"""How many labels may be wrong, and which: confident learning from held-out opinions.

Northcutt, Jiang & Chuang 2021, "Confident learning: estimating uncertainty in dataset labels", as
cleanlab implements it. A crop counts as wrongly labelled if the probability of the other class is
at least as high as it is, on average, for the crops that bear the other label. The probabilities
must come from models that had not learned the crop.

The estimate cannot tell a wrong label from a model that errs surely. Beside it stands what the same
estimate would be if the opinions were right as they stand, each label drawn by its probability:
that much comes from the models' doubt alone. Neither is a count of errors; people who look at the
crops again make one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

from androscope.errors import TrainingError
from androscope.extras import require
from androscope.learning.intervals import units

__all__ = ["LabelNoise", "Suspect", "confident_joint", "label_noise", "suspects"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Suspect(_Table):
    """A crop whose label the opinions contradict: the label, and the probability of abnormal."""

    id: str
    label: int
    probability: float


class LabelNoise(_Table):
    """Estimate for one label.

    Attributes
    ----------
    crops
        Labelled crops with an opinion.
    share, low, high
        Estimated share of wrong labels, and its 95 % bootstrap interval over crops (or patients).
        The interval takes the opinions as they are.
    labelled_abnormal, labelled_normal
        The two parts of the share: labelled abnormal and normal in truth, and the reverse.
    if_opinions_were_right
        Mean of the same estimate for labels that are drawn by the opinions.
    suspects
        Crops to look at again, the most contradicted first.
    """

    crops: int
    share: float
    low: float
    high: float
    labelled_abnormal: float
    labelled_normal: float
    if_opinions_were_right: float
    resamples: int
    seed: int
    suspects: tuple[Suspect, ...]


def confident_joint(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """The estimated joint distribution of given (rows) and true labels: ``(2, 2)``, sums to 1.

    Parameters
    ----------
    labels
        ``(N,)``: 0 normal, 1 abnormal, both there.
    probabilities
        ``(N,)``: of abnormal.

    Raises
    ------
    MissingExtraError
        If cleanlab is not installed.
    TrainingError
        If one class alone is there.
    """
    count: Any = require("cleanlab.count", extra="train", why="estimate label noise")
    truth, given = np.asarray(labels).astype(np.intp), np.asarray(probabilities, np.float64)
    if len(np.unique(truth)) < 2:
        raise TrainingError(
            "label noise cannot be estimated where all labels are the same",
            advice="Use more crops",
        )
    joint: NDArray[np.float64] = count.estimate_joint(truth, np.column_stack([1 - given, given]))
    return joint


def suspects(
    ids: Sequence[str], labels: ArrayLike, probabilities: ArrayLike
) -> tuple[Suspect, ...]:
    """Crops to look at again, by cleanlab's pruning by noise rate, the most contradicted first."""
    find: Any = require("cleanlab.filter", extra="train", why="estimate label noise")
    truth, given = np.asarray(labels).astype(np.intp), np.asarray(probabilities, np.float64)
    rows = find.find_label_issues(
        truth,
        np.column_stack([1 - given, given]),
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    return tuple(
        Suspect(id=ids[i], label=int(truth[i]), probability=round(float(given[i]), 6))
        for i in rows.tolist()
    )


def label_noise(
    ids: Sequence[str],
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    patients: Sequence[str] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> LabelNoise:
    """Estimate the share of wrong labels of one label.

    Parameters
    ----------
    ids, patients
        Of the ``N`` crops; patients are drawn whole where they are known.
    labels
        ``(N,)``: 0 normal, 1 abnormal, -1 not labelled; those are left out.
    probabilities
        ``(N,)``: of abnormal, by models that had not learned the crop; NaN where there is none,
        and such crops are left out.
    resamples, seed
        Of the bootstrap.

    Raises
    ------
    TrainingError
        If one class alone is there.
    """
    truth, given = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    kept = np.flatnonzero((truth >= 0) & ~np.isnan(given))
    truth, given = truth[kept], given[kept]
    joint = confident_joint(truth, given)
    groups = np.arange(len(kept)) if patients is None else units(patients)[kept]
    generator = np.random.default_rng(seed)
    low, high = np.quantile(_drawn(truth, given, groups, resamples, generator), [0.025, 0.975])
    drawn = (generator.random((min(resamples, 200), len(given))) < given).astype(np.intp)
    doubt = [_share(confident_joint(one, given)) for one in drawn if len(np.unique(one)) == 2]
    return LabelNoise(
        crops=len(kept),
        share=_share(joint),
        low=float(low),
        high=float(high),
        labelled_abnormal=float(joint[1, 0]),
        labelled_normal=float(joint[0, 1]),
        if_opinions_were_right=float(np.mean(doubt)) if doubt else 0.0,
        resamples=resamples,
        seed=seed,
        suspects=suspects([ids[i] for i in kept.tolist()], truth, given),
    )


def _share(joint: NDArray[np.float64]) -> float:
    return float(joint[0, 1] + joint[1, 0])


def _drawn(
    truth: NDArray[Any],
    given: NDArray[np.float64],
    groups: NDArray[np.intp],
    resamples: int,
    generator: np.random.Generator,
) -> list[float]:
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    found: list[float] = []
    while len(found) < resamples:
        rows = np.concatenate(
            [members[i] for i in generator.integers(len(members), size=len(members))]
        )
        # A draw without the rare class says nothing; with few of them it is drawn anew.
        if len(np.unique(truth[rows])) == 2:
            found.append(_share(confident_joint(truth[rows], given[rows])))
    return found

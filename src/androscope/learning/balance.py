"""Against rare classes: oversampling (SMOTE, ADASYN), or batches with equal shares.

Oversampling draws new rows on the lines between a row of a rare class and its neighbours of the
same class: between crops, grey level by grey level, as the authors did for DTL; between embeddings
in DMTL's second stage, where what lies between two of them is more likely to be a sperm.

SMOTE is Chawla et al. 2002, ADASYN He et al. 2008, both from imbalanced-learn.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from imblearn.over_sampling import ADASYN, SMOTE
from numpy.typing import ArrayLike, NDArray

from androscope.errors import TrainingError

__all__ = ["NEIGHBOURS", "batch_weights", "oversample"]

#: Neighbours that a new row may lie towards, as in both papers.
NEIGHBOURS = 5

#: Shares are equal enough; a batch of 4096 cannot tell.
_EQUAL = 1e-6


def oversample(
    x: NDArray[Any],
    labels: ArrayLike,
    method: Literal["none", "smote", "adasyn"],
    seed: int,
) -> tuple[NDArray[Any], NDArray[np.int8]]:
    """Add rows until every class has as many as the largest.

    Parameters
    ----------
    x
        ``(N, ...)`` crops or embeddings, of any type; uint8 rows are rounded.
    labels
        ``(N,)`` or ``(N, L)``: 0 normal, 1 abnormal, -1 not labelled.
    method
        ``"none"`` gives back what it is given.
    seed
        The same seed gives the same rows.

    Returns
    -------
    x, labels
        The rows given, in their order, then the new ones; types and further axes as given.

    Raises
    ------
    TrainingError
        If a class is too small to draw between its rows, or ADASYN sees nothing to do.

    Notes
    -----
    With several labels a class is a *combination* of labels (the label powerset). Rows that lack a
    label take no part and stay as they are. A class of fewer than six rows uses all the others of
    it as neighbours. With one label, a class of fewer than two is an error; among combinations such
    a class stays as it is, for most combinations of many labels are that rare, and so does one
    that ADASYN finds no row of another class near to. ADASYN meets the size only nearly, by its
    rounding.
    """
    truth = np.asarray(labels, dtype=np.int8)
    if len(x) != len(truth):
        raise ValueError(f"expected as many rows as labels, got {len(x)} and {len(truth)}")
    if method == "none":
        return x, truth
    table = truth.reshape(len(truth), -1)
    known = np.flatnonzero((table >= 0).all(axis=1))
    combinations, classes = np.unique(table[known], axis=0, return_inverse=True)
    classes = classes.reshape(-1)
    sizes = np.bincount(classes, minlength=len(combinations))
    single = table.shape[1] == 1
    _enough_of_each(combinations, sizes, method, single=single)
    if len(set(sizes.tolist())) == 1:
        return x, truth
    flat = x[known].reshape(len(known), -1)
    flat = flat.astype(np.float32 if x.dtype.kind in "ui" else x.dtype, copy=False)
    more_x, more_labels = [x], [table]
    for index, size in enumerate(sizes.tolist()):
        if size == sizes.max() or size < 2:
            continue
        new = _new_rows(flat, classes, index, int(sizes.max()), method, seed)
        if new is None:
            continue
        if x.dtype.kind in "ui":
            new = np.clip(np.rint(new), np.iinfo(x.dtype).min, np.iinfo(x.dtype).max)
        more_x.append(new.astype(x.dtype).reshape(-1, *x.shape[1:]))
        more_labels.append(np.tile(combinations[index], (len(new), 1)))
    if len(more_x) == 1:
        raise TrainingError(
            f"{method} made no rows: no crop of a rare class has one of another class among its "
            f"{NEIGHBOURS} neighbours",
            advice="Use smote, which does not look for hard cases",
        )
    return np.concatenate(more_x), np.concatenate(more_labels).reshape(-1, *truth.shape[1:])


def _enough_of_each(
    combinations: NDArray[np.int8], sizes: NDArray[np.int64], method: str, *, single: bool
) -> None:
    names = {0: "normal", 1: "abnormal"}
    if not single:
        if not (sizes >= 2).any():
            raise TrainingError(
                f"{method} needs at least 2 crops with the same labels, all known; "
                f"got {len(sizes)} combinations of at most {sizes.max(initial=0)}",
                advice="Use balance: batch",
            )
        return
    found = dict.fromkeys((0, 1), 0) | {
        int(c): int(s) for c, s in zip(combinations.reshape(-1), sizes, strict=True)
    }
    for label, size in found.items():
        if size < 2:
            raise TrainingError(
                f"{method} needs at least 2 {names[label]} crops to draw between, got {size}",
                advice="Use balance: batch or none, or label more crops",
            )


def _new_rows(
    flat: NDArray[Any],
    classes: NDArray[np.intp],
    index: int,
    wanted: int,
    method: str,
    seed: int,
) -> NDArray[Any] | None:
    """Only the new rows of class ``index``; ``None`` if ADASYN has none to make."""
    size = int((classes == index).sum())
    neighbours = min(NEIGHBOURS, size - 1)
    # One class at a time: the library takes one number of neighbours for all of them.
    strategy = {index: wanted}
    if method == "smote":
        sampler = SMOTE(sampling_strategy=strategy, k_neighbors=neighbours, random_state=seed)
    else:
        sampler = ADASYN(sampling_strategy=strategy, n_neighbors=neighbours, random_state=seed)
    try:
        with warnings.catch_warnings():
            # It warns that a class outgrows the largest by rounding, which is as it should be.
            warnings.filterwarnings("ignore", message="After over-sampling, the number of samples")
            resampled, _ = sampler.fit_resample(flat, classes)
    except (RuntimeError, ValueError) as error:
        if method == "adasyn" and ("neigbours belong" in str(error) or "No samples" in str(error)):
            return None
        raise
    new: NDArray[Any] = resampled[len(flat) :]
    return new


def batch_weights(labels: ArrayLike) -> NDArray[np.float64]:
    """Chance of each row to be drawn, such that both classes of each label have equal shares.

    Parameters
    ----------
    labels
        ``(N, L)`` (or ``(N,)``): 0 normal, 1 abnormal, -1 not labelled.

    Returns
    -------
    ``(N,)`` float64
        Non-negative, summing to 1. A row without any label has 0. For one label this is half of 1
        over the size of the row's class.

    Raises
    ------
    TrainingError
        If a label has rows of one class alone.

    Notes
    -----
    For several labels the weights are found by raking (Deming & Stephan 1940): each class is scaled
    to the share it should have, again and again, until all have it. All labels are scaled at once,
    each by its root, so that their order does not matter. Where equal shares cannot be had for all
    labels together (if every crop is abnormal in exactly one, say) the result lies between.
    """
    table = np.asarray(labels, dtype=np.int8)
    table = table.reshape(len(table), -1)
    members = np.stack([table == 0, table == 1]).astype(np.float64)  # (2, N, L)
    sizes = members.sum(axis=1)
    for column, (normal, abnormal) in enumerate(sizes.T.astype(int)):
        if not normal or not abnormal:
            raise TrainingError(
                "balance: batch needs normal and abnormal crops of every label, "
                f"got {normal} and {abnormal} of label {column + 1} of {table.shape[1]}",
                advice="Leave the label out, or use balance: none",
            )
    weights = (table >= 0).any(axis=1).astype(np.float64)
    for _ in range(1000):
        shares = np.einsum("n,cnl->cl", weights, members)
        shares /= shares.sum(axis=0)
        if np.abs(shares - 0.5).max() < _EQUAL:
            break
        # Rows scale by their own class's factor for each label they have.
        factors = np.log(0.5 / np.maximum(shares, 1e-12)) / table.shape[1]
        weights *= np.exp(np.einsum("cnl,cl->n", members, factors))
        weights /= weights.sum()
    total: NDArray[np.float64] = weights / weights.sum()
    return total

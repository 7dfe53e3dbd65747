"""Parts of a few crops that are alike in one label, with patients whole."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["label_parts"]

Rows = NDArray[np.intp]


def label_parts(
    truth: NDArray[np.integer], groups: NDArray[np.integer], parts: int, seed: int
) -> Iterator[tuple[Rows, Rows]]:
    """Divide crops into ``parts``, or as many as there are patients; give each with the others.

    Parameters
    ----------
    truth
        ``(N,)``: the class each part is to have its share of.
    groups
        ``(N,)``: numbers of the patients; equal ones stay in one part.

    Yields
    ------
    rows, out
        To fit by and to hold out; their numbers.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    patients = len(np.unique(groups))
    # No part can have a share of a class that has fewer crops than there are parts.
    parts = min(parts, patients, int(np.bincount(truth).max(initial=0)))
    if parts < 2:
        return
    # Where each crop is a patient of its own, the plain one does the same in a tenth of the time.
    kind = StratifiedKFold if patients == len(groups) else StratifiedGroupKFold
    splitter = kind(parts, shuffle=True, random_state=seed % 2**32)
    with warnings.catch_warnings():
        # A class of fewer crops than parts is spread as far as it goes.
        warnings.filterwarnings("ignore", message="The least populated class in y")
        warnings.filterwarnings("ignore", message="The groups parameter")
        for rows, out in splitter.split(truth, truth, groups):
            if len(out) and len(rows):
                yield rows, out

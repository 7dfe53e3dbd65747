"""Train, valid and test where own data does not say: by patient, stratified, the same each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from androscope.datasets.types import Int8Array
from androscope.errors import DataError
from androscope.types import ABNORMAL, NORMAL

__all__ = ["SHARES", "draw_splits"]

#: Shares of crops, near MHSMA's own (1000 : 240 : 300).
SHARES: Mapping[str, float] = {"train": 0.65, "valid": 0.15, "test": 0.20}


def draw_splits(
    labels: Int8Array,
    groups: Sequence[str],
    *,
    seed: int = 0,
    shares: Mapping[str, float] = SHARES,
) -> tuple[str, ...]:
    """Give every crop a split; crops of one group stay together.

    Groups are dealt one by one, the largest and those with the rarest labels first, each to the
    split where it keeps the counts of crops and of every label's classes nearest to the splits'
    shares of what has been dealt. This is the idea of iterative stratification (Sechidis,
    Tsoumakas and Vlahavas, ECML PKDD 2011), over groups instead of single examples and with the
    squared deviations of all labels instead of the one rarest label.

    Parameters
    ----------
    labels
        ``(N, L)`` int8: 0, 1, or -1 for not labelled.
    groups
        ``N`` group names: the patient, or the crop's own id where no patient is known. The result
        depends on names and labels, not on the order of rows.
    seed
        Of the order of groups that are equally rare.
    shares
        Split to share, which sum to 1.

    Returns
    -------
    tuple of str
        ``N`` names of splits.

    Raises
    ------
    DataError
        If a split would be left empty because there are too few groups.
    """
    names, member = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    ones = np.ones((len(labels), 1))
    features = np.hstack([ones, labels == NORMAL, labels == ABNORMAL]).astype(np.float64)
    per_group = np.zeros((len(names), features.shape[1]))
    np.add.at(per_group, member, features)
    totals = per_group.sum(axis=0)
    present = totals > 0
    weights = per_group[:, present] / totals[present]
    share = np.array(list(shares.values()))[:, None]
    have = np.zeros((len(shares), int(present.sum())))
    dealt = np.zeros(int(present.sum()))
    shuffled = np.random.default_rng(seed).permutation(len(names))
    order = shuffled[np.argsort(-weights[shuffled].max(axis=1), kind="stable")]
    chosen = np.zeros(len(names), dtype=np.intp)
    unused = set(range(len(shares)))
    for left, group in zip(range(len(order), 0, -1), order, strict=True):
        # With `dealt` the sum over splits, adding w to split s changes the sum of
        # (have - share * dealt)^2 by 2 w (have - share * dealt) + w^2; the last term is the same
        # for every split.
        dealt += weights[group]
        gain = (have - share * dealt) @ weights[group]
        if left <= len(unused):
            # As many groups are left as splits are empty: each of these gets one.
            gain[[s for s in range(len(shares)) if s not in unused]] = np.inf
        best = int(np.argmin(gain))
        unused.discard(best)
        have[best] += weights[group]
        chosen[group] = best
    splits = tuple(shares)
    if unused:
        raise DataError(
            f"cannot be split into {', '.join(splits)}: there are only {len(names)} patients, or "
            "single crops where no patient is known",
            advice="Add data, or say the split yourself (column split, or folders train/, valid/, "
            "test/)",
        )
    return tuple(splits[int(s)] for s in chosen[member.reshape(-1)])

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.datasets.splitting import SHARES, draw_splits
from androscope.errors import DataError


def labels(n: int, seed: int = 0, rates: tuple[float, ...] = (0.3, 0.27, 0.17, 0.05)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.random((n, len(rates))) < rates).astype(np.int8)


def test_shares_and_label_rates_are_kept_for_single_crops() -> None:
    given_labels = labels(1000)
    drawn = np.array(draw_splits(given_labels, [str(i) for i in range(1000)]))
    for name, share in SHARES.items():
        rows = drawn == name
        assert abs(rows.mean() - share) < 0.01
        # Every label's abnormal crops, the 5 percent included, to within two crops of their share.
        for column in given_labels.T:
            assert abs(column[rows].sum() - share * column.sum()) <= 2


def test_no_patient_is_in_two_splits_and_shares_are_near() -> None:
    rng = np.random.default_rng(3)
    patients = [f"p{k}" for k in rng.integers(0, 60, 600)]
    given_labels = labels(600)
    drawn = draw_splits(given_labels, patients)
    where: dict[str, set[str]] = {}
    for patient, split in zip(patients, drawn, strict=True):
        where.setdefault(patient, set()).add(split)
    assert all(len(splits) == 1 for splits in where.values())
    share = Counter(drawn)
    for name, expected in SHARES.items():
        assert abs(share[name] / 600 - expected) < 0.03


def test_the_same_seed_gives_the_same_split_whatever_the_order_of_rows() -> None:
    given_labels = labels(200)
    groups = [f"g{i}" for i in range(200)]
    drawn = draw_splits(given_labels, groups, seed=5)
    order = np.random.default_rng(0).permutation(200)
    again = draw_splits(given_labels[order], [groups[i] for i in order], seed=5)
    assert [drawn[i] for i in order] == list(again)
    assert drawn != draw_splits(given_labels, groups, seed=6)


@given(st.integers(3, 40), st.integers(0, 5), st.data())
def test_all_splits_are_filled_and_groups_whole(n: int, seed: int, data: st.DataObject) -> None:
    groups = [str(k) for k in range(3)]
    groups += data.draw(st.lists(st.sampled_from("0123456789"), min_size=n, max_size=n))
    drawn = draw_splits(labels(n + 3, seed, (0.5, 0.1)) - 1, groups, seed=seed)
    assert set(drawn) == {"train", "valid", "test"}
    assert len(set(zip(groups, drawn, strict=True))) == len(set(groups))


def test_too_few_patients_are_told() -> None:
    with pytest.raises(DataError) as caught:
        draw_splits(labels(10), ["a"] * 5 + ["b"] * 5)
    assert str(caught.value).startswith(
        "cannot be split into train, valid, test: there are only 2 patients, or single crops where "
        "no patient is known. Add data, or say the split yourself"
    )

"""What is in a labelled data set, and what a reader of results on it should know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from androscope.datasets.duplicates import THRESHOLD, Pair, near_duplicates
from androscope.datasets.mhsma import MHSMA, PUBLISHED_COUNTS
from androscope.datasets.types import UNLABELLED, Counts, Dataset, Int8Array
from androscope.imaging.sheet import contact_sheet
from androscope.types import ABNORMAL, NORMAL, UInt8Array

__all__ = [
    "Band",
    "Description",
    "describe",
    "differences_from_published",
    "pair_sheet",
    "sample_sheet",
]

#: Lower ends of the bands of similarity that pairs are told of in, up to the threshold and above.
_BANDS = (0.92, 0.93, 0.94, THRESHOLD, 1.0)


@dataclass(frozen=True, slots=True)
class Band:
    """Pairs of crops whose similarity lies in ``[low, high)``.

    Two facts the measure knows nothing of tell whether they are the same sperm: such pictures need
    no turning (chance likeness does in up to 7 cases of 8), and bear the same labels.

    Attributes
    ----------
    pairs
        Pairs in the band.
    turned
        Those in which one crop had to be turned or mirrored.
    labels_compared, labels_differing
        Labels that both crops of a pair have, and those of them that differ.
    """

    low: float
    high: float
    pairs: int
    turned: int
    labels_compared: int
    labels_differing: int


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """Counts, near-duplicates across splits, and how they compare with what was published.

    Attributes
    ----------
    counts
        Split to label to counts.
    differences
        Where the counts are not the published ones; ``None`` if none are published.
    pairs
        Pairs across splits that show the same sperm.
    bands
        The same and the less similar pairs, to judge the threshold by.
    """

    dataset: Dataset
    counts: dict[str, dict[str, Counts]]
    differences: tuple[str, ...] | None
    pairs: tuple[Pair, ...]
    bands: tuple[Band, ...]

    def crops_shared(self, split: str) -> int:
        """How many crops of ``split`` have a picture of the same sperm in another split."""
        own = {pair.index_a for pair in self.pairs if pair.split_a == split}
        return len(own | {pair.index_b for pair in self.pairs if pair.split_b == split})

    def crops_seen(self, split: str, before: str = "train") -> int:
        """How many crops of ``split`` have a picture of the same sperm in ``before``."""
        return len({p.index_b for p in self.pairs if (p.split_a, p.split_b) == (before, split)})


def describe(dataset: Dataset) -> Description:
    """Count the labels and look for the same sperm in two splits; some seconds for 1,500 crops."""
    near = near_duplicates(dataset, threshold=_BANDS[0])
    return Description(
        dataset=dataset,
        counts={name: split.counts() for name, split in dataset.splits.items()},
        differences=differences_from_published(dataset) if dataset.name == MHSMA.name else None,
        pairs=tuple(pair for pair in near if pair.similarity >= THRESHOLD),
        bands=tuple(_bands(dataset, near)),
    )


def differences_from_published(dataset: Dataset) -> tuple[str, ...]:
    """Where the counts of ``dataset`` are not those MHSMA's publishers give; empty if nowhere."""
    found = []
    for split, by_label in PUBLISHED_COUNTS.items():
        counted = dataset.splits[split].counts()
        for label, expected in by_label.items():
            got = counted.get(label)
            if got is not None and got != expected:
                found.append(
                    f"{split} {label}: published {expected.normal} normal, {expected.abnormal} "
                    f"abnormal; counted {got.normal}, {got.abnormal}"
                )
    return tuple(found)


def _labels(dataset: Dataset, pair: Pair) -> tuple[Int8Array, Int8Array]:
    return (
        dataset.splits[pair.split_a].labels[pair.index_a],
        dataset.splits[pair.split_b].labels[pair.index_b],
    )


def _bands(dataset: Dataset, pairs: Sequence[Pair]) -> list[Band]:
    bands = []
    for low, high in pairwise(_BANDS):
        last = high == _BANDS[-1]
        inside = [p for p in pairs if low <= p.similarity and (last or p.similarity < high)]
        compared = differing = 0
        for pair in inside:
            one, other = _labels(dataset, pair)
            both = (one != UNLABELLED) & (other != UNLABELLED)
            compared += int(both.sum())
            differing += int((one != other)[both].sum())
        turned = sum(pair.turned for pair in inside)
        bands.append(Band(low, high, len(inside), turned, compared, differing))
    return bands


def sample_sheet(dataset: Dataset, *, per_class: int = 10, seed: int = 0) -> UInt8Array:
    """Contact sheet of train: for each label a row of normal and a row of abnormal crops, drawn."""
    train = dataset.splits["train"]
    rng = np.random.default_rng(seed)
    crops, captions = [], []
    blank = np.zeros((train.crop_size, train.crop_size), np.uint8)
    for name, column in zip(train.label_names, train.labels.T, strict=True):
        for value, word in ((NORMAL, "normal"), (ABNORMAL, "abnormal")):
            rows = np.flatnonzero(column == value)
            rows = np.sort(rng.permutation(rows)[:per_class])
            crops += [train.crops[row] for row in rows] + [blank] * (per_class - len(rows))
            captions += [f"{name} {word}"] * len(rows) + [""] * (per_class - len(rows))
    return contact_sheet(crops, columns=per_class, scale=2, captions=captions)


def pair_sheet(dataset: Dataset, pairs: Sequence[Pair], *, most: int = 120) -> UInt8Array | None:
    """Contact sheet of pairs side by side, the most similar first; ``None`` if there are none."""
    crops, captions = [], []
    for pair in pairs[:most]:
        for split, index in ((pair.split_a, pair.index_a), (pair.split_b, pair.index_b)):
            crops.append(dataset.splits[split].crops[index])
            captions.append(f"{split}/{index} {pair.similarity:.3f}")
    return contact_sheet(crops, columns=8, scale=2, captions=captions) if crops else None

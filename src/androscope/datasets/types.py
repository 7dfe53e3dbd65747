"""Labelled crops as every later step wants them: arrays, label names, stable ids, patients."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.errors import LabelsError
from androscope.types import ABNORMAL, NORMAL, PARTS, UInt8Array

__all__ = [
    "SPLITS",
    "UNLABELLED",
    "Counts",
    "Dataset",
    "Int8Array",
    "LabelledCrops",
    "canonical_order",
]

Int8Array = NDArray[np.int8]

#: Stored where a crop has no label for a part; the loss and the metrics leave it out.
UNLABELLED = -1

#: The names of the splits, in the order they are printed.
SPLITS: tuple[str, ...] = ("train", "valid", "test")


class Counts(NamedTuple):
    """How many crops of one split bear which label."""

    normal: int
    abnormal: int
    unlabelled: int = 0


def canonical_order(names: Iterable[str]) -> tuple[str, ...]:
    """Head, acrosome, vacuole, tail first (those there are), then the others as they came."""
    given = tuple(dict.fromkeys(names))
    known = tuple(part for part in PARTS if part in given)
    return known + tuple(name for name in given if name not in PARTS)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledCrops:
    """Crops of one split with their labels. Row ``i`` of every field is the same sperm.

    Attributes
    ----------
    crops
        ``(N, S, S)`` uint8, 0 black to 255 white.
    labels
        ``(N, L)`` int8: 0 normal, 1 abnormal, -1 not labelled.
    label_names
        The ``L`` names of the columns, head, acrosome, vacuole and tail first.
    ids
        ``N`` ids that stay the same from run to run: ``"train/17"`` or a path.
    patients
        ``N`` patient ids, ``""`` where unknown; ``None`` if none is known.

    Raises
    ------
    ValueError
        If the shapes do not fit one another or a label is not -1, 0 or 1.
    """

    crops: UInt8Array
    labels: Int8Array
    label_names: tuple[str, ...]
    ids: tuple[str, ...]
    patients: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.crops.ndim != 3 or self.crops.shape[1] != self.crops.shape[2]:
            raise ValueError(f"crops must be (N, S, S), got {self.crops.shape}")
        if self.crops.dtype != np.uint8:
            raise ValueError(f"crops must be uint8, got {self.crops.dtype}")
        count = len(self.crops)
        expected = (count, len(self.label_names))
        if self.labels.shape != expected:
            raise ValueError(f"labels must be {expected}, got {self.labels.shape}")
        if self.labels.dtype != np.int8:
            raise ValueError(f"labels must be int8, got {self.labels.dtype}")
        if len(set(self.label_names)) != len(self.label_names):
            raise ValueError(f"label_names must differ, got {self.label_names}")
        if len(self.ids) != count:
            raise ValueError(f"{count} crops need {count} ids, got {len(self.ids)}")
        if self.patients is not None and len(self.patients) != count:
            raise ValueError(f"{count} crops need {count} patients, got {len(self.patients)}")
        stray = np.setdiff1d(self.labels, [UNLABELLED, NORMAL, ABNORMAL])
        if stray.size:
            raise ValueError(f"labels must be -1, 0 or 1, got {stray.tolist()}")

    def __len__(self) -> int:
        return len(self.crops)

    @property
    def crop_size(self) -> int:
        """Side of a crop, px."""
        return int(self.crops.shape[1])

    @property
    def sha256(self) -> str:
        """Hex SHA-256 over pixels, labels and label names, for a run's record.

        Ids and patients are left out: the same pictures under other paths are the same data.
        """
        digest = hashlib.sha256()
        digest.update(f"{self.crops.shape} {','.join(self.label_names)}\n".encode())
        digest.update(np.ascontiguousarray(self.crops).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()

    def select(self, indices: ArrayLike) -> LabelledCrops:
        """Rows by position (or a boolean mask of length ``N``), in the order given."""
        chosen = np.asarray(indices)
        if chosen.dtype == np.bool_:
            if chosen.shape != (len(self),):
                raise ValueError(f"a mask must be ({len(self)},), got {chosen.shape}")
            chosen = np.flatnonzero(chosen)
        chosen = chosen.astype(np.intp).reshape(-1)
        return LabelledCrops(
            crops=self.crops[chosen],
            labels=self.labels[chosen],
            label_names=self.label_names,
            ids=tuple(self.ids[i] for i in chosen),
            patients=None if self.patients is None else tuple(self.patients[i] for i in chosen),
        )

    def with_labels(self, names: Sequence[str]) -> LabelledCrops:
        """Only the label columns ``names``, in that order; all rows stay.

        Raises
        ------
        LabelsError
            If a name is not labelled here; the message says which are.
        """
        missing = [name for name in names if name not in self.label_names]
        if missing:
            raise LabelsError(
                f"no labels for {', '.join(missing)}; there are {', '.join(self.label_names)}",
                advice="Choose among these, or add the column to your table",
            )
        columns = [self.label_names.index(name) for name in names]
        return LabelledCrops(
            crops=self.crops,
            labels=self.labels[:, columns],
            label_names=tuple(names),
            ids=self.ids,
            patients=self.patients,
        )

    def counts(self) -> dict[str, Counts]:
        """Count normal, abnormal and unlabelled crops per label, in the order of the columns."""
        return {
            name: Counts(
                normal=int(np.count_nonzero(column == NORMAL)),
                abnormal=int(np.count_nonzero(column == ABNORMAL)),
                unlabelled=int(np.count_nonzero(column == UNLABELLED)),
            )
            for name, column in zip(self.label_names, self.labels.T, strict=True)
        }


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A labelled data set, split.

    Attributes
    ----------
    name
        Short name for run records and cards.
    splits
        ``"train"``, ``"valid"`` and ``"test"``, each with the same label columns and crop size.
    licence, citation, source
        As the publisher gives them; ``None`` for own data.
    file_hashes
        File name to hex SHA-256 of every file read.
    notes
        What a reader of results on this data should know.
    """

    name: str
    splits: Mapping[str, LabelledCrops]
    licence: str | None = None
    citation: str | None = None
    source: str | None = None
    file_hashes: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """The label columns, the same in every split."""
        return next(iter(self.splits.values())).label_names

    @property
    def crop_size(self) -> int:
        """Side of the crops, px."""
        return next(iter(self.splits.values())).crop_size

    def with_labels(self, names: Sequence[str]) -> Dataset:
        """Keep only these label columns, in that order. Raises :class:`LabelsError`."""
        return Dataset(
            name=self.name,
            splits={name: split.with_labels(names) for name, split in self.splits.items()},
            licence=self.licence,
            citation=self.citation,
            source=self.source,
            file_hashes=self.file_hashes,
            notes=self.notes,
        )

"""Labelled data taken whole: not divided into train, valid and test, unless it says so itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from androscope.datasets.check import examine
from androscope.datasets.listing import labels_error
from androscope.datasets.loading import load
from androscope.datasets.mhsma import MHSMA
from androscope.datasets.own import TABLE_NAME, list_entries
from androscope.datasets.types import LabelledCrops
from androscope.settings import Settings, load_settings

__all__ = ["Whole", "is_divided", "load_whole", "names_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """All crops of a data set.

    Attributes
    ----------
    name
        Short, for records and cards.
    crops
        All of them, in the data's own order.
    test
        ``(N,)``: those that the data itself calls ``test``; ``None`` if it divides nothing so.
    licence
        As the publisher gives it; ``None`` for own data.
    notes
        Of own data: columns that are not used, or whose names are in doubt.
    """

    name: str
    crops: LabelledCrops
    test: NDArray[np.bool_] | None = None
    licence: str | None = None
    notes: tuple[str, ...] = ()


def load_whole(
    name_or_path: str | Path, *, crop_size: int = 64, settings: Settings | None = None
) -> Whole:
    """Load labelled data in any form that :func:`androscope.datasets.load` takes.

    Raises
    ------
    DatasetMissingError, DatasetCorruptError, LabelsError
        As :func:`androscope.datasets.load` does; the first bad rows are listed at once.
    """
    settings = load_settings() if settings is None else settings
    path = Path(name_or_path)
    if not _is_own(name_or_path):
        dataset = load(name_or_path, crop_size=crop_size, settings=settings)
        parts = dataset.splits
        whole = replace(
            parts["train"],
            crops=np.concatenate([part.crops for part in parts.values()]),
            labels=np.concatenate([part.labels for part in parts.values()]),
            ids=tuple(name for part in parts.values() for name in part.ids),
        )
        test = np.concatenate([np.full(len(p), name == "test") for name, p in parts.items()])
        return Whole(dataset.name, whole, test, dataset.licence)
    examined = examine(path, crop_size=crop_size, settings=settings)
    if examined.problems:
        raise labels_error(examined.problems, path)
    entries = examined.entries
    test = np.array([entry.split == "test" for entry in entries], dtype=bool)
    return Whole(
        name=path.resolve().stem,
        crops=LabelledCrops(
            crops=examined.crops,
            labels=examined.labels,
            label_names=examined.listing.label_names,
            ids=tuple(entry.name for entry in entries),
            patients=tuple(entry.patient for entry in entries)
            if any(entry.patient for entry in entries)
            else None,
        ),
        test=test if test.any() else None,
        notes=examined.listing.notes,
    )


def is_divided(name_or_path: str | Path) -> bool:
    """Whether labelled data says itself which split its crops are in; no picture is read.

    True too where there is no data: whoever loads it says so.
    """
    if not _is_own(name_or_path):
        return True
    return any(entry.split for entry in list_entries(Path(name_or_path)).entries)


def names_of(name_or_path: str | Path) -> set[str]:
    """What records and cards may call the data; a table is found by its folder as well."""
    if not _is_own(name_or_path):
        return {MHSMA.name}
    path = Path(name_or_path).resolve()
    return {path.stem, Path(TABLE_NAME).stem if path.is_dir() else path.parent.stem}


def _is_own(name_or_path: str | Path) -> bool:
    path = Path(name_or_path)
    published = path.is_dir() and MHSMA.is_right(path / "x_64_train.npy")
    return str(name_or_path) != MHSMA.name and path.exists() and not published

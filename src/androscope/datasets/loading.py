"""One way in to every labelled data set: MHSMA by its name, own data by its path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from androscope.datasets.check import examine
from androscope.datasets.listing import Entry, labels_error
from androscope.datasets.mhsma import MHSMA, folders, load_mhsma
from androscope.datasets.splitting import SHARES, draw_splits
from androscope.datasets.types import SPLITS, Dataset, Int8Array, LabelledCrops
from androscope.errors import DataError, DatasetMissingError, LabelsError
from androscope.files import sha256_of
from androscope.settings import Settings, load_settings

__all__ = ["load"]


def load(
    name_or_path: str | Path,
    *,
    crop_size: int = 64,
    labels: Sequence[str] | None = None,
    settings: Settings | None = None,
    seed: int = 0,
) -> Dataset:
    """Load a labelled data set, split into train, valid and test.

    Parameters
    ----------
    name_or_path
        ``"mhsma"``, or the path of own data: a CSV, a folder per class, or a folder of npy pairs.
        A name wins over a folder of that name; write ``./mhsma`` for the folder.
    crop_size
        Side of the crops, px.
    labels
        Label columns wanted, in that order; all there are by default.
    settings
        Where to look; the environment's by default.
    seed
        Of the split, where own data brings none.

    Raises
    ------
    DatasetMissingError
        If it is not here; says which command fetches it.
    DatasetCorruptError
        If a file of MHSMA is not the published one.
    LabelsError
        If own data has bad rows (the first are listed) or lacks a label that was asked for.
    """
    settings = load_settings() if settings is None else settings
    if str(name_or_path) == MHSMA.name:
        return load_mhsma(folders(settings), crop_size=crop_size, labels=labels)
    path = Path(name_or_path)
    if not path.exists():
        raise DatasetMissingError(
            "no such file or folder, and no data set of that name",
            path=path,
            advice="Give mhsma, or the path of a CSV or of a folder of labelled crops",
        )
    if _is_mhsma(path):
        return load_mhsma([path], crop_size=crop_size, labels=labels)
    dataset = _load_own(path, crop_size=crop_size, settings=settings, seed=seed)
    return dataset if labels is None else dataset.with_labels(labels)


def _is_mhsma(path: Path) -> bool:
    # The very files, unpacked anywhere: their licence and citation must not get lost.
    return path.is_dir() and MHSMA.is_right(path / "x_64_train.npy")


def _load_own(path: Path, *, crop_size: int, settings: Settings, seed: int) -> Dataset:
    examined = examine(path, crop_size=crop_size, settings=settings)
    if examined.problems:
        raise labels_error(examined.problems, path)
    entries, labels = examined.entries, examined.labels
    splits, notes = _splits_of(entries, labels, path, seed)
    known = any(entry.patient for entry in entries)
    everything = LabelledCrops(
        crops=examined.crops,
        labels=labels,
        label_names=examined.listing.label_names,
        ids=tuple(entry.name for entry in entries),
        patients=tuple(entry.patient for entry in entries) if known else None,
    )
    chosen = np.asarray(splits)
    return Dataset(
        name=path.resolve().stem,
        splits={split: everything.select(chosen == split) for split in SPLITS},
        file_hashes={file.name: sha256_of(file) for file in examined.listing.files},
        notes=(*examined.listing.notes, *notes),
    )


def _splits_of(
    entries: Sequence[Entry], labels: Int8Array, path: Path, seed: int
) -> tuple[list[str], tuple[str, ...]]:
    """Each entry's split; those splits that no entry names are drawn from train."""
    splits = [entry.split or "train" for entry in entries]
    given = [split for split in SPLITS if any(entry.split == split for entry in entries)]
    if len(given) == len(SPLITS):
        return splits, ()
    if given and "train" not in given:
        raise LabelsError(
            f"there is no crop to train on: the only splits are {', '.join(given)}",
            path=path,
            advice="Call one of the splits train",
        )
    drawn = [split for split in SPLITS if split not in given or split == "train"]
    total = sum(SHARES[split] for split in drawn)
    rows = [row for row, split in enumerate(splits) if split == "train"]
    try:
        names = draw_splits(
            labels[rows],
            [_group(entries[row]) for row in rows],
            seed=seed,
            shares={split: SHARES[split] / total for split in drawn},
        )
    except DataError as error:
        raise DataError(error.reason, path=path, advice=error.advice) from error
    for row, name in zip(rows, names, strict=True):
        splits[row] = name
    by = "patients" if any(entry.patient for entry in entries) else "single crops, no patient known"
    made = ", ".join(split for split in drawn if split not in given)
    return splits, (f"{made} drawn with seed {seed}, stratified by label, over {by}",)


def _group(entry: Entry) -> str:
    # The prefixes keep a patient called like a file apart from that file.
    return f"patient {entry.patient}" if entry.patient else f"crop {entry.name}"

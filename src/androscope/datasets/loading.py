"""One way in to every labelled data set: MHSMA by its name, own data by its path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from androscope.datasets.mhsma import MHSMA, folders, load_mhsma
from androscope.datasets.types import Dataset
from androscope.errors import DataError, DatasetMissingError
from androscope.settings import Settings, load_settings

__all__ = ["load"]


def load(
    name_or_path: str | Path,
    *,
    crop_size: int = 64,
    labels: Sequence[str] | None = None,
    settings: Settings | None = None,
    seed: int = 0,  # noqa: ARG001
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
        If own data has bad rows (all are listed) or lacks a label that was asked for.
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
    raise DataError("own data cannot be loaded yet", path=path)

"""The splits a run learns from and chooses by, checked before anything is trained."""

from __future__ import annotations

from androscope.datasets import Dataset, LabelledCrops
from androscope.errors import TrainingError
from androscope.learning.config import Config

__all__ = ["learnable"]


def learnable(dataset: Dataset, name: str, config: Config) -> LabelledCrops:
    """The split ``name`` with the configuration's labels, without crops that have none of them.

    Raises
    ------
    TrainingError
        If there is no such split, its crops are of another size, or a label cannot be learned from
        it (train) or chosen by it (valid).
    LabelsError
        If a label is not in the data.
    """
    if name not in dataset.splits:
        raise TrainingError(
            f"{dataset.name} has no {name} split; there are {', '.join(dataset.splits)}",
            advice="Training needs train to fit and valid to choose by",
        )
    split = dataset.splits[name].with_labels(config.labels)
    if split.crop_size != config.data.crop_size:
        raise TrainingError(
            f"{name} crops of {dataset.name} are {split.crop_size} px, "
            f"data.crop_size is {config.data.crop_size}",
            advice="Set data.crop_size to that of the data",
        )
    known = (split.labels >= 0).any(axis=1)
    split = split.select(known)
    if len(split) < 2:
        raise TrainingError(
            f"{dataset.name} has {len(split)} labelled {name} crops, needs 2 at least",
            advice="Label more crops",
        )
    for label, counts in split.counts().items():
        if name == "train" and not (counts.normal and counts.abnormal):
            raise TrainingError(
                f"{dataset.name}: train has {counts.normal} normal and {counts.abnormal} abnormal "
                f"crops for {label}; one of each at least is needed",
                advice=f"Label more crops, or leave {label} out of `labels`",
            )
        if name == "valid" and not (counts.normal or counts.abnormal):
            raise TrainingError(
                f"{dataset.name}: no valid crop is labelled for {label}",
                advice=f"Label some, or leave {label} out of `labels`",
            )
    return split

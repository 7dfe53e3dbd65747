"""Trunk and branches trained together: the whole of DTL and the first stage of DMTL."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from androscope.datasets import LabelledCrops
from androscope.learning.balance import batch_weights, oversample
from androscope.learning.batches import BatchSampler, Crops, derived_seed, loader
from androscope.learning.co_teaching import CoTeachingModule
from androscope.learning.config import Config
from androscope.learning.epochs import Report, StageResult, Watch
from androscope.learning.matching import Matching
from androscope.learning.module import JointModule
from androscope.learning.network import Network
from androscope.learning.trainer import fit
from androscope.types import FloatArray

__all__ = ["balanced_crops", "train_jointly"]


def balanced_crops(
    train: LabelledCrops, config: Config, targets: FloatArray | None = None
) -> tuple[Crops, NDArray[np.float64] | None]:
    """Training crops after ``stage1.balance``, and their chances of being drawn.

    Oversampling makes crops between neighbours of the same labels, pixel by pixel, as the authors
    did; see :func:`androscope.learning.balance.oversample`.

    Raises
    ------
    TrainingError
        If a class is too small to draw between its crops.
    """
    how = config.stage1.balance
    taught = train.labels if targets is None else targets
    if how == "batch":
        return Crops(train.crops, taught), batch_weights(train.labels)
    if how == "none":
        return Crops(train.crops, taught), None
    crops, labels = oversample(train.crops, train.labels, how, config.seed)
    return Crops(crops, labels), None


def train_jointly(
    network: Network,
    train: LabelledCrops,
    valid: LabelledCrops,
    config: Config,
    folder: Path,
    *,
    report: Report,
    bar: bool,
    targets: FloatArray | None = None,
    matching: Matching | None = None,
    watch: Watch | None = None,
) -> StageResult:
    """Fit all weights of ``network``; it holds those of the best epoch afterwards.

    Parameters
    ----------
    network
        Changed in place.
    train, valid
        With exactly the configuration's labels, in its order.
    folder
        Of this stage; a checkpoint in it is taken up.
    report
        Called with a line per epoch.
    bar
        Show a progress bar below the lines.
    targets
        ``(N, L)`` in 0 to 1, learned in place of the training labels; -1 not labelled.
    matching
        Teachers whose answers to each batch are learned in place of ``targets``.
    watch
        Called after each epoch.
    """
    data, weights = balanced_crops(train, config, targets if matching is None else None)
    sampler = BatchSampler(
        len(data),
        config.stage1.batch_size,
        seed=config.seed,
        weights=weights,
    )
    whole = Crops(valid.crops, valid.labels)
    rows = torch.split(torch.arange(len(whole)), max(config.stage1.batch_size, 64))
    if config.trainer.channels_last:
        network.to(memory_format=torch.channels_last)
    torch.manual_seed(derived_seed(config.seed, "fit"))
    module = (
        CoTeachingModule(network, config)
        if config.stage1.co_teaching
        else JointModule(network, config, matching)
    )
    return fit(
        module,
        loader(data, sampler),
        loader(whole, rows),
        folder,
        report=report,
        bar=bar,
        watch=watch,
    )

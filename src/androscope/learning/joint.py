"""Trunk and branches trained together: the whole of DTL and the first stage of DMTL."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from androscope.datasets import LabelledCrops
from androscope.errors import ConfigError
from androscope.learning.batches import BatchSampler, Crops, derived_seed, loader
from androscope.learning.config import Config
from androscope.learning.module import JointModule
from androscope.learning.network import Network
from androscope.learning.trainer import Report, StageResult, fit

__all__ = ["balanced_crops", "train_jointly"]


def balanced_crops(
    train: LabelledCrops, config: Config
) -> tuple[Crops, NDArray[np.float64] | None]:
    """Training crops after ``stage1.balance``, and their chances of being drawn.

    Oversampling makes crops between neighbours of the rare class, pixel by pixel, as the authors
    did. Between crops of several labels there is no such thing as a class; balance batches there.

    Raises
    ------
    ConfigError
        If several labels are to be oversampled.
    """
    crops, labels = train.crops, train.labels
    how = config.stage1.balance
    if how == "none":
        return Crops(crops, labels), None
    from androscope.learning.balance import batch_weights, oversample

    if how == "batch":
        return Crops(crops, labels), batch_weights(labels)
    if len(config.labels) > 1:
        raise ConfigError(
            f"stage1.balance: {how} makes crops of one class, and a crop with "
            f"{len(config.labels)} labels has none",
            advice="Use `batch` or `none` in stage 1; stage2 can oversample per label",
        )
    known = labels[:, 0] >= 0
    flat = crops[known].reshape(int(known.sum()), -1).astype(np.float32)
    x, y = oversample(flat, labels[known, 0], how, config.seed)
    more = np.clip(x, 0, 255).reshape(-1, *crops.shape[1:]).astype(np.float32)
    return Crops(more, y.astype(np.int8)[:, None]), None


def train_jointly(
    network: Network,
    train: LabelledCrops,
    valid: LabelledCrops,
    config: Config,
    folder: Path,
    *,
    report: Report,
    bar: bool,
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
        Show a progress bar instead.
    """
    data, weights = balanced_crops(train, config)
    sampler = BatchSampler(
        len(data),
        config.stage1.batch_size,
        seed=config.seed,
        weights=weights,
    )
    whole = Crops(valid.crops, valid.labels)
    rows = torch.arange(len(whole)).split(max(config.stage1.batch_size, 64))
    if config.trainer.channels_last:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    torch.manual_seed(derived_seed(config.seed, "fit"))
    module = JointModule(network, config)
    return fit(module, loader(data, sampler), loader(whole, list(rows)), folder, report=report, bar=bar)

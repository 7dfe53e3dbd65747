"""Training on all of a network's weights with few crops: slowly, and from where it stands.

The branches start from those fitted to the frozen trunk, so that the first steps do not bend the
trunk to make up for branches that do not fit (Kumar et al. 2022, *Fine-tuning can distort
pretrained features and underperform out-of-distribution*, ICLR). Batch normalisation keeps its
statistics: a few dozen crops have none worth taking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.learning.adapt.heads import Head
from androscope.learning.augment import augment
from androscope.learning.batches import derived_seed, generator
from androscope.learning.config import AugmentConfig, LossConfig, OptimizerConfig
from androscope.learning.losses import masked_loss
from androscope.learning.network import Branch, Network
from androscope.learning.optimizers import build_optimizer, build_schedule

__all__ = ["Recipe", "train_on"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the weights are moved; fixed, for few crops cannot choose among recipes as well."""

    epochs: int = 20
    batch_size: int = 16
    lr: float = 2e-4
    weight_decay: float = 0.02


def train_on(
    network: Network,
    crops: LabelledCrops,
    heads: Mapping[str, Head],
    changes: AugmentConfig,
    *,
    recipe: Recipe | None = None,
    seed: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> Network:
    """Train a copy of ``network`` on; it is left as it is.

    Parameters
    ----------
    crops
        With the network's labels.
    heads
        Fitted to the frozen trunk; put into those branches that are one layer.
    changes
        Random changes of the crops, as in the network's own training.
    seed
        Of the order of crops and their changes.

    Returns
    -------
    Network
        In evaluation mode.

    Raises
    ------
    TrainingError
        If the loss is no number.
    """
    recipe = recipe or Recipe()
    own = deepcopy(network).float().to(memory_format=torch.channels_last)
    for label, head in heads.items():
        _start_from(own.branches[label], head)  # type: ignore[arg-type]
    own.requires_grad_(True)
    plan = OptimizerConfig(lr=recipe.lr, weight_decay=recipe.weight_decay, warmup_epochs=2.0)
    steps = max(1, round(len(crops) / recipe.batch_size))
    optimizer = build_optimizer(own, plan)
    schedule = build_schedule(optimizer, plan, steps=steps * recipe.epochs, steps_per_epoch=steps)
    pixels, labels = torch.from_numpy(np.array(crops.crops)), torch.from_numpy(crops.labels)
    loss_config = LossConfig()
    for epoch in range(recipe.epochs):
        own.train()
        for module in own.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        torch.manual_seed(derived_seed(seed, "adapt dropout", epoch))
        source = generator(seed, "adapt", epoch)
        order = torch.randperm(len(crops), generator=source)
        total = 0.0
        for rows in order.tensor_split(steps):
            logits = own(augment(pixels[rows], changes, source))
            loss = masked_loss(logits, labels[rows], loss_config)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            if plan.clip is not None:
                torch.nn.utils.clip_grad_norm_(own.parameters(), plan.clip)
            optimizer.step()
            schedule.step()
            total += loss.item()
        if not np.isfinite(total):
            raise TrainingError(f"the loss of epoch {epoch + 1} is {total / steps}")
        report(f"epoch {epoch + 1} of {recipe.epochs}: loss {total / steps:.3f}")
    return own.eval()


def _start_from(branch: Branch, head: Head) -> None:
    dense = [module for module in branch if isinstance(module, nn.Linear)]
    if len(dense) != 1:
        return  # a branch with hidden layers starts from its own
    with torch.no_grad():
        dense[0].weight.mul_(head.slope)
        dense[0].bias.mul_(head.slope).add_(head.intercept)
        if head.weights is not None:
            dense[0].weight += torch.from_numpy(head.weights).float()

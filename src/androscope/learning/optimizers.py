"""Optimisers and schedules by name, the same for the trunk and for a branch."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from androscope.learning.config import OptimizerConfig

__all__ = ["build_optimizer", "build_schedule", "rate"]


def build_optimizer(module: nn.Module, config: OptimizerConfig) -> Optimizer:
    """Optimiser over the parameters of ``module`` that learn.

    Weight decay acts on matrices and kernels alone: a bias or a normalisation's gain has no reason
    to be small.
    """
    learned = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learned if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0},
    ]
    lr, momentum = config.lr, config.momentum
    # foreach: one call for all tensors instead of hundreds of small ones.
    build: dict[str, Callable[[], Optimizer]] = {
        "adamw": lambda: torch.optim.AdamW(groups, lr=lr, foreach=True),
        "adam": lambda: torch.optim.Adam(groups, lr=lr, foreach=True),
        "sgd": lambda: torch.optim.SGD(groups, lr=lr, momentum=momentum, foreach=True),
        "rmsprop": lambda: torch.optim.RMSprop(groups, lr=lr, momentum=momentum, foreach=True),
        "adagrad": lambda: torch.optim.Adagrad(groups, lr=lr, foreach=True),
        "adadelta": lambda: torch.optim.Adadelta(groups, lr=lr, foreach=True),
        "adamax": lambda: torch.optim.Adamax(groups, lr=lr, foreach=True),
        "nadam": lambda: torch.optim.NAdam(groups, lr=lr, foreach=True),
    }
    return build[config.name]()


def rate(step: int, config: OptimizerConfig, *, steps: int, steps_per_epoch: int) -> float:
    """Factor on the learning rate at ``step`` (from 0) of ``steps``.

    A linear warm-up, times half a cosine over the whole training (Loshchilov & Hutter 2017, eq. 5,
    without restarts) or 1.
    """
    warmup = config.warmup_epochs * steps_per_epoch
    factor = min(1.0, (step + 1) / warmup) if warmup > 0 else 1.0
    if config.schedule == "cosine":
        factor *= 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))
    return factor


def build_schedule(
    optimizer: Optimizer, config: OptimizerConfig, *, steps: int, steps_per_epoch: int
) -> LambdaLR:
    """The schedule of :func:`rate`, to be stepped after every batch."""
    return LambdaLR(
        optimizer, lambda step: rate(step, config, steps=steps, steps_per_epoch=steps_per_epoch)
    )

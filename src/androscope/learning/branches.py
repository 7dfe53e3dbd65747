"""Stage 2 of DMTL for one label: a branch trained on the bank of embeddings."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from androscope.errors import TrainingError
from androscope.learning.balance import batch_weights, oversample
from androscope.learning.bank import Bank
from androscope.learning.batches import BatchSampler, Crops, derived_seed
from androscope.learning.config import LabelBranchConfig, LossConfig
from androscope.learning.epochs import Row, StageResult
from androscope.learning.losses import masked_loss
from androscope.learning.module import accuracies
from androscope.learning.network import Branch
from androscope.learning.optimizers import build_optimizer, build_schedule
from androscope.learning.selection import EpochScores, better

__all__ = ["branch_scores", "train_branch"]


@torch.inference_mode()
def branch_scores(
    branch: nn.Module, bank: Bank, column: int, loss: LossConfig, epoch: int = -1
) -> EpochScores:
    """Score a branch in evaluation mode on the bank's clean validation embeddings."""
    truth = torch.from_numpy(bank.valid_labels[:, column : column + 1])
    logits = branch(torch.from_numpy(bank.valid))
    return EpochScores(epoch, float(masked_loss(logits, truth, loss)), accuracies(logits, truth))


def train_branch(
    label: str,
    column: int,
    bank: Bank,
    config: LabelBranchConfig,
    *,
    seed: int,
    on_epoch: Callable[[Row], None] = lambda _: None,
) -> tuple[Branch, StageResult, list[Row]]:
    """Train the branch of ``label`` on column ``column`` of the bank's labels.

    An epoch is as many embeddings as there are crops, drawn from all views of all crops. A crop
    that is not labelled for ``label`` is left out.

    Returns
    -------
    branch, result, history
        The branch with the weights of the kept epoch, in evaluation mode.

    Raises
    ------
    TrainingError
        If a class has no training crop, or the loss is no number.
    """
    started = time.monotonic()
    views, _, dim = bank.train.shape
    labels, targets = bank.train_labels[:, column], bank.train_targets[:, column]
    known = labels >= 0
    if len(np.unique(labels[known])) < 2:
        raise TrainingError(
            f"{label}: the training crops hold one class alone", advice="Leave this label out"
        )
    x = bank.train[:, known].reshape(-1, dim)
    y = np.tile(targets[known], views)
    weights = None
    if config.balance == "batch":
        weights = batch_weights(np.tile(labels[known], views))
    elif config.balance != "none":
        drawn = derived_seed(seed, "oversample", label) % 2**32
        x, y = oversample(x, y, config.balance, drawn)
    data = Crops(np.asarray(x, np.float32), np.asarray(y)[:, None])
    steps = max(1, len(data) // views // min(config.batch_size, len(data)))
    sampler = BatchSampler(
        len(data), config.batch_size, seed=derived_seed(seed, "branch", label), weights=weights
    )

    torch.manual_seed(derived_seed(seed, "branch", label))
    branch = Branch(dim, config)
    optimizer = build_optimizer(branch, config.optimizer)
    schedule = build_schedule(
        optimizer, config.optimizer, steps=steps * config.epochs, steps_per_epoch=steps
    )
    best: EpochScores | None = None
    kept: dict[str, Tensor] = {}
    history: list[Row] = []
    for epoch in range(config.epochs):
        branch.train()
        sampler.set_epoch(epoch)
        total = 0.0
        for _, rows in zip(range(steps), sampler, strict=False):
            embedding, target = data[rows]
            loss = masked_loss(branch(embedding), target, config.loss)
            total += loss.item()
            if config.l2 > 0:
                loss = loss + config.l2 * branch.penalty()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            if config.optimizer.clip is not None:
                torch.nn.utils.clip_grad_norm_(branch.parameters(), config.optimizer.clip)
            optimizer.step()
            schedule.step()
        branch.eval()
        scores = branch_scores(branch, bank, column, config.loss, epoch)
        if not math.isfinite(total):
            raise TrainingError(
                f"{label}: the training loss of epoch {epoch + 1} is {total / steps}",
                advice="Lower the branch's optimizer.lr, or set optimizer.clip",
            )
        if better(scores, best, config.checkpoint):
            best, kept = scores, deepcopy(branch.state_dict())
        history.append(
            {
                "epoch": epoch + 1,
                "train_loss": total / steps,
                "valid_loss": scores.loss,
                f"valid_accuracy_{label}": scores.accuracies[0],
                "kept": int(best is scores),
            }
        )
        on_epoch(history[-1])
    if best is None:
        raise TrainingError(f"{label}: no epoch was trained")
    branch.load_state_dict(kept)
    branch.eval()
    seconds = round(time.monotonic() - started, 3)
    return branch, StageResult(best, config.epochs, seconds), history

"""What Lightning trains: the network, its averaged twin, and the scores of each epoch."""

from __future__ import annotations

from typing import Any

import lightning as L  # noqa: N812
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from androscope.learning.augment import augment
from androscope.learning.batches import Batch, derived_seed, generator
from androscope.learning.config import Config
from androscope.learning.losses import label_weights, masked_loss
from androscope.learning.matching import Matching
from androscope.learning.mix import mix
from androscope.learning.network import Branch, Network
from androscope.learning.optimizers import build_optimizer, build_schedule
from androscope.learning.selection import EpochScores, selection_score

__all__ = ["JointModule", "accuracies"]


def accuracies(logits: Tensor, labels: Tensor) -> tuple[float, ...]:
    """Accuracy per label at threshold 0.5, over its labelled crops; NaN where there is none."""
    known = labels >= 0
    right = ((logits >= 0) == (labels == 1)) & known
    return tuple((right.sum(0) / known.sum(0)).tolist())


class JointModule(L.LightningModule):
    """Trunk and branches trained together: all of DTL, stage 1 of DMTL.

    Parameters
    ----------
    network
        With its first weights.
    config
        The run.
    matching
        Teachers that are asked of each batch, if any.
    """

    def __init__(self, network: Network, config: Config, matching: Matching | None = None) -> None:
        super().__init__()
        self.network = network
        self.config = config
        self.matching = matching
        self.averaged: AveragedModel | None = None
        if config.stage1.ema > 0 or config.stage1.swa > 0:
            self.averaged = AveragedModel(network, multi_avg_fn=self._average, use_buffers=True)
            self.averaged.requires_grad_(False)
            self.averaged.eval()
        # Kendall et al. 2018, section 3.2: log of each label's variance, learned with the weights.
        self.log_variances: nn.Parameter | None = None
        if config.loss.weighting == "uncertainty":
            self.log_variances = nn.Parameter(torch.zeros(len(config.labels)))
        self.register_buffer("weights", label_weights(config.loss, config.labels), persistent=False)
        self._logits: list[Tensor] = []
        self._labels: list[Tensor] = []
        self.scores: EpochScores | None = None
        self.answers: tuple[Tensor, Tensor] | None = None

    @property
    def kept(self) -> nn.Module:
        """The network whose weights are scored and kept: the averaged one, if there is one."""
        return self.network if self.averaged is None else self.averaged.module

    def train(self, mode: bool = True) -> JointModule:
        """Set training mode; the averaged twin stays in evaluation."""
        super().train(mode)
        if self.averaged is not None:
            self.averaged.eval()
        return self

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Seed dropout by (seed, epoch, step): a resumed run then draws as an uninterrupted one."""
        path = ("dropout", self.current_epoch, batch_idx, self.global_rank)
        torch.manual_seed(derived_seed(self.config.seed, *path))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Augment on the device, grade, and sum loss and penalty."""
        crops, labels = batch
        path = ("augment", self.current_epoch, batch_idx, self.global_rank)
        crops = augment(crops, self.config.augment, generator(self.config.seed, *path))
        path = ("mix", self.current_epoch, batch_idx, self.global_rank)
        crops, labels = mix(crops, labels, self.config.augment, generator(self.config.seed, *path))
        if self.matching is not None:
            labels = self.matching.targets(crops, labels)
        loss = self.loss(crops, labels)
        self.log(
            "train_loss", loss, on_step=False, on_epoch=True, batch_size=len(crops), sync_dist=True
        )
        if self.config.branch.l2 > 0:
            loss = loss + self.config.branch.l2 * sum(b.penalty() for b in self.penalised())
        return loss

    def loss(self, crops: Tensor, labels: Tensor) -> Tensor:
        """What a step makes smaller, but for the penalty: of augmented crops and their targets."""
        weights: Any = self.weights
        if self.log_variances is not None:
            weights = weights * (-self.log_variances).exp()
        loss = masked_loss(self.network(crops), labels, self.config.loss, weights)
        if self.log_variances is not None:
            # Eq. 10 for classification: exp(-s) times the loss, plus s / 2.
            loss = loss + self.log_variances.mean() / 2
        return loss

    def penalised(self) -> list[Branch]:
        """The branches whose weights are kept small by ``branch.l2``."""
        return list(self.network.branches.values())  # type: ignore[arg-type]

    @property
    def learned(self) -> nn.Module:
        """What the optimiser moves."""
        return self.network if self.log_variances is None else self

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Move the averaged twin a little towards the network."""
        if self.averaged is None:
            return
        if batch_idx == 0 and self.current_epoch == self.config.stage1.swa_start:
            # The exponential average served the epochs' scores so far; the mean starts anew.
            self.averaged.n_averaged.zero_()
        self.averaged.update_parameters(self.network)

    @torch.no_grad()
    def _average(self, averaged: Any, current: Any, count: Tensor | int) -> None:
        """``averaged`` moves towards ``current``, the weights after ``count`` others.

        The plain mean over steps is that of Izmailov et al. 2018, "Averaging weights leads to wider
        optima", eq. (1): with a learning rate that stays high the steps circle a wide optimum, and
        their mean lies inside it.
        """
        step, start = int(count), self.config.stage1.swa_start
        if start is not None and self.current_epoch >= start:
            weight = 1 / (1 + step)
        else:
            # Early on the average follows fast: the first weights are not worth remembering.
            weight = 1 - min(self.config.stage1.ema, (1 + step) / (10 + step))
        if averaged[0].is_floating_point():
            torch._foreach_lerp_(averaged, current, weight)
        else:
            for old, new in zip(averaged, current, strict=True):
                old.copy_(new)

    def on_validation_epoch_start(self) -> None:
        """Forget the last epoch's answers."""
        self._logits, self._labels = [], []

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Grade clean crops with the weights that would be kept."""
        crops, labels = batch
        self._logits.append(self.kept(crops).float())
        self._labels.append(labels)

    def on_validation_epoch_end(self) -> None:
        """Score the epoch over all validation crops at once."""
        logits, labels = torch.cat(self._logits), torch.cat(self._labels)
        self.answers = (logits.sigmoid(), labels)
        loss = float(masked_loss(logits, labels, self.config.loss, self.weights))  # type: ignore[arg-type]
        self.scores = EpochScores(self.current_epoch, loss, accuracies(logits, labels))
        self.log("valid_loss", loss)
        for label, accuracy in zip(self.config.labels, self.scores.accuracies, strict=True):
            self.log(f"valid_accuracy_{label}", accuracy)
            # Percent under the label's own name, which is short enough for the progress bar.
            self.log(label, 100 * accuracy, prog_bar=True, logger=False)
        self.log("selection", selection_score(self.scores, self.config.stage1.checkpoint))

    def configure_optimizers(self) -> Any:
        """Optimiser and a schedule stepped after each batch."""
        config = self.config.stage1
        optimizer = build_optimizer(self.learned, config.optimizer)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = build_schedule(
            optimizer,
            config.optimizer,
            steps=steps,
            steps_per_epoch=max(1, steps // config.epochs),
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

"""Co-teaching: two networks, each of which chooses what the other learns from.

B. Han et al., "Co-teaching: Robust training of deep neural networks with extremely noisy labels",
NeurIPS 2018, arXiv:1804.06872, algorithm 1. Networks learn clean labels before wrong ones, so that
labels of a large loss are the likelier to be wrong; two networks that began differently err
differently, and neither repeats its own choice.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from androscope.learning.batches import derived_seed
from androscope.learning.config import Config
from androscope.learning.losses import masked_loss
from androscope.learning.module import JointModule
from androscope.learning.network import Branch, Network

__all__ = ["CoTeachingModule", "forgotten_share", "of_small_loss"]


def forgotten_share(share: float, epoch: int, rising: int) -> float:
    """Share of labels that is left out in an epoch, from 0: rises from 0 to ``share``.

    ``tau min(t / T_k, 1)``, 1 minus R(t) of the paper's algorithm 1.
    """
    return share * min(1.0, epoch / rising) if rising else share


def of_small_loss(logits: Tensor, targets: Tensor, share: float) -> Tensor:
    """The targets, with the ``share`` of the largest losses of each label as not labelled.

    Parameters
    ----------
    logits
        ``(N, L)``: of the network that chooses.
    targets
        ``(N, L)``: 0 to 1; negative not labelled, and so it stays.
    share
        Rounded down to whole labels of a batch.

    Returns
    -------
    Tensor
        ``(N, L)``: ``targets``, -1 where not to be learned from.
    """
    known = targets >= 0
    losses = nn.functional.binary_cross_entropy_with_logits(
        logits.detach().float(), targets.clamp_min(0).float(), reduction="none"
    )
    losses = torch.where(known, losses, -math.inf)
    chosen = targets.clone()
    for column in range(targets.shape[1]):
        count = int(share * int(known[:, column].sum()))
        chosen[losses[:, column].topk(count).indices, column] = -1
    return chosen


class CoTeachingModule(JointModule):
    """A network and a twin with other heads, trained on the same batches; the first one is kept.

    Parameters
    ----------
    network, config
        As of :class:`~androscope.learning.module.JointModule`; ``stage1.co_teaching`` is above 0.
    """

    def __init__(self, network: Network, config: Config) -> None:
        super().__init__(network, config)
        self.twin = copy.deepcopy(network)
        # The trunks begin with the same published weights; heads, dropout and what each is made to
        # leave out set them apart.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(config.first_weights_seed, "twin"))
            for branch in self.twin.branches.values():
                for layer in branch.modules():
                    if isinstance(layer, nn.Linear):
                        layer.reset_parameters()

    @property
    def learned(self) -> nn.Module:
        """Everything, the twin included."""
        return self

    def loss(self, crops: Tensor, labels: Tensor) -> Tensor:
        """Losses of both networks, each over the labels that the other finds easy."""
        stage = self.config.stage1
        share = forgotten_share(stage.co_teaching, self.current_epoch, stage.co_teaching_epochs)
        mine, other = self.network(crops), self.twin(crops)
        losses = [
            masked_loss(
                logits,
                of_small_loss(chooser, labels, share),
                self.config.loss,
                self.weights,  # type: ignore[arg-type]
            )
            for logits, chooser in ((mine, other), (other, mine))
        ]
        return losses[0] + losses[1]

    def penalised(self) -> list[Branch]:
        """The branches of both."""
        return [*super().penalised(), *self.twin.branches.values()]  # type: ignore[list-item]

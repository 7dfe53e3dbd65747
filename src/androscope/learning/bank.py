"""Embeddings of the training crops by the frozen trunk, taken once for all of stage 2.

A frozen trunk gives the same embedding for the same picture, so that passing crops through it in
every epoch of every branch would be the same work again and again. A bank of several augmented
views per crop is taken once; a branch then trains in seconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from androscope.datasets import LabelledCrops
from androscope.learning.augment import augment
from androscope.learning.batches import generator
from androscope.learning.config import Config
from androscope.learning.network import Network
from androscope.types import FloatArray

__all__ = ["Bank", "build_bank", "embed", "state_sha256"]

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Bank:
    """Embeddings and labels.

    Attributes
    ----------
    train
        ``(V, N, D)`` float32: ``V`` views of each training crop.
    train_labels
        ``(N, L)`` int8.
    train_targets
        ``(N, L)``, what branches learn: the labels, or between them where teachers were asked.
    valid
        ``(M, D)`` float32, of the clean validation crops.
    valid_labels
        ``(M, L)`` int8.
    """

    train: FloatArray
    train_labels: np.ndarray
    train_targets: np.ndarray
    valid: FloatArray
    valid_labels: np.ndarray


def state_sha256(module: nn.Module) -> str:
    """Hex SHA-256 over the names and bytes of all weights and buffers."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


@torch.inference_mode()
def embed(
    network: Network,
    crops: np.ndarray,
    *,
    config: Config,
    change: Callable[[Tensor], Tensor] | None = None,
) -> FloatArray:
    """Embed ``(N, S, S)`` uint8 crops to ``(N, D)`` float32, changed by ``change`` before."""
    network.eval()
    device = next(network.parameters()).device
    half = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(config.trainer.precision)
    parts = []
    for start in range(0, len(crops), _BATCH):
        batch = torch.from_numpy(np.ascontiguousarray(crops[start : start + _BATCH])).to(device)
        if change is not None:
            batch = change(batch)
        with torch.autocast(device.type, dtype=half, enabled=half is not None):
            parts.append(network.embed(batch).float().cpu())
    return np.asarray(torch.cat(parts).numpy(), dtype=np.float32)


def build_bank(
    network: Network,
    train: LabelledCrops,
    valid: LabelledCrops,
    config: Config,
    report: Callable[[str], None] = lambda _: None,
    targets: FloatArray | None = None,
) -> Bank:
    """Embed ``stage2.views`` augmented views of ``train`` and the clean ``valid``.

    Without augmentation there is one view, the clean one.
    """
    views = config.stage2.views if config.augment.enabled else 1
    if config.trainer.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        network.cuda()
    banked = []
    for view in range(views):
        source = generator(config.seed, "bank", view)
        change = lambda x, g=source: augment(x, config.augment, g)  # noqa: E731
        banked.append(embed(network, train.crops, config=config, change=change))
        report(f"embedded view {view + 1} of {views}")
    clean = embed(network, valid.crops, config=config)
    network.cpu()
    return Bank(
        train=np.stack(banked),
        train_labels=train.labels,
        train_targets=train.labels if targets is None else targets,
        valid=clean,
        valid_labels=valid.labels,
    )

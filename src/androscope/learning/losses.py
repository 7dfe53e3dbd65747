"""The loss: binary cross-entropy, focal or asymmetric, blind to what nobody labelled."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from androscope.learning.config import LossConfig

__all__ = ["label_weights", "masked_loss"]


def label_weights(config: LossConfig, labels: tuple[str, ...]) -> Tensor:
    """Weights ``(L,)`` in the order of ``labels``; 1 where ``config`` names none."""
    return torch.tensor([config.weights.get(label, 1.0) for label in labels])


def masked_loss(
    logits: Tensor, targets: Tensor, config: LossConfig, weights: Tensor | None = None
) -> Tensor:
    """Mean loss over the labelled entries.

    ``sum_nl w_l loss_nl / number of labelled entries``. Cross-entropy is taken against the
    smoothed target ``t`` (``s`` and ``1 - s``). Focal loss is Lin et al. 2017, eq. 4 without the
    class weight: ``(1 - p_t)^gamma`` times the cross-entropy, where ``1 - p_t = |t - p|``; with a
    smoothed target the distance is taken from that, so that the minimum lies where it should.
    Asymmetric loss is Ridnik et al. 2021, eq. 7, with the abnormal class as their positive one:
    ``-t (1 - p)^g+ log p - (1 - t) q^g- log(1 - q)`` with ``q = max(p - m, 0)``.

    Parameters
    ----------
    logits
        ``(N, L)``, any float type; computed in float32.
    targets
        ``(N, L)``: 0 normal, 1 abnormal, negative not labelled. Such an entry adds nothing and
        has a gradient of exactly zero, even if its logit is not finite.
    config
        Kind, smoothing and gamma.
    weights
        ``(L,)``; ones by default.

    Returns
    -------
    Tensor
        A scalar; 0 if nothing is labelled.
    """
    known = targets >= 0
    # Replaced before, not multiplied after: 0 times infinity would be a NaN in the gradient.
    z = torch.where(known, logits.float(), 0.0)
    t = torch.where(known, targets.float(), 0.0)
    t = t * (1 - 2 * config.label_smoothing) + config.label_smoothing
    if config.name == "asymmetric":
        loss = _asymmetric(z, t, config)
    else:
        loss = F.binary_cross_entropy_with_logits(z, t, reduction="none")
    if config.name == "focal":
        # The floor keeps the power's gradient finite at a distance of zero (gamma below 1).
        loss = loss * (t - z.sigmoid()).abs().clamp_min(1e-6).pow(config.focal_gamma)
    if weights is not None:
        loss = loss * weights.to(loss)
    count = known.sum().clamp_min(1)
    return torch.where(known, loss, 0.0).sum() / count


def _asymmetric(z: Tensor, t: Tensor, config: LossConfig) -> Tensor:
    # Floors as above: a power's gradient, and a logarithm's, are finite at zero.
    p = z.sigmoid()
    shifted = (p - config.asymmetric_margin).clamp_min(0)
    abnormal = F.logsigmoid(z) * (1 - p).clamp_min(1e-6).pow(config.asymmetric_abnormal)
    normal = torch.log1p(-shifted.clamp_max(1 - 1e-6)) * shifted.clamp_min(1e-6).pow(
        config.asymmetric_normal
    )
    return -t * abnormal - (1 - t) * normal

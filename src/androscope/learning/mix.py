"""Crops of a batch mixed with one another, and their labels with them: mixup and CutMix."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator, Tensor

from androscope.learning.config import AugmentConfig

__all__ = ["cut_box", "mix"]


def mix(
    crops: Tensor, targets: Tensor, config: AugmentConfig, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Mix each crop with another of its batch.

    Parameters
    ----------
    crops
        ``(N, S, S)`` float. Left as it is.
    targets
        ``(N, L)``: 0 to 1, negative where not labelled.
    config
        ``mixup`` and ``cutmix``; both 0 give everything back unchanged. So does a batch that is not
        among the ``mixed`` ones.
    generator
        On the CPU: the draws are then the same everywhere.

    Returns
    -------
    crops, targets
        ``share x + (1 - share) x'`` of both (Zhang et al. 2018, section 2), or a crop with a box of
        another and the share that is left of its area (Yun et al. 2019, eq. 1). What one of the two
        crops is not labelled for is not labelled in the mixture: -1.
    """
    kinds = [kind for kind in ("mixup", "cutmix") if getattr(config, kind) > 0]
    if not config.enabled or not kinds or len(crops) < 2:
        return crops, targets
    # Torch draws no Beta from a generator that is given; numpy's is seeded by it.
    drawn = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
    if config.mixed < 1 and drawn.random() >= config.mixed:
        return crops, targets
    kind = kinds[drawn.integers(len(kinds))]
    alpha = getattr(config, kind)
    share = float(drawn.beta(alpha, alpha))
    partner = torch.from_numpy(drawn.permutation(len(crops))).to(crops.device)
    if kind == "mixup":
        mixed = share * crops + (1 - share) * crops[partner]
    else:
        size = crops.shape[-1]
        top, left, side_y, side_x = cut_box(size, share, drawn)
        mixed = crops.clone()
        rows, columns = slice(top, top + side_y), slice(left, left + side_x)
        mixed[:, rows, columns] = crops[partner, rows, columns]
        share = 1 - side_y * side_x / size**2
    other = targets[partner]
    known = (targets >= 0) & (other >= 0)
    blended = share * targets.float() + (1 - share) * other.float()
    return mixed, torch.where(known, blended, -1.0)


def cut_box(size: int, share: float, drawn: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw the box of CutMix: top, left, height, width, in px, inside a crop of ``size``.

    Its sides are ``size sqrt(1 - share)``, about a centre drawn evenly, cut at the crop's edge (Yun
    et al. 2019, eq. 2).
    """
    half = size * np.sqrt(1 - share) / 2
    y, x = drawn.uniform(0, size, 2)
    top, bottom = (int(np.clip(round(y + s * half), 0, size)) for s in (-1, 1))
    left, right = (int(np.clip(round(x + s * half), 0, size)) for s in (-1, 1))
    return top, left, bottom - top, right - left

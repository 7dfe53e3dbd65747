"""Random changes of training crops: turned, shifted, mirrored, zoomed, brightened, stretched.

All draws come from one generator that is given, so that a resumed run sees the same pictures as an
uninterrupted one.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Generator, Tensor

from androscope.learning.config import AugmentConfig

__all__ = ["augment", "draw_affine", "warp"]


def augment(crops: Tensor, config: AugmentConfig, generator: Generator) -> Tensor:
    """Change each crop at random.

    Parameters
    ----------
    crops
        ``(N, S, S)`` uint8 or float, grey levels 0 to 255. Left as it is.
    config
        Ranges; see :class:`androscope.learning.config.AugmentConfig`.
    generator
        On the CPU, whatever the crops' device: the draws are then the same everywhere.

    Returns
    -------
    Tensor
        ``(N, S, S)`` float32, 0 to 255. With ``enabled: false``, the crops' values unchanged.
    """
    x = crops.float()
    if not config.enabled or len(x) == 0:
        return x
    # A training step runs under autocast, which would compute the sampling grid in bfloat16: its
    # positions are then off by up to a quarter of a pixel, and vacuoles are two or three pixels.
    with torch.autocast(x.device.type, enabled=False):
        matrices = draw_affine(len(x), x.shape[-1], config, generator)
        x = warp(x, matrices.to(x.device))
        contrast = _log_uniform(len(x), config.contrast, generator).to(x.device)
        brightness = _log_uniform(len(x), config.brightness, generator).to(x.device)
        mean = x.mean((1, 2), keepdim=True)
        return (((x - mean) * contrast + mean) * brightness).clamp_(0, 255)


def draw_affine(count: int, size: int, config: AugmentConfig, generator: Generator) -> Tensor:
    """Draw ``(count, 2, 3)`` matrices for :func:`warp`: rotation, mirroring, zoom, shift."""
    angle = torch.rand(count, generator=generator) * math.radians(config.rotation)
    zoom = _log_uniform(count, config.scale, generator).view(-1)
    mirrored = torch.randint(0, 2, (count, 2), generator=generator).float() * 2 - 1
    shift = (torch.rand(count, 2, generator=generator) * 2 - 1) * (2 * config.shift / size)
    if not config.flip:
        mirrored = torch.ones_like(mirrored)
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    x, y = mirrored.unbind(1)
    rows = torch.stack([cos * x, -sin * x, sin * y, cos * y], 1).view(count, 2, 2)
    return torch.cat([rows, shift.unsqueeze(2)], 2)


def warp(crops: Tensor, matrices: Tensor) -> Tensor:
    """Sample ``(N, S, S)`` crops at affinely moved positions.

    ``matrices`` ``(N, 2, 3)`` map a target position to its source, both from -1 to 1 across the
    crop, x before y (:func:`torch.nn.functional.affine_grid`). Bilinear; beyond the border the
    picture is mirrored, so that no black corner tells the network the angle.
    """
    n, size = len(crops), crops.shape[-1]
    grid = F.affine_grid(matrices, [n, 1, size, size], align_corners=False)
    moved = F.grid_sample(
        crops.unsqueeze(1), grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    return moved.squeeze(1)


def _log_uniform(count: int, most: float, generator: Generator) -> Tensor:
    spread = (torch.rand(count, 1, 1, generator=generator) * 2 - 1) * math.log(most)
    return spread.exp()

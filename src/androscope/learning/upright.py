"""Canonical orientation: each crop is turned, inside the network, until its head stands upright.

A sperm lies at any angle, which says nothing of its form. Random rotation teaches a network so; the
other way is to take the angle out before it looks. The head's long axis is that of the second
moments of what stands out from the background (Hu 1962, doi 10.1109/TIT.1962.1057692, section IV),
its direction that of the third. It is plain arithmetic, so that it travels in the ONNX graph.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

__all__ = ["Upright"]

# In shares of the crop's side: how far from the middle the head is looked for (standard deviation
# of a Gaussian window), and how wide the border is that the background's grey is taken from.
_WINDOW, _BORDER = 13 / 64, 4 / 64
#: Squared grey levels: below this, nothing stands out, and the crop stays as it is.
_NOTHING = 1e-3


class Upright(nn.Module):
    """Turns crops about their middle.

    Parameters
    ----------
    size
        Side of the crops, px.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        places = (torch.arange(size, dtype=torch.float32) * 2 + 1) / size - 1
        y, x = torch.meshgrid(places, places, indexing="ij")
        border = torch.maximum(x.abs(), y.abs()) > 1 - 2 * _BORDER
        window = torch.exp(-(x.square() + y.square()) / (2 * (2 * _WINDOW) ** 2))
        self.x: Tensor
        self.y: Tensor
        self.border: Tensor
        self.window: Tensor
        for name, value in (
            ("x", x), ("y", y), ("border", border / border.sum()), ("window", window),
        ):  # fmt: skip
            self.register_buffer(name, value.contiguous(), persistent=False)

    def direction(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine ``(N,)`` of the angle from x to the head's axis, y being down."""
        ground = (crops * self.border).sum((1, 2), keepdim=True)
        weight = (crops - ground).square() * self.window
        total = weight.sum((1, 2)) + _NOTHING

        def mean(values: Tensor) -> Tensor:
            return (weight * values).sum((1, 2)) / total

        x = self.x - mean(self.x)[:, None, None]
        y = self.y - mean(self.y)[:, None, None]
        # cos and sin of twice the angle; the half angle by algebra, which every runtime has.
        twice_cos, twice_sin = mean(x.square()) - mean(y.square()), 2 * mean(x * y)
        length = (twice_cos.square() + twice_sin.square()).sqrt()
        turned = twice_cos / (length + 1e-9)
        cos = ((1 + turned).clamp(0, 2) / 2).sqrt()
        sin = ((1 - turned).clamp(0, 2) / 2).sqrt()
        sin = torch.where(twice_sin < 0, -sin, sin)
        # The third moment along the axis: the same end up whichever way the crop lay.
        along = x * cos[:, None, None] + y * sin[:, None, None]
        sign = torch.where(mean(along.pow(3)) < 0, -1.0, 1.0)
        return cos * sign, sin * sign

    def forward(self, crops: Tensor) -> Tensor:
        """``(N, S, S)`` float grey levels, turned; beyond the border the picture is mirrored."""
        cos, sin = (value[:, None, None] for value in self.direction(crops))
        # The axis becomes the vertical: (0, 1) of the target is (cos, sin) of the source.
        grid = torch.stack([self.x * sin + self.y * cos, self.y * sin - self.x * cos], -1)
        turned = F.grid_sample(
            crops.unsqueeze(1), grid, mode="bilinear", padding_mode="reflection",
            align_corners=False,
        )  # fmt: skip
        return turned.squeeze(1)

"""The locator: a small fully convolutional network from contrast to maps of centres and axes.

Centres are peaks of heatmaps, one for each class, at a quarter of the view's size, as in X. Zhou,
D. Wang, P. Krähenbühl: "Objects as Points" (2019), arXiv:1904.07850; beside each peak stand its
offset, the head's axes and its direction.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from androscope.model.locator import CHANNELS, CLASSES, STRIDE

__all__ = ["LocatorNetwork", "locator_loss"]

#: First guess of every heatmap's probability: centres are rare.
_PRIOR_LOGIT = -4.0

#: Widths of the ready-made filters, cells: 0.3 of a head's length, and about half of it; and the
#: factor that makes their values about as large as the network's own.
_SPREADS, _GAIN = (1.2, 2.2), 4.0

#: How much each class weighs in the loss. Specks are many and small: they shall not outvote heads.
_WEIGHTS = (1.0, 0.3, 0.2)


def _conv(inside: int, outside: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, dilation, dilation, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _conv(width, width),
            nn.Conv2d(width, width, 3, 1, dilation, dilation, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.layers(x))


class _Blobs(nn.Module):
    """The blob filter, given to the network ready made: means of cells, smoothed at two widths.

    Of the contrast and of its size, ``(N, 1, h, w)`` to ``(N, 6, h/4, w/4)``: what a baseline goes
    by need not be learned.
    """

    def __init__(self) -> None:
        super().__init__()
        reach = torch.arange(-5, 6, dtype=torch.float32)
        lines = torch.stack([torch.exp(-0.5 * (reach / spread) ** 2) for spread in _SPREADS])
        lines = lines / lines.sum(dim=1, keepdim=True)
        self.register_buffer("kernels", (lines[:, :, None] * lines[:, None, :])[:, None])

    def forward(self, contrast: Tensor) -> Tensor:
        cells = nn.functional.avg_pool2d(torch.cat([contrast, contrast.abs()], dim=1), STRIDE)
        kernels = torch.cat([self.kernels, self.kernels])  # type: ignore[list-item]
        smooth = nn.functional.conv2d(cells, kernels, padding=5, groups=2)
        return _GAIN * torch.cat([cells, smooth], dim=1)


class LocatorNetwork(nn.Module):
    """Contrast ``(N, 1, h, w)``, sides multiples of 8, to maps ``(N, CHANNELS, h/4, w/4)``.

    Channels: probability of a centre for each class; offset x, y (cells); logarithm of length and
    width over the normal head's length; cosine and sine of twice the angle.
    """

    def __init__(self, widths: tuple[int, int, int] = (16, 24, 48)) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.blobs = _Blobs()
        self.stem = nn.Sequential(_conv(1, fine, stride=2), _conv(fine, middle, stride=2))
        self.mixed = nn.Sequential(_conv(middle + 6, middle), _Residual(middle))
        self.context = nn.Sequential(
            _conv(middle, coarse, stride=2), _Residual(coarse, 2), _Residual(coarse, 2)
        )
        self.widen = nn.Conv2d(coarse, middle, 1)
        self.joined = nn.Sequential(_Residual(middle), _conv(middle, 2 * fine))
        self.maps = nn.Conv2d(2 * fine, CHANNELS, 1)
        nn.init.constant_(self.maps.bias[: len(CLASSES)], _PRIOR_LOGIT)  # type: ignore[index]

    def raw(self, contrast: Tensor) -> Tensor:
        """The maps with logits instead of probabilities."""
        seen = self.mixed(torch.cat([self.stem(contrast), self.blobs(contrast)], dim=1))
        around = nn.functional.interpolate(
            self.widen(self.context(seen)), scale_factor=2.0, mode="nearest"
        )
        maps: Tensor = self.maps(self.joined(seen + around))
        return maps

    def forward(self, contrast: Tensor) -> Tensor:
        """Maps as documented above."""
        raw = self.raw(contrast)
        classes = len(CLASSES)
        return torch.cat([torch.sigmoid(raw[:, :classes]), raw[:, classes:]], dim=1)


def locator_loss(raw: Tensor, heat: Tensor, known: Tensor, axes: Tensor, near: Tensor) -> Tensor:
    """Penalty-reduced focal loss of the heatmaps, and L1 of what stands beside the centres.

    Parameters
    ----------
    raw
        ``(N, CHANNELS, h, w)``: :meth:`LocatorNetwork.raw`.
    heat, known
        ``(N, classes, h, w)``: targets, 1 at centres, and 1 where they are known.
    axes, near
        ``(N, 6, h, w)``: targets of the other channels, and their weights.
    """
    classes = len(CLASSES)
    logits = raw[:, :classes]
    p = torch.sigmoid(logits)
    centre = (heat >= 0.999).float()
    hit = -centre * (1 - p) ** 2 * nn.functional.logsigmoid(logits)
    miss = -(1 - centre) * (1 - heat) ** 4 * p**2 * nn.functional.logsigmoid(-logits)
    each = ((hit + miss) * known).sum(dim=(0, 2, 3))
    count = (centre * known).sum(dim=(0, 2, 3)).clamp(min=1.0)
    focal = (each / count * each.new_tensor(_WEIGHTS)).sum()
    beside = (torch.abs(raw[:, classes:] - axes) * near).sum() / near.sum().clamp(min=1.0)
    return focal + beside


assert STRIDE == 4, "the network's own strides give 4"

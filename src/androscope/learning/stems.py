"""The first convolution, made for one grey channel.

A grey picture ``g`` shown to an RGB network is tripled, and each channel normalised by its own
``mean_c`` and ``std_c``. The first convolution then computes ``sum_c W_c * (g - mean_c) / std_c``
(``*`` is the convolution). With one input channel ``u = (g - m) / s`` this is::

    (s sum_c W_c / std_c) * u  +  (sum_c W_c (m - mean_c) / std_c) * 1

for any constants m and s, which is exact at the padded border too if the second term is convolved
with a picture of ones that is padded in the same way. That term does not depend on the picture; it
vanishes where all channels share one mean (EfficientNet-Lite). A third of the stem's work, and no
tripled picture in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn

from androscope.errors import ConfigError

__all__ = ["STANDARDIZE_FLOOR", "GreyStem", "Normalization", "TripledStem", "make_grey"]

#: Grey levels added to a crop's deviation, so that a flat crop does not blow up its noise.
STANDARDIZE_FLOOR = 4.0


@dataclass(frozen=True, slots=True)
class Normalization:
    """How grey levels become the network's input.

    Attributes
    ----------
    mean, std
        Per RGB channel, in grey levels (0 to 255), as the tripled picture would be normalised.
    standardize
        Per-crop instead: ``u = (g - mean(g)) / (std(g) + 4)``, the same in each channel.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    standardize: bool = False

    @property
    def grey_mean(self) -> float:
        """``m`` of the module's formula: the channels' average."""
        return sum(self.mean) / len(self.mean)

    @property
    def grey_std(self) -> float:
        """``s`` of the module's formula: the channels' average."""
        return sum(self.std) / len(self.std)


class GreyStem(nn.Module):
    """A stem convolution over one grey channel that equals the RGB one over the tripled picture.

    Parameters
    ----------
    conv
        Convolution over three channels; left untouched.
    norm
        The per-channel normalisation that the weights expect.
    """

    def __init__(self, conv: nn.Conv2d, norm: Normalization) -> None:
        super().__init__()
        weight = conv.weight.detach().double()
        std = torch.tensor(norm.std, dtype=torch.float64).view(1, 3, 1, 1)
        mean = torch.tensor(norm.mean, dtype=torch.float64).view(1, 3, 1, 1)
        if norm.standardize:  # The tripled picture is the same in each channel.
            std, mean = torch.ones_like(std), torch.zeros_like(mean)
            scale, centre = 1.0, 0.0
        else:
            scale, centre = norm.grey_std, norm.grey_mean
        self.conv = _one_channel(conv, scale * (weight / std).sum(1, keepdim=True))
        offset = (weight * ((centre - mean) / std)).sum(1, keepdim=True)
        self.border: nn.Conv2d | None = None
        if bool((offset.abs() > 1e-12).any()):
            self.border = _one_channel(conv, offset)
            self.border.bias = None
            self.border.requires_grad_(False)

    def forward(self, grey: Tensor) -> Tensor:
        """``(N, 1, H, W)`` to ``(N, C, H', W')``."""
        out: Tensor = self.conv(grey)
        if self.border is not None:
            out = out + self.border(torch.ones_like(grey[:1]))
        return out


class TripledStem(nn.Module):
    """For stems that cannot be folded (standardised weights): triples the picture, as said above.

    Parameters
    ----------
    stem
        Any module over three channels.
    norm
        The per-channel normalisation that the weights expect.
    """

    def __init__(self, stem: nn.Module, norm: Normalization) -> None:
        super().__init__()
        self.stem = stem
        gain, shift = torch.ones(1, 3, 1, 1), torch.zeros(1, 3, 1, 1)
        if not norm.standardize:
            std = torch.tensor(norm.std).view(1, 3, 1, 1)
            gain = norm.grey_std / std
            shift = (norm.grey_mean - torch.tensor(norm.mean).view(1, 3, 1, 1)) / std
        self.register_buffer("gain", gain, persistent=False)
        self.register_buffer("shift", shift, persistent=False)

    def forward(self, grey: Tensor) -> Tensor:
        """``(N, 1, H, W)`` to ``(N, C, H', W')``."""
        out: Tensor = self.stem(grey * self.gain + self.shift)  # type: ignore[operator]
        return out


def _one_channel(conv: nn.Conv2d, weight: Tensor) -> nn.Conv2d:
    grey = deepcopy(conv)
    grey.weight = nn.Parameter(weight.to(conv.weight.dtype))
    grey.in_channels = 1
    return grey


def make_grey(body: nn.Module, norm: Normalization) -> None:
    """Exchange the stem of ``body`` (timm's model) for one over a single grey channel.

    Raises
    ------
    ConfigError
        If no first convolution is found.
    """
    cfg: Any = body.pretrained_cfg
    first = cfg.get("first_conv")
    names: Sequence[str] = (first,) if isinstance(first, str) else tuple(first or ())
    if not names:
        names = tuple(
            n for n, m in body.named_modules() if isinstance(m, nn.Conv2d) and m.in_channels == 3
        )[:1]
    if not names:
        raise ConfigError(
            f"backbone.name: no first convolution found in {type(body).__name__}",
            advice="Choose a convolutional backbone",
        )
    for name in names:
        stem = body.get_submodule(name)
        # Exactly these classes: a subclass may standardise its weights, which folding would undo.
        foldable = type(stem) in (nn.Conv2d, Conv2dSame) and stem.groups == 1
        grey = GreyStem(stem, norm) if foldable else TripledStem(stem, norm)  # type: ignore[arg-type]
        body.set_submodule(name, grey)

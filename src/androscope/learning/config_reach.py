"""Whether what a configuration names outside itself is here: a backbone, data, weights."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from androscope.datasets.mhsma import MHSMA
from androscope.errors import AndroscopeError, ConfigError, DataError, WeightsError
from androscope.learning.config import Config
from androscope.spelling import closest

__all__ = ["look_up"]


def look_up(config: Config) -> tuple[str, ...]:
    """Look for all that ``config`` names; nothing is loaded or fetched.

    Returns
    -------
    tuple of str
        What could not be looked for, and why.

    Raises
    ------
    ConfigError
        With everything that is not here.
    """
    missing: list[str] = []
    unchecked: list[str] = []
    for look in (_backbone, _weights, _data):
        try:
            unchecked += look(config)
        except AndroscopeError as error:
            missing.append(str(error))
    if missing:
        raise ConfigError("\n".join(missing))
    return tuple(unchecked)


def _backbone(config: Config) -> list[str]:
    if find_spec("timm") is None or find_spec("torch") is None:
        return [f"backbone.name {config.backbone.name}: timm is not installed"]
    from androscope.learning.backbones import known

    known(config.backbone.name)
    return []


def _weights(config: Config) -> list[str]:
    given = config.backbone.weights
    if given == "imagenet":
        return [f"backbone.weights: {config.backbone.name}'s are looked for when training starts"]
    if given == "random" or Path(given).expanduser().is_file():
        return []
    raise WeightsError(
        f"backbone.weights: expected `imagenet`, `random` or a file that exists, got {given!r}",
        advice=_nearest(given, "imagenet", "random") or "Paths are from the folder you are in",
    )


def _data(config: Config) -> list[str]:
    given = config.data.dataset
    if given == MHSMA.name:
        return [f"data.dataset: {given}'s files are looked for when training starts"]
    if Path(given).exists():
        return [f"data.dataset: `androscope data check {given}` looks at its crops"]
    raise DataError(
        f"data.dataset: expected {MHSMA.name}, or a table or folder that exists, got {given!r}",
        advice=_nearest(given, MHSMA.name) or "Paths are from the folder you are in",
    )


def _nearest(given: str, *known: str) -> str:
    near = closest(given, known)
    return "" if near is None else f"The nearest is {near!r}"

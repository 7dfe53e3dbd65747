"""The torch network of a bundle, built again from its ONNX file, or a clear reason why not.

A bundle's card holds its run's configuration, so the network's shape is known; the ONNX file holds
its weights under their names. At export each batch normalisation behind a convolution was folded
into it; here the convolution gets the folded weights, and the normalisation is set to let values
through and to add the folded shift. Whether that is the same network is not assumed: it must give
the bundle's own probabilities, to 1e-4.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from androscope.errors import AdaptError, AndroscopeError
from androscope.learning.adapt.configuration import TRY_RUN, configuration
from androscope.learning.exported import Exported
from androscope.learning.network import Network, build_network
from androscope.learning.run import Run
from androscope.model.bundle import Bundle
from androscope.types import UInt8Array

__all__ = ["TOLERANCE", "network_of"]

#: Largest difference allowed from the bundle's own probabilities.
TOLERANCE = 1e-4

_FIRST = "networks.0."


def network_of(
    bundle: Bundle,
    crops: UInt8Array,
    raw: NDArray[np.floating],
    *,
    run: Run | None = None,
) -> Network:
    """The network that a bundle grades with, ready to be trained on.

    Parameters
    ----------
    bundle
        Of one network; graded in one view or in eight.
    crops, raw
        ``(N, S, S)`` uint8, and the probabilities ``(N, L)`` that the bundle's graph gives them.
    run
        The run that the bundle was exported from: its weights are taken instead.

    Raises
    ------
    AdaptError
        If the network cannot be built, or is another: with the reason.
    """
    card = bundle.card
    if card.int8 is not None:
        raise AdaptError(
            f"it computes in int8, and weights in int8 cannot be trained on; it was quantised from "
            f"{card.int8.name} {card.int8.version}",
            advice=f"Adapt {card.int8.name}, and quantise what comes out; or leave the trunk alone "
            "with --no-trunk",
        )
    if card.network.networks > 1:
        raise AdaptError(f"it averages {card.network.networks} networks", advice=TRY_RUN)
    network = _rebuilt(bundle) if run is None else run.network()
    if network.labels != card.labels:
        raise AdaptError(
            f"the run's labels are {', '.join(network.labels)}, the bundle's "
            f"{', '.join(card.labels)}",
            advice=TRY_RUN,
        )
    far = _distance(network, card.network.views, crops, raw)
    if not far < TOLERANCE:
        whose = "built from its ONNX file" if run is None else "of the run"
        raise AdaptError(
            f"the network {whose} gives other probabilities than the bundle: they differ by "
            f"{far:.1e}, at most {TOLERANCE:.0e} is allowed",
            advice=TRY_RUN,
        )
    return network


def _rebuilt(bundle: Bundle) -> Network:
    config = configuration(bundle)
    try:
        stage2 = config.stage2 if config.method == "dmtl" else None
        network = build_network(config, pretrained=False, stage2=stage2)
    except (AndroscopeError, RuntimeError) as error:
        raise AdaptError(f"its network cannot be built: {error}", advice=TRY_RUN) from error
    graph = onnx.load_from_string(bundle.model).graph
    tensors = {
        tensor.name.removeprefix(_FIRST): np.array(numpy_helper.to_array(tensor))
        for tensor in graph.initializer
    }
    for node in graph.node:
        if node.op_type not in ("Conv", "Gemm"):
            continue
        # A bias that was made at export, or that the exporter found twice, goes by another name;
        # one of zeros is left out.
        weight, *bias = (name.removeprefix(_FIRST) for name in node.input[1:])
        own = f"{weight.removesuffix('.weight')}.bias"
        if bias and bias[0] in tensors:
            tensors[own] = tensors[bias[0]]
        elif not bias and node.op_type == "Conv" and weight in tensors:
            tensors[own] = np.zeros(len(tensors[weight]), np.float32)
    _fill(network, tensors)
    return network.eval()


def _fill(network: Network, tensors: Mapping[str, NDArray[np.generic]]) -> None:
    """Put an exported graph's weights into the network they were exported from."""
    state = network.state_dict()
    folded: set[str] = set()
    modules = dict(network.named_modules())
    for conv, norm in _pairs(network):
        shift = tensors.get(f"{conv}.bias")
        if f"{norm}.weight" in tensors or shift is None:
            continue  # exported as it is
        eps = float(modules[norm].eps)
        state[f"{norm}.running_mean"].zero_()
        state[f"{norm}.running_var"].fill_(1 - eps)
        state[f"{norm}.weight"].fill_(1)
        _put(state, f"{norm}.bias", shift)
        if f"{conv}.bias" in state:
            state[f"{conv}.bias"].zero_()
        folded |= {f"{conv}.bias", *(name for name in state if name.startswith(f"{norm}."))}
    for name in state:
        if name in folded or name.endswith("num_batches_tracked"):
            continue
        if name not in tensors:
            raise AdaptError(f"its ONNX file has no weights named {_FIRST}{name}", advice=TRY_RUN)
        _put(state, name, tensors[name])
    network.load_state_dict(state)


def _put(state: Mapping[str, Tensor], name: str, values: NDArray[np.generic]) -> None:
    if tuple(state[name].shape) != values.shape:
        raise AdaptError(
            f"its ONNX file has other weights: {name} must be {tuple(state[name].shape)}, got "
            f"{values.shape}",
            advice=TRY_RUN,
        )
    state[name].copy_(torch.from_numpy(values.astype(np.float32)))


def _pairs(network: nn.Module) -> list[tuple[str, str]]:
    """Each convolution, by name, with the batch normalisation that comes next, if it fits it."""
    pairs = []
    before: tuple[str, int] | None = None
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            before = (name, module.out_channels)
        elif isinstance(module, nn.BatchNorm2d):
            if before is not None and before[1] == module.num_features:
                pairs.append((before[0], name))
            before = None
    return pairs


@torch.inference_mode()
def _distance(network: Network, views: int, crops: UInt8Array, raw: NDArray[np.floating]) -> float:
    exported = Exported([network], views).eval()
    far = 0.0
    for start in range(0, len(crops), 32):
        batch = torch.from_numpy(np.ascontiguousarray(crops[start : start + 32]))
        given = exported(batch)[0].numpy()
        far = max(far, float(np.abs(given - raw[start : start + 32]).max()))
    return far

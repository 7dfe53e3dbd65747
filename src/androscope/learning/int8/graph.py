"""An ONNX graph's convolutions in int8: static quantisation by onnxruntime, as QDQ.

Weights are symmetric, with a scale per output channel; activations are uint8 with a scale per
tensor, from what the float32 graph computes on given crops. An activation function that only cuts
off (ReLU6) vanishes into the scale. The first convolutions stay in float32: they are a fortieth of
the arithmetic, they see the grey levels themselves, and in int8 a convolution of one channel is
slower.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from androscope.errors import TrainingError
from androscope.extras import require
from androscope.model.card_int8 import Ranges
from androscope.model.session import INPUT
from androscope.types import UInt8Array

__all__ = ["FLOAT_CONVOLUTIONS", "PERCENTILE", "quantise_graph"]

#: The stem and the first block: measured in docs/performance.md.
FLOAT_CONVOLUTIONS = 3

#: Share of an activation's values that its range holds, with ``percentile``.
PERCENTILE = 99.999

#: Before the names of the weights of each network that the graph averages.
_NETWORK = re.compile(r"networks\.\d+\.")

_BATCH = 16
_METHODS = {"minmax": "MinMax", "percentile": "Percentile", "entropy": "Entropy"}


class _Crops:
    """Crops as onnxruntime's calibration asks for them."""

    def __init__(self, crops: UInt8Array) -> None:
        starts = range(0, len(crops), _BATCH)
        self._batches = iter([np.ascontiguousarray(crops[i : i + _BATCH]) for i in starts])

    def get_next(self) -> dict[str, UInt8Array] | None:
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: batch}


def quantise_graph(
    model: bytes,
    crops: UInt8Array,
    *,
    float_convolutions: int = FLOAT_CONVOLUTIONS,
    weight_bits: int = 7,
    ranges: Ranges = "minmax",
) -> bytes:
    """Give the same graph with its convolutions in int8.

    Parameters
    ----------
    model
        A serialised float32 model, as :func:`androscope.learning.graph.to_onnx` gives it.
    crops
        ``(N, S, S)`` uint8 that the ranges of activations are taken from, N at least 1.
    float_convolutions
        How many of the first convolutions stay in float32, of each network where there are several.
    weight_bits
        7 or 8. With 8, processors without VNNI instructions add two products of
        255 x 127 in 16 bits, which do not hold them, and so give other answers than those with.
    ranges
        The smallest and largest value seen, all but one in 100,000, or the range with the least
        loss of information (entropy).

    Raises
    ------
    TrainingError
        If the model holds no convolution that could be quantised, or is quantised already.
    """
    onnx: Any = require("onnx", extra="train", why="quantise a model")
    quantization: Any = require("onnxruntime.quantization", extra="train", why="quantise a model")
    graph = onnx.load_from_string(model)
    if any(node.op_type == "QuantizeLinear" for node in graph.graph.node):
        raise TrainingError(
            "the model is quantised already",
            advice="Quantise the float32 bundle that it was made from",
        )
    networks = _convolutions(graph)
    fewest = min(map(len, networks), default=0)
    if fewest <= float_convolutions:
        raise TrainingError(
            f"the model has {fewest} convolutions, of which the first "
            f"{float_convolutions} stay in float32: there is nothing to quantise",
            advice="Keep fewer in float32",
        )
    options: dict[str, Any] = {"WeightSymmetric": True, "ActivationSymmetric": False}
    if ranges == "percentile":
        options["CalibPercentile"] = PERCENTILE
    with tempfile.TemporaryDirectory() as temporary, _silence():
        path = Path(temporary) / "model.onnx"
        quantization.quantize_static(
            graph,
            str(path),
            _Crops(crops),
            quant_format=quantization.QuantFormat.QDQ,
            # Clip (ReLU6) goes into the scale only if it is named; Add joins int8 to int8.
            op_types_to_quantize=["Conv", "Clip", "Relu", "Add"],
            per_channel=True,
            reduce_range=weight_bits == 7,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=[name for own in networks for name in own[:float_convolutions]],
            calibrate_method=getattr(quantization.CalibrationMethod, _METHODS[ranges]),
            extra_options=options,
        )
        quantised = onnx.load(str(path))
    del quantised.metadata_props[:]
    quantised.metadata_props.extend(onnx.load_from_string(model).metadata_props)
    quantised.producer_name, quantised.producer_version = "androscope", ""
    onnx.checker.check_model(quantised)
    return bytes(quantised.SerializeToString(deterministic=True))


def _convolutions(graph: Any) -> list[list[str]]:
    """Names of the convolutions in their order, of each network that the graph averages."""
    found: dict[str, list[str]] = {}
    for node in graph.graph.node:
        if node.op_type == "Conv":
            whose = _NETWORK.match(node.input[1])
            found.setdefault(whose[0] if whose else "", []).append(node.name)
    return list(found.values())


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Without onnxruntime's progress on standard output and its advice in the root's log."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)

"""A new head in a bundle's ONNX graph: the same inputs, outputs, names and metadata.

Where the graph's probabilities are the sigmoid of dense layers that stand right on the embedding,
the new head is folded into their weights: the graph stays as it was. Otherwise (hidden layers,
means over views or networks) the probabilities get a correction behind them that computes the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from androscope.errors import AdaptError
from androscope.learning.adapt.heads import Head
from androscope.model.session import EMBEDDING, PROBABILITIES

__all__ = ["check_probabilities", "with_heads"]

#: Largest difference allowed between the new graph and the heads as they were fitted.
TOLERANCE = 1e-4

_PREFIX = "androscope.adapt."
_EDGE = 1e-6


def with_heads(model: bytes, labels: Sequence[str], heads: Mapping[str, Head]) -> bytes:
    """Put ``heads`` in the place of the labels' own; labels without one stay as they are.

    Parameters
    ----------
    model
        A bundle's ``model.onnx``.
    labels
        In the order of its columns.
    heads
        By label.

    Raises
    ------
    AdaptError
        If the result is no valid model.
    """
    changed = onnx.load_from_string(model)
    columns = [heads.get(label) for label in labels]
    if not _fold(changed.graph, columns):
        _append(changed.graph, columns)
    try:
        onnx.checker.check_model(changed)
    except onnx.checker.ValidationError as error:
        raise AdaptError(
            f"the new head does not fit the model: {str(error).splitlines()[0]}",
            advice="Report it with the bundle's card",
        ) from error
    return bytes(changed.SerializeToString())


def check_probabilities(got: NDArray[np.floating], wanted: NDArray[np.floating]) -> float:
    """Largest difference between what the new bundle says and what was fitted.

    Raises
    ------
    AdaptError
        If it is above :data:`TOLERANCE`.
    """
    far = float(np.abs(np.asarray(got, np.float64) - wanted).max(initial=0.0))
    if not far < TOLERANCE:  # NaN is not below either
        raise AdaptError(
            f"the new model's probabilities differ from those that were fitted by {far:.1e}, at "
            f"most {TOLERANCE:.0e} is allowed",
            advice="Report it with the bundle's card",
        )
    return far


def _fold(graph: onnx.GraphProto, columns: Sequence[Head | None]) -> bool:
    """Change the weights of dense layers on the embedding, if that is what there is."""
    makers = {output: node for node in graph.node for output in node.output}
    sigmoid = makers.get(PROBABILITIES)
    if sigmoid is None or sigmoid.op_type != "Sigmoid":
        return False
    last = makers.get(sigmoid.input[0])
    if last is None:
        return False
    dense = [last]
    if last.op_type == "Concat":
        axis = next(a.i for a in last.attribute if a.name == "axis")
        dense = [makers[name] for name in last.input if name in makers]
        if axis not in (1, -1) or len(dense) != len(last.input):
            return False
    weights = {tensor.name: tensor for tensor in graph.initializer}
    uses = [name for node in graph.node for name in node.input]
    layers = []
    for node in dense:
        names = list(node.input[1:])
        shared = any(uses.count(name) > 1 for name in names)
        if not _on_the_embedding(node) or shared or not set(names) <= set(weights):
            return False
        layers.append((node, *(numpy_helper.to_array(weights[name]) for name in names)))
    widths = [len(bias) for _, _, bias in layers]
    if sum(widths) != len(columns):
        return False
    first = 0
    for (node, weight, bias), width in zip(layers, widths, strict=True):
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        rows = np.array(weight if transposed else weight.T, np.float64)
        shift = np.array(bias, np.float64)
        for row, head in enumerate(columns[first : first + width]):
            if head is not None:
                rows[row] = head.slope * rows[row]
                if head.weights is not None:
                    rows[row] += head.weights
                shift[row] = head.slope * shift[row] + head.intercept
        first += width
        new = rows if transposed else rows.T
        for name, array in zip(node.input[1:], (new, shift), strict=True):
            weights[name].CopyFrom(numpy_helper.from_array(array.astype(np.float32), name))
    return True


def _on_the_embedding(node: onnx.NodeProto) -> bool:
    if node.op_type != "Gemm" or len(node.input) != 3 or node.input[0] != EMBEDDING:
        return False
    plain = {"alpha": 1.0, "beta": 1.0}
    return all(
        attribute.f == plain[attribute.name]
        if attribute.name in plain
        else attribute.name == "transB" or (attribute.name == "transA" and not attribute.i)
        for attribute in node.attribute
    )


def _append(graph: onnx.GraphProto, columns: Sequence[Head | None]) -> None:
    """Put ``sigmoid(slope logit(p) + W e + b)`` behind the probabilities ``p``."""
    old = _unused(graph, f"{_PREFIX}parent")
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == PROBABILITIES:
                    names[place] = old
    dim = next((len(h.weights) for h in columns if h is not None and h.weights is not None), 0)
    slope = [1.0 if h is None else h.slope for h in columns]
    shift = [0.0 if h is None else h.intercept for h in columns]
    arrays = {
        "low": np.array(_EDGE, np.float32),
        "high": np.array(1 - _EDGE, np.float32),
        "one": np.array(1, np.float32),
        "slope": np.array(slope, np.float32),
        "shift": np.array(shift, np.float32),
    }
    if dim:
        zero = np.zeros(dim)
        rows = [zero if h is None or h.weights is None else h.weights for h in columns]
        arrays["weights"] = np.array(rows, np.float32).T
    names = {key: _unused(graph, f"{old}.{key}") for key in arrays}
    for key, array in arrays.items():
        graph.initializer.append(numpy_helper.from_array(array, names[key]))

    def add(op: str, inputs: Sequence[str], output: str) -> str:
        graph.node.append(helper.make_node(op, list(inputs), [output]))
        return output

    inside = add("Clip", [old, names["low"], names["high"]], f"{old}.inside")
    yes = add("Log", [inside], f"{old}.yes")
    rest = add("Sub", [names["one"], inside], f"{old}.rest")
    no = add("Log", [rest], f"{old}.no")
    logit = add("Sub", [yes, no], f"{old}.logit")
    steep = add("Mul", [logit, names["slope"]], f"{old}.steep")
    moved = add("Add", [steep, names["shift"]], f"{old}.moved")
    if dim:
        seen = add("MatMul", [EMBEDDING, names["weights"]], f"{old}.seen")
        moved = add("Add", [moved, seen], f"{old}.sum")
    add("Sigmoid", [moved], PROBABILITIES)


def _unused(graph: onnx.GraphProto, name: str) -> str:
    taken = {output for node in graph.node for output in node.output}
    taken |= {tensor.name for tensor in graph.initializer}
    number = 0
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"

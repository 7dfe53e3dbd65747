"""A bundle with learned weights shuffled, from its last layer down to its first.

A map that stays the same when the weights are gone is about the picture, not about the model
(cascading randomisation: Adebayo et al. 2018, arXiv:1810.03292).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import onnx
from onnx import numpy_helper

from androscope.model.bundle import Bundle

__all__ = ["SHARES", "learned", "shuffled", "stages"]

#: Shares of the layers that are shuffled, one stage after the other.
SHARES = (0.02, 0.25, 0.5, 1.0)


def learned(model: onnx.ModelProto) -> list[str]:
    """Names of the weights that layers multiply with, in the order in which the graph uses them.

    Those of convolutions and of dense layers; not the resizing matrix, biases and constants.
    """
    known = {item.name for item in model.graph.initializer}
    names: list[str] = []
    for node in model.graph.node:
        if node.op_type not in ("Conv", "Gemm"):
            continue
        names += [name for name in node.input[1:2] if name in known and name not in names]
    return names


def shuffled(bundle: Bundle, share: float, seed: int) -> Bundle:
    """The bundle with the last ``share`` of its layers shuffled.

    Each weight array is permuted within itself, so that its values keep their distribution.
    """
    model = onnx.load_from_string(bundle.model)
    names = learned(model)
    chosen = set(names[-max(1, round(share * len(names))) :])
    for number, item in enumerate(model.graph.initializer):
        if item.name not in chosen:
            continue
        values = numpy_helper.to_array(item)
        mixed = np.random.default_rng([seed, number]).permutation(values.ravel())
        item.CopyFrom(numpy_helper.from_array(mixed.reshape(values.shape), item.name))
    return replace(bundle, model=bytes(model.SerializeToString()))


def stages(bundle: Bundle, seed: int) -> Iterator[tuple[float, Bundle]]:
    """Each of :data:`SHARES` with its bundle."""
    for share in SHARES:
        yield share, shuffled(bundle, share, seed)

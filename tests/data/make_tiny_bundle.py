"""Write ``tests/data/tiny-bundle``: a bundle of a few kilobytes with seeded random weights.

It lets the tests of the slim half run without torch, onnx or the shipped model. It has learned
nothing, and its card says so. Run it again (needs the ``train`` extra) when the card's schema or
the graph's contract changes: ``python tests/data/make_tiny_bundle.py``.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from androscope.model.bundle_writing import write_bundle
from androscope.model.card import CardDraft, CropInput, Network, SplitFacts, TrainingData
from androscope.model.session import LABELS_KEY

LABELS = ("head", "acrosome", "vacuole")
FOLDER = Path(__file__).parent / "tiny-bundle"
SIZE, POOLED, DIM = 64, 8, 6


def tiny_model(labels: tuple[str, ...] = LABELS, seed: int = 0) -> bytes:
    """Mean-pool to 8x8, one dense layer (the embedding), one sigmoid per label."""
    draw = np.random.default_rng(seed)
    weights = {
        "scale": np.array(1 / 255, np.float32),
        "axes": np.array([1], np.int64),
        "w1": draw.normal(0, 0.6, (POOLED * POOLED, DIM)).astype(np.float32),
        "b1": draw.normal(0, 0.3, DIM).astype(np.float32),
        "w2": draw.normal(0, 1.5, (DIM, len(labels))).astype(np.float32),
        "b2": draw.normal(0, 0.3, len(labels)).astype(np.float32),
    }
    pool = {"kernel_shape": [SIZE // POOLED] * 2, "strides": [SIZE // POOLED] * 2}
    nodes = [
        helper.make_node("Cast", ["crops"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "scale"], ["unit"]),
        helper.make_node("Unsqueeze", ["unit", "axes"], ["image"]),
        helper.make_node("AveragePool", ["image"], ["pooled"], **pool),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w1", "b1"], ["dense"]),
        helper.make_node("Tanh", ["dense"], ["embedding"]),
        helper.make_node("Gemm", ["embedding", "w2", "b2"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["probabilities"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tiny",
        [value("crops", TensorProto.UINT8, ["N", SIZE, SIZE])],
        [
            value("probabilities", TensorProto.FLOAT, ["N", len(labels)]),
            value("embedding", TensorProto.FLOAT, ["N", DIM]),
        ],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {LABELS_KEY: json.dumps(labels)})
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def tiny_draft(labels: tuple[str, ...] = LABELS) -> CardDraft:
    """Give a card for :func:`tiny_model`."""
    return CardDraft(
        name="tiny",
        version="0.0.1",
        created=datetime(2021, 1, 1, tzinfo=UTC),
        method="dmtl" if len(labels) > 1 else "dtl",
        labels=labels,
        thresholds={label: (4 + i) / 10 for i, label in enumerate(labels)},
        input=CropInput(size=SIZE, pixel_size_um=None, pixel_size_note="random weights"),
        network=Network(
            backbone="one dense layer", pretrained="random", input_size=POOLED, embedding_dim=DIM
        ),
        training=TrainingData(
            name="none",
            licence="none",
            citation="none",
            source="seeded random numbers",
            splits={"train": SplitFacts(crops=0)},
            patients="none",
        ),
        protocol="Not evaluated: the weights are random.",
        software={"onnx": onnx.__version__},
        intended_use="Tests of androscope itself.",
        out_of_scope="Everything else.",
        limitations=("It has learned nothing.",),
        licence="Apache-2.0",
    )


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    write_bundle(FOLDER, tiny_model(), tiny_draft())

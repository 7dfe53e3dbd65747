"""A network of four convolutions as a bundle, and crops that it grades by their brightness."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from androscope.datasets import Dataset, LabelledCrops
from androscope.model.bundle import Bundle, load_bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.card import CardDraft
from androscope.model.session import LABELS_KEY

TINY = Path(__file__).parent.parent.parent / "data" / "tiny-bundle"
LABELS = ("head", "acrosome", "vacuole")
SIZE, WIDTH = 64, 8


def small_model(seed: int = 0) -> bytes:
    """Stem, depthwise with ReLU6, pointwise with a sum, ReLU6, pooled to an embedding."""
    random = np.random.default_rng(seed)

    def tensor(name: str, values: object, dtype: type = np.float32) -> onnx.TensorProto:
        return numpy_helper.from_array(np.asarray(values, dtype), name)

    def weights(name: str, *shape: int) -> onnx.TensorProto:
        return tensor(name, random.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape))

    half = [1, 1, 1, 1]
    nodes = [
        helper.make_node("Cast", ["crops"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["grey", "scale"], ["scaled"]),
        helper.make_node("Unsqueeze", ["scaled", "one"], ["x"]),
        helper.make_node("Conv", ["x", "w0", "b"], ["c0"], "conv0", strides=[4, 4], pads=half),
        helper.make_node("Clip", ["c0", "zero", "six"], ["r0"]),
        helper.make_node("Conv", ["r0", "w1", "b"], ["c1"], "conv1", pads=half, group=WIDTH),
        helper.make_node("Clip", ["c1", "zero", "six"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2", "b"], ["c2"], "conv2"),
        helper.make_node("Add", ["c2", "r0"], ["sum"]),
        helper.make_node("Conv", ["sum", "w3", "b"], ["c3"], "conv3"),
        helper.make_node("Clip", ["c3", "zero", "six"], ["r3"]),
        helper.make_node("ReduceMean", ["r3", "sides"], ["embedding"], keepdims=0),
        helper.make_node("Gemm", ["embedding", "w4", "b4"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["probabilities"]),
    ]
    ends = random.normal(0, 2, (WIDTH, 3))
    initializers = [
        tensor("scale", 1 / 64), tensor("one", [1], np.int64), tensor("sides", [2, 3], np.int64),
        tensor("zero", 0), tensor("six", 6), tensor("b", np.full(WIDTH, 0.3)),
        weights("w0", WIDTH, 1, 3, 3), weights("w1", WIDTH, 1, 3, 3),
        weights("w2", WIDTH, WIDTH, 1, 1), weights("w3", WIDTH, WIDTH, 1, 1),
        tensor("w4", ends), tensor("b4", -0.8 * ends.sum(0)),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, ["N", SIZE, SIZE])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 3]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", WIDTH]),
        ],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    model.metadata_props.add(key=LABELS_KEY, value=json.dumps(LABELS))
    return bytes(onnx.shape_inference.infer_shapes(model).SerializeToString())


def small_bundle(folder: Path) -> Bundle:
    card = load_bundle(TINY).card
    draft = card.model_dump(exclude={"model_sha256", "model_bytes"})
    draft["network"]["embedding_dim"] = WIDTH
    return write_bundle(folder, small_model(), CardDraft.model_validate(draft))


def blobs(n: int, seed: int, names: tuple[str, ...] = LABELS) -> LabelledCrops:
    """Smooth noise of many brightnesses; labels follow the brightness, with some doubt."""
    random = np.random.default_rng(seed)
    coarse = random.normal(0, 30, (n, 8, 8)).repeat(8, 1).repeat(8, 2)
    level = random.uniform(40, 215, (n, 1, 1))
    crops = np.clip(coarse + level, 0, 255).astype(np.uint8)
    labels = (random.normal(0, 30, (n, len(names))) + level[:, 0] > 128).astype(np.int8)
    return LabelledCrops(crops, labels, names, tuple(map(str, range(n))))


def blob_set(**changes: LabelledCrops) -> Dataset:
    """Train and valid, of 48 and 80 crops."""
    splits = {"train": blobs(48, 1), "valid": blobs(80, 2)} | changes
    return Dataset("blobs", splits)

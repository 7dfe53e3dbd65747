from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper

from androscope.errors import AdaptError
from androscope.learning.adapt.graph import check_probabilities, with_heads
from androscope.learning.adapt.heads import Head

from .lab import LABELS, TINY, blocks

CROPS = blocks(12)


def run(model: bytes) -> tuple[np.ndarray, np.ndarray]:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    probabilities, embedding = session.run(["probabilities", "embedding"], {"crops": CROPS})
    return probabilities, embedding


@pytest.fixture(scope="module")
def model() -> bytes:
    return (TINY / "model.onnx").read_bytes()


def averaged(model: bytes) -> bytes:
    """The same answers, with a node behind the sigmoid: not a plain head any more."""
    changed = onnx.load_from_string(model)
    changed.graph.node[-1].output[0] = "inner"
    changed.graph.node.append(helper.make_node("Identity", ["inner"], ["probabilities"]))
    return bytes(changed.SerializeToString())


def concatenated(model: bytes) -> bytes:
    """The same answers, from one dense layer for each label, as the exporter writes them."""
    changed = onnx.load_from_string(model)
    graph = changed.graph
    weights = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    nodes = list(graph.node)[:-2]
    for i in range(3):
        for name, array in (("w", weights["w2"][:, i : i + 1].T), ("b", weights["b2"][i : i + 1])):
            graph.initializer.append(onnx.numpy_helper.from_array(array.copy(), f"{name}_{i}"))
        nodes.append(
            helper.make_node("Gemm", ["embedding", f"w_{i}", f"b_{i}"], [f"z{i}"], transB=1)
        )
    nodes.append(helper.make_node("Concat", ["z0", "z1", "z2"], ["logits"], axis=1))
    nodes.append(helper.make_node("Sigmoid", ["logits"], ["probabilities"]))
    del graph.node[:]
    graph.node.extend(nodes)
    return bytes(changed.SerializeToString())


HEADS = {
    "head": Head(0.5, -1.0, np.array([1.0, -2, 0.5, 0, 0.3, 1])),
    "vacuole": Head(2.0, 0.25),
}


@pytest.mark.parametrize(
    ("change", "nodes_more"),
    [
        pytest.param(lambda m: m, 0, id="folded"),
        pytest.param(concatenated, 0, id="folded-into-each"),
        pytest.param(averaged, 10, id="behind-the-probabilities"),
        pytest.param(lambda m: with_heads(averaged(m), LABELS, {}), 10, id="twice"),
    ],
)
def test_the_new_graph_computes_the_heads(change, nodes_more: int, model: bytes) -> None:
    parent = change(model)
    before, embedding = run(parent)
    new = with_heads(parent, LABELS, HEADS)
    after, same = run(new)
    np.testing.assert_array_equal(same, embedding)
    for column, label in enumerate(LABELS):
        head = HEADS.get(label, Head(1.0, 0.0))
        wanted = head.probabilities(before[:, column].astype(np.float64), embedding)
        np.testing.assert_allclose(after[:, column], wanted, atol=2e-6)
    old, changed = onnx.load_from_string(parent), onnx.load_from_string(new)
    assert len(changed.graph.node) == len(old.graph.node) + nodes_more
    assert list(changed.metadata_props) == list(old.metadata_props)
    assert [o.name for o in changed.graph.output] == ["probabilities", "embedding"]


def test_weights_that_serve_two_labels_are_not_folded(model: bytes) -> None:
    shared = onnx.load_from_string(concatenated(model))
    for node in shared.graph.node:
        if node.output[0] == "z1":
            node.input[2] = "b_0"
    parent = bytes(shared.SerializeToString())
    before, _ = run(parent)
    after, _ = run(with_heads(parent, LABELS, {"head": Head(1.0, 2.0)}))
    np.testing.assert_allclose(after[:, 1:], before[:, 1:], atol=2e-6)
    assert (after[:, 0] > before[:, 0]).all()


def test_what_differs_is_refused() -> None:
    assert check_probabilities(np.array([0.5]), np.array([0.50004])) < 1e-4
    for got in (0.501, float("nan")):
        with pytest.raises(AdaptError, match="at most 1e-04 is allowed"):
            check_probabilities(np.array([got]), np.array([0.5]))


def test_the_bundle_itself_is_not_touched(model: bytes) -> None:
    assert (Path(TINY) / "model.onnx").read_bytes() == model

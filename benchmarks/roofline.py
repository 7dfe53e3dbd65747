"""How much of this machine's measured peak the model reaches, and what holds back the rest.

    python benchmarks/roofline.py [BUNDLE] [--batch 8]

The peaks are what the same library does at best in one thread: a plain matrix product of SIDE x
SIDE in float32 and in int8, and a copy of memory (bytes read and written) of half a gigabyte, piece
by piece. Pieces are short, and the least time counts, so that a busy machine is hardly slower. A
layer is bound by memory where its multiplications per byte are fewer than the machine's at the
ridge, peak / bandwidth (Williams, Waterman & Patterson 2009, doi 10.1145/1498765.1498785), and by
arithmetic elsewhere; the roof over it is the lower of the two. A small batch stays in the caches,
which are faster than memory: more than the roof is then possible. A depthwise convolution has few
multiplications per byte, and no matrix product to be one of.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

import numpy as np
import onnxruntime as ort
from machine import describe
from onnx import TensorProto, helper
from profile_model import Layer, convolutions, in_int8, layers

from androscope.model.bundle import load_bundle

SIDE = 512


def least(call: object, seconds: float = 1.5) -> float:
    """Least seconds of ``call`` over repetitions: what it takes when nothing interrupts it."""
    call()  # type: ignore[operator]
    best, end = np.inf, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()  # type: ignore[operator]
        best = min(best, time.perf_counter() - start)
    return float(best)


def product(kind: str) -> float:
    """Multiply-adds per second of a SIDE x SIDE x SIDE product in one thread."""
    integer = kind == "int8"
    left = TensorProto.UINT8 if integer else TensorProto.FLOAT
    right = TensorProto.INT8 if integer else TensorProto.FLOAT
    out = TensorProto.INT32 if integer else TensorProto.FLOAT
    random = np.random.default_rng(0)
    weights = random.integers(-63, 64, (SIDE, SIDE)).astype(np.int8 if integer else np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger" if integer else "MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", left, [SIDE, SIDE])],
        [helper.make_tensor_value_info("y", out, [SIDE, SIDE])],
        [helper.make_tensor("w", right, weights.shape, weights.tobytes(), raw=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    x = random.integers(0, 255, (SIDE, SIDE)).astype(np.uint8 if integer else np.float32)
    return SIDE**3 / least(lambda: session.run(None, {"x": x}))


def bandwidth() -> float:
    """Bytes per second that one thread moves in a copy of 256 MB, in pieces."""
    source = np.ones((32, 2**20), np.float64)
    target = np.empty_like(source)
    best = np.inf
    for _ in range(8):
        for one, other in zip(target, source, strict=True):
            start = time.perf_counter()
            np.copyto(one, other)
            best = min(best, time.perf_counter() - start)
    return float(2 * source[0].nbytes / best)


def show(title: str, found: list[Layer], peak: float, stream: float) -> None:
    """Print, kind by kind, what is reached of the peak and of the roof."""
    whole = sum(layer.seconds for layer in found)
    macs = sum(layer.macs for layer in found)
    print(
        f"\n{title}: {1e3 * whole:.3f} ms per crop in one thread, {macs / 1e6:.0f} million MAC: "
        f"{macs / whole / 1e9:.1f} GMAC/s, {macs / whole / peak:.0%} of its matrix product's"
    )
    print(
        f"  {'kind':<16}{'time':>6}{'MACs':>6}{'MAC/byte':>10}{'of peak':>9}"
        f"{'of memory':>11}{'of roof':>9}  bound by"
    )
    kinds: dict[str, list[Layer]] = defaultdict(list)
    for layer in found:
        kinds[layer.kind if layer.macs else "all others"].append(layer)
    for kind, members in sorted(kinds.items(), key=lambda item: -sum(m.seconds for m in item[1])):
        seconds = sum(m.seconds for m in members)
        own, moved = sum(m.macs for m in members), sum(m.moved for m in members)
        # A layer cannot be faster than its arithmetic, nor than its bytes.
        roof = sum(max(m.macs / peak, m.moved / stream) for m in members)
        memory = sum(m.moved / stream for m in members if m.moved / stream >= m.macs / peak)
        bound = "memory" if memory > roof / 2 else "arithmetic"
        if roof < seconds / 3:
            bound += ", and neither is reached"
        print(
            f"  {kind:<16}{seconds / whole:>6.0%}{own / macs:>6.0%}{own / moved:>10.1f}"
            f"{own / seconds / peak:>9.0%}{moved / seconds / stream:>11.0%}{roof / seconds:>9.0%}"
            f"  {bound}"
        )


def main() -> None:
    """Measure the peaks, then the bundle in float32 and in int8."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", nargs="?", default="dmtl-lite0")
    parser.add_argument("--batch", type=int, default=8)
    arguments = parser.parse_args()
    print(describe())
    bundle = load_bundle(arguments.bundle)
    peaks = {kind: product(kind) for kind in ("float32", "int8")}
    stream = bandwidth()
    for kind, peak in peaks.items():
        print(
            f"{kind + ' product':<16}{peak / 1e9:>7.1f} GMAC/s in one thread; "
            f"ridge at {peak / stream:.1f} MAC/byte"
        )
    print(f"{'memory, copied':<16}{stream / 1e9:>7.1f} GB/s")
    known, size = convolutions(bundle.model), bundle.card.input.size
    title = f"{bundle.card.name} {bundle.card.version}"
    for kind, model in (("float32", bundle.model), ("int8", in_int8(bundle))):
        found = layers(model, known, arguments.batch, size)
        show(f"{title}, {kind}", found, peaks[kind], stream)


if __name__ == "__main__":
    main()

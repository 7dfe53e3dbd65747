"""Where the time of one grading goes: every operator of a bundle's graph, timed in one thread.

    python benchmarks/profile_model.py [BUNDLE ...] [--batch 32] [--top 12]

onnxruntime's own profiler; of each operator the least of all runs is taken, which is what it takes
when nothing interrupts it. Without a bundle the shipped one is profiled, and beside it the same in
int8, quantised on the spot (on rendered sperm: for the time it does not matter on which).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from machine import describe

from androscope.imaging.phantom_set import phantom_set
from androscope.learning.int8.graph import quantise_graph
from androscope.model.bundle import Bundle, load_bundle
from androscope.model.session import INPUT
from androscope.types import UInt8Array


@dataclass(frozen=True)
class Layer:
    """One operator as it is executed.

    ``macs`` are multiplications of a convolution for one crop, ``moved`` the bytes it reads and
    writes, weights shared by the batch included; ``kind`` tells convolutions apart.
    """

    name: str
    kind: str
    seconds: float
    macs: int
    moved: int
    shape: str


def crops(count: int, size: int) -> UInt8Array:
    """Rendered sperm."""
    return np.stack([p.pixels for p in phantom_set(min(count, 64), 0, size=size)])[:count]


def in_int8(bundle: Bundle) -> bytes:
    """The bundle's model in int8."""
    return quantise_graph(bundle.model, crops(64, bundle.card.input.size))


def convolutions(model: bytes) -> list[tuple[str, int]]:
    """Kind and multiplications per crop of every convolution of a float32 model, in order."""
    graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(model)).graph
    weights = {i.name: tuple(i.dims) for i in graph.initializer}
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in graph.value_info}
    found = []
    for node in graph.node:
        if node.op_type == "Conv":
            out, inside, height, width = weights[node.input[1]]
            group = next((a.i for a in node.attribute if a.name == "group"), 1)
            if group > 1:
                kind = f"depthwise {height}x{width}"
            else:
                kind = "pointwise 1x1" if height == width == 1 else "stem"
            side = int(np.prod(shapes[node.output[0]][2:]))
            found.append((kind, out * inside * height * width * side))
    return found


def layers(model: bytes, known: list[tuple[str, int]], batch: int, size: int) -> list[Layer]:
    """Profile ``model``; ``known`` are the convolutions of its float32 form."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_profiling = True
    pixels = np.ascontiguousarray(np.resize(crops(batch, size), (batch, size, size)))
    with tempfile.TemporaryDirectory() as temporary:
        options.profile_file_prefix = str(Path(temporary) / "profile")
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        for _ in range(max(6, 256 // batch)):
            session.run(None, {INPUT: pixels})
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    least: dict[str, float] = defaultdict(lambda: np.inf)
    facts: dict[str, dict[str, object]] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            name = event["name"].removesuffix("_kernel_time")
            least[name] = min(least[name], event["dur"] * 1e-6 / batch)
            facts.setdefault(name, event["args"])
    kinds = iter(known)
    found = []
    for name, args in facts.items():
        kind, macs = str(args["op_name"]), 0
        if kind in ("Conv", "QLinearConv"):
            kind, macs = next(kinds)
        moved = sum(int(str(args[k])) for k in ("activation_size", "output_size")) // batch
        moved += int(str(args["parameter_size"])) // batch
        shape = str(next(iter(args["output_type_shape"][0].values()))[1:])  # type: ignore[index]
        found.append(Layer(name, kind, least[name], macs, moved, shape))
    return found


def show(title: str, found: list[Layer], batch: int, top: int) -> None:
    """Print the table of kinds and the slowest layers."""
    whole = sum(layer.seconds for layer in found)
    print(f"\n{title}: {1e3 * whole:.3f} ms per crop in one thread, batch {batch}")
    print(f"  {'kind':<20}{'layers':>7}{'us':>8}{'share':>7}{'GMAC/s':>8}{'GB/s':>7}")
    kinds: dict[str, list[Layer]] = defaultdict(list)
    for layer in found:
        kinds[layer.kind].append(layer)
    for kind, members in sorted(kinds.items(), key=lambda item: -sum(m.seconds for m in item[1])):
        seconds = sum(m.seconds for m in members)
        if seconds < 0.002 * whole:
            continue
        macs = sum(m.macs for m in members)
        rate = f"{macs / seconds / 1e9:.1f}" if macs else "-"
        moved = sum(m.moved for m in members) / seconds / 1e9
        print(
            f"  {kind:<20}{len(members):>7}{1e6 * seconds:>8.0f}{seconds / whole:>7.0%}"
            f"{rate:>8}{moved:>7.1f}"
        )
    for layer in sorted(found, key=lambda item: -item.seconds)[:top]:
        print(f"    {1e6 * layer.seconds:>7.1f} us  {layer.kind:<18}{layer.shape}")


def main() -> None:
    """Profile what is named, or the shipped bundle and its int8."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundles", nargs="*")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--top", type=int, default=12)
    arguments = parser.parse_args()
    print(describe())
    shipped = load_bundle("dmtl-lite0")  # an int8 bundle is measured against its float32
    known, size = convolutions(shipped.model), shipped.card.input.size
    for name in arguments.bundles or ["dmtl-lite0"]:
        bundle = load_bundle(name)
        if bundle.card.int8 is None:
            known, size = convolutions(bundle.model), bundle.card.input.size
        title = f"{bundle.card.name} {bundle.card.version}"
        found = layers(bundle.model, known, arguments.batch, size)
        show(title, found, arguments.batch, arguments.top)
        if not arguments.bundles:
            found = layers(in_int8(bundle), known, arguments.batch, size)
            show(f"{title} in int8", found, arguments.batch, arguments.top)


if __name__ == "__main__":
    main()

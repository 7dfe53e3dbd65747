"""Which way of making heat maps is the most faithful, on validation crops and phantoms.

    python benchmarks/heat_maps.py [--crops 24] [--phantoms 24] [--picture FILE]

Prints, for each way, the areas under the deletion (lower is better) and insertion (higher is
better) curves per label, and how many peaks are on a vacuole of phantoms that are called abnormal.
The class activation map (Zhou et al. 2016) is exact for the shipped bundle, whose branches are
linear after pooling; it needs one more output of the graph, which is added here with `onnx`.
`--picture` writes the page's picture instead: maps over phantoms.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import islice

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper
from PIL import Image

from androscope.datasets import load
from androscope.explanation import Explained, explain_crop, overlay
from androscope.imaging.phantom_set import clear_phantoms
from androscope.imaging.sheet import contact_sheet, write_png
from androscope.learning.trust.explain_section import TOLERANCE, grade_by, misses
from androscope.learning.trust.faithfulness import areas, centre_prior, random_map
from androscope.model.bundle import Bundle, load_bundle
from androscope.model.saliency import Grade, discs, heat_maps, log_odds, painted
from androscope.model.session import INPUT, Session
from androscope.predict import Grader
from androscope.types import FloatArray, UInt8Array, Verdict

Maps = Callable[[UInt8Array], FloatArray]


def class_activation(bundle: Bundle) -> Maps:
    """Maps ``(N, L, S, S)`` from the last feature map and the branches' weights."""
    model = onnx.load_from_string(bundle.model)
    made = {output: node for node in model.graph.node for output in node.output}
    pooled = made[made["embedding"].input[0]]
    features = pooled.input[0]
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(features))
    values = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    linear = [
        values[node.input[1]] for node in model.graph.node
        if node.op_type == "Gemm" and node.input[0] == "embedding"
    ]  # fmt: skip
    if len(linear) != len(bundle.card.labels):
        raise SystemExit("the branches are not linear after pooling: there is no such map")
    weights = np.concatenate(linear)
    session = ort.InferenceSession(model.SerializeToString())

    def maps(crops: UInt8Array) -> FloatArray:
        seen = np.concatenate([session.run([features], {INPUT: c[None]})[0] for c in crops])
        coarse = np.einsum("lc,nchw->nlhw", weights, seen).astype(np.float32)
        size = crops.shape[1:]
        return np.stack(
            [[Image.fromarray(m).resize(size, Image.Resampling.BICUBIC) for m in n] for n in coarse]
        )

    return maps


def occlusion(grade: Grade, radius: float, row: int) -> Maps:
    """Maps of what hiding a disc takes, alone."""

    def maps(crops: UInt8Array) -> FloatArray:
        masks = discs(crops.shape[1], radius, row)
        flat = masks.reshape(len(masks), -1)
        found = []
        for crop in crops:
            fall = log_odds(grade(crop[None])) - log_odds(grade(painted(crop, masks)))
            found.append((fall.T @ (flat / flat.sum(0))).reshape(-1, *crop.shape))
        return np.stack(found).astype(np.float32)

    return maps


def picture(path: str) -> None:
    """Two phantoms with vacuoles, one with a narrow head, one without a defect, explained."""
    grader = Grader(grade_anyway=True)
    shown = []
    for part, label, count in (("vacuole", "vacuole", 2), ("head", "head", 1), (None, "head", 1)):
        wanted = Verdict.NORMAL if part is None else Verdict.ABNORMAL
        found = (explain_crop(p.crop, grader) for p in clear_phantoms(part, 12, 23))
        kept = (
            item for item in found
            if isinstance(item, Explained) and item.assessment[label].verdict is wanted
        )  # fmt: skip
        shown += [overlay(item, label) for item in islice(kept, count)]
    write_png(path, contact_sheet(shown, columns=2, scale=1))


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=24)
    parser.add_argument("--phantoms", type=int, default=24)
    parser.add_argument("--picture", metavar="FILE")
    wanted = parser.parse_args()
    if wanted.picture:
        picture(wanted.picture)
        return
    bundle = load_bundle()
    grade, card = grade_by(Session(bundle)), bundle.card
    valid = load("mhsma", crop_size=card.input.size).splits["valid"].crops
    rows = np.sort(np.random.default_rng(0).permutation(len(valid))[: wanted.crops])
    crops = valid[rows]
    called = grade(crops) >= np.asarray(card.threshold_list(), np.float32)
    vacuole = card.labels.index("vacuole")
    phantoms = [
        p for p in clear_phantoms("vacuole", wanted.phantoms, 6)
        if grade(p.pixels[None])[0, vacuole] >= card.thresholds["vacuole"]
    ]  # fmt: skip
    pictures = np.stack([p.pixels for p in phantoms])
    size, count = card.input.size, len(card.labels)
    ways: dict[str, Maps] = {
        "a random map": lambda c: np.stack(
            [[random_map(size, n, k) for k in range(count)] for n in range(len(c))]
        ),
        "a centre prior": lambda c: np.tile(centre_prior(size), (len(c), count, 1, 1)),
        "class activation map": class_activation(bundle),
        "hidden, radius 9 px": occlusion(grade, 9 / 64, 11),
        "hidden, radius 14 px": occlusion(grade, 14 / 64, 9),
        "hidden and alone, radius 14 px (used)": lambda c: heat_maps(grade, c),
    }
    print(f"{len(crops)} validation crops, {len(phantoms)} phantoms; {', '.join(card.labels)}")
    for name, way in ways.items():
        maps = way(crops)
        found = np.array(
            [
                [
                    (a.deletion, a.insertion)
                    for label in range(count)
                    for a in areas(
                        grade, crop, [maps[n, label] * (1 if called[n, label] else -1)], label,
                        abnormal=bool(called[n, label]),
                    )
                ]
                for n, crop in enumerate(crops)
            ]
        ).mean(0)  # fmt: skip
        away = [misses(m, p) for m, p in zip(way(pictures)[:, vacuole], phantoms, strict=True)]
        on = sum(a <= TOLERANCE * size for a in away)
        deletion, insertion = (" ".join(f"{v:.3f}" for v in found[:, k]) for k in (0, 1))
        print(
            f"{name:<38} deletion {deletion}  insertion {insertion}  on a vacuole {on} of "
            f"{len(phantoms)}", flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()

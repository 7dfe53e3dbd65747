"""Which way of making heat maps is the most faithful, on validation crops and phantoms.

    python benchmarks/heat_maps.py [--crops 24] [--phantoms 24] [--picture FILE]

Prints, for each way, how many peaks are on a vacuole of phantoms that are called abnormal, and for
each label and verdict what it gains in the areas under the deletion and insertion curves (above 0
is better) on a random map and on a centre prior, and how many peaks are off the crop's middle.
The class activation map (Zhou et al. 2016) is exact for the shipped bundle, whose branches are
linear after pooling; it needs one more output of the graph, which is added here with `onnx`.
`--picture` writes the page's picture instead: maps over phantoms.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper
from PIL import Image

from androscope.datasets import load
from androscope.explanation import Explained, explain_crop, overlay
from androscope.imaging.filters import border_grey
from androscope.imaging.phantom_set import clear_phantoms
from androscope.imaging.sheet import contact_sheet, write_png
from androscope.learning.trust.explain_curves import OFF_CENTRE
from androscope.learning.trust.explain_section import grade_by, misses
from androscope.learning.trust.faithfulness import areas, centre_prior, random_map
from androscope.model.bundle import Bundle, load_bundle
from androscope.model.saliency import Grade, discs, filled_in, heat_maps, log_odds
from androscope.model.session import INPUT, Session
from androscope.predict import Grader
from androscope.types import FloatArray, UInt8Array, Verdict

Maps = Callable[[UInt8Array], FloatArray]
Hide = Callable[[UInt8Array, FloatArray], UInt8Array]


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


def painted(crop: UInt8Array, masks: FloatArray) -> UInt8Array:
    """A crop ``(S, S)`` with each mask ``(K, S, S)`` painted over in its background's grey."""
    left = crop + masks * (np.float32(border_grey(crop)) - crop.astype(np.float32))
    return np.asarray(np.floor(left + np.float32(0.5)), np.uint8)


def occlusion(
    grade: Grade, radius: float, row: int, hide: Hide = painted, *, alone: bool = False
) -> Maps:
    """Maps of what hiding a disc takes; with ``alone``, also of what the disc alone gives."""

    def maps(crops: UInt8Array) -> FloatArray:
        masks = discs(crops.shape[1], radius, row)
        flat = masks.reshape(len(masks), -1)
        found = []
        for crop in crops:
            fall = log_odds(grade(crop[None])) - log_odds(grade(hide(crop, masks)))
            if alone:
                empty = hide(crop, np.ones((1, *crop.shape), np.float32))
                given = log_odds(grade(hide(crop, 1 - masks))) - log_odds(grade(empty))
                fall = (fall + given) / 2
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
    # Half of them called abnormal in some part: most crops are not.
    order = np.random.default_rng(0).permutation(len(valid))
    limits = np.asarray(card.threshold_list(), np.float32)
    some = (grade(valid[order]) >= limits).any(1)
    half = wanted.crops // 2
    rows = np.sort(np.concatenate([order[some][:half], order[~some][: wanted.crops - half]]))
    crops = valid[rows]
    called = grade(crops) >= limits
    vacuole = card.labels.index("vacuole")
    phantoms = [
        p for p in clear_phantoms("vacuole", wanted.phantoms, 6)
        if grade(p.pixels[None])[0, vacuole] >= card.thresholds["vacuole"]
    ]  # fmt: skip
    pictures = np.stack([p.pixels for p in phantoms])
    size, count = card.input.size, len(card.labels)
    ways: dict[str, Maps] = {
        "class activation map": class_activation(bundle),
        "painted grey, hidden and alone, radius 14 px": occlusion(grade, 14 / 64, 9, alone=True),
        "painted grey, hidden, radius 14 px": occlusion(grade, 14 / 64, 9),
        "filled in, radius 9 px": occlusion(grade, 9 / 64, 9, filled_in),
        "filled in, radius 11 px": occlusion(grade, 11 / 64, 9, filled_in),
        "filled in, radii 7 and 11 px (used)": lambda c: heat_maps(grade, c),
    }
    print(f"{len(crops)} validation crops, {len(phantoms)} phantoms; {', '.join(card.labels)}")
    chance = np.stack(
        [[random_map(size, 1, n, k) for k in range(count)] for n in range(len(crops))]
    )
    # The verdict's sign is put to every map: the centre speaks for either.
    signs = np.where(called, 1, -1)[..., None, None]
    middle = np.tile(centre_prior(size), (len(crops), count, 1, 1)) * signs
    base = [_areas(grade, crops, prior, called) for prior in (chance, middle)]
    for name, way in ways.items():
        maps = way(crops)
        found = _areas(grade, crops, maps, called)
        away = [misses(m, p) for m, p in zip(way(pictures)[:, vacuole], phantoms, strict=True)]
        on = ", ".join(f"{sum(a <= near for a in away)} within {near} px" for near in (0, 2, 4))
        print(f"{name}: on a vacuole of {len(phantoms)}: {on}", flush=True)
        for k, label in enumerate(card.labels):
            for verdict, chosen in (("normal", ~called[:, k]), ("abnormal", called[:, k])):
                if chosen.any():
                    told = "; ".join(
                        f"{prior}: deletion {gain[0]:+.3f}, insertion {gain[1]:+.3f}"
                        for prior, gain in (
                            (what, ((found - other) * (-1, 1))[chosen, k].mean(0))
                            for what, other in zip(("random", "centre"), base, strict=True)
                        )
                    )
                    off = _off_centre(maps[chosen, k], abnormal=verdict == "abnormal")
                    print(
                        f"  {label} called {verdict} ({chosen.sum()}): gain on {told}; "
                        f"peak off the middle {off:.0%}", flush=True,
                    )  # fmt: skip


def _areas(grade: Grade, crops: UInt8Array, maps: FloatArray, called: Any) -> Any:
    """Areas under the curves of deletion and insertion, ``(N, L, 2)``."""
    return np.array(
        [
            [
                (a.deletion, a.insertion)
                for label in range(maps.shape[1])
                for a in areas(
                    grade, crop, [maps[n, label] * (1 if called[n, label] else -1)], label,
                    abnormal=bool(called[n, label]),
                )
            ]
            for n, crop in enumerate(crops)
        ]
    )  # fmt: skip


def _off_centre(maps: FloatArray, *, abnormal: bool) -> float:
    """Share of maps whose peak is more than 20 px of 64 from the crop's centre."""
    size = maps.shape[-1]
    flat = (maps if abnormal else -maps).reshape(len(maps), -1)
    y, x = np.unravel_index(flat.argmax(1), maps.shape[1:])
    away = np.hypot(y - (size - 1) / 2, x - (size - 1) / 2)
    return float((away > OFF_CENTRE * size).mean())


if __name__ == "__main__":
    main()

"""A lab whose labels the tiny bundle grades badly, in a way that is known."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from androscope.datasets import LabelledCrops
from androscope.model.bundle import Bundle, load_bundle
from androscope.model.session import Session
from androscope.types import UInt8Array

TINY = Path(__file__).resolve().parent.parent.parent / "data" / "tiny-bundle"
LABELS = ("head", "acrosome", "vacuole")


def blocks(n: int, seed: int = 0) -> UInt8Array:
    """``(n, 64, 64)`` crops that the tiny bundle, which pools to 8 x 8, tells apart."""
    draw = np.random.default_rng(seed)
    return draw.integers(0, 256, (n, 8, 8), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)


def lab(
    n: int = 80, *, seed: int = 0, patients: int | None = None, bundle: Bundle | None = None
) -> LabelledCrops:
    """Crops whose labels follow the bundle's embedding, in other directions than its own heads.

    *head* follows the embedding's first number; *acrosome* is drawn by the bundle's probability
    with an offset of 3 in its logit, so that a calibration can mend it; *vacuole* is what the
    bundle says, by chance of its probability, so that nothing is to be gained.
    """
    bundle = bundle or load_bundle(TINY)
    crops = blocks(n, seed)
    found = Session(bundle, threads=1).predict(crops)
    draw = np.random.default_rng(seed + 1)
    chance = draw.random((n, 3))
    logits = np.log(found.probabilities) - np.log1p(-found.probabilities)
    wanted = np.stack(
        [
            9 * (found.embeddings[:, 0] - np.median(found.embeddings[:, 0])),
            0.3 * (logits[:, 1] - np.median(logits[:, 1])),
            logits[:, 2],
        ],
        axis=1,
    )
    labels = (chance < 1 / (1 + np.exp(-wanted))).astype(np.int8)
    names = None
    if patients is not None:
        names = tuple(f"p{number}" for number in draw.integers(0, patients, n))
    return LabelledCrops(crops, labels, LABELS, tuple(f"c{i}" for i in range(n)), names)


def write(folder: Path, crops: LabelledCrops, **columns: list[str]) -> Path:
    """Write crops with a table; gives the table."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "labels.csv"
    with table.open("w", newline="") as stream:
        writer = csv.writer(stream)
        extra = {} if crops.patients is None else {"patient": list(crops.patients)}
        extra |= columns
        writer.writerow(["path", *crops.label_names, *extra])
        for i, pixels in enumerate(crops.crops):
            Image.fromarray(pixels).save(folder / f"{i}.png")
            values = ["" if v < 0 else str(v) for v in crops.labels[i]]
            writer.writerow([f"{i}.png", *values, *(column[i] for column in extra.values())])
    return table

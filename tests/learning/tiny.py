"""A data set and a configuration that train in a second: discs and rings, timm's smallest network.

Run as a program (``python tiny.py FOLDER KEY=VALUE...``) it trains and prints a line per epoch, for
tests that kill it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from androscope.datasets import Dataset, LabelledCrops

LABELS = ("head", "vacuole")
SIZE = 32

#: Overrides on the shipped dmtl configuration.
QUICK = (
    "labels=[head, vacuole]",
    f"data.crop_size={SIZE}",
    "backbone.name=test_efficientnet",
    "backbone.weights=random",
    "backbone.input_size=32",
    "stage1.epochs=4",
    "stage1.batch_size=16",
    "stage1.optimizer.lr=0.003",
    "stage2.views=2",
    "stage2.default.epochs=3",
    "trainer.accelerator=cpu",
    "trainer.threads=1",
)


def discs(n: int, *, seed: int = 0, gaps: float = 0.0, prefix: str = "c") -> LabelledCrops:
    """Crops of 32 px with a disc; bright where *head* is abnormal, hollow where *vacuole* is."""
    generator = np.random.default_rng(seed)
    labels = (generator.random((n, 2)) < 0.4).astype(np.int8)
    labels[:4] = np.array([[0, 0], [1, 1], [0, 1], [1, 0]])[:n]
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    radius = np.hypot(x, y)
    pixels = generator.normal(100, 8, (n, SIZE, SIZE))
    pixels += (radius < 10) * (20 + 60 * labels[:, 0, None, None])
    pixels -= (radius < 4) * (60 * labels[:, 1, None, None])
    labels[generator.random(labels.shape) < gaps] = -1
    return LabelledCrops(
        crops=np.clip(pixels, 0, 255).astype(np.uint8),
        labels=labels,
        label_names=LABELS,
        ids=tuple(f"{prefix}/{i}" for i in range(n)),
    )


def dataset(gaps: float = 0.0) -> Dataset:
    """Train and valid of 64 and 32 crops. No test: training must not ask for it."""
    splits = {
        "train": discs(64, seed=1, gaps=gaps, prefix="train"),
        "valid": discs(32, seed=2, prefix="valid"),
    }
    return Dataset(name="discs", splits=splits)


if __name__ == "__main__":
    from androscope.learning.config_file import load_config
    from androscope.learning.run import train

    train(
        load_config("dmtl", [*QUICK, *sys.argv[2:]]),
        Path(sys.argv[1]),
        dataset=dataset(),
        report=lambda line: print(line, flush=True),  # noqa: T201
    )

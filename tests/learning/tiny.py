"""A data set and a configuration that train in a second: discs and rings, timm's smallest network.

Run as a program (``python tiny.py FOLDER KEY=VALUE...``) it trains and prints a line per epoch, for
tests that kill it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from androscope.datasets import Dataset, LabelledCrops
from androscope.learning.config import Config
from androscope.learning.config_file import parse_config

LABELS = ("head", "vacuole")
SIZE = 32

#: Not a shipped configuration: those are tuned, and tests would change with them.
QUICK = f"""
name: tiny
method: dmtl
labels: [head, vacuole]
data: {{dataset: discs, crop_size: {SIZE}}}
backbone: {{name: test_efficientnet, weights: random, input_size: 32}}
stage1: {{epochs: 4, batch_size: 16, optimizer: {{lr: 0.003}}}}
stage2: {{views: 2, default: {{epochs: 3}}}}
trainer: {{accelerator: cpu, threads: 1}}
"""


def config(*changes: str) -> Config:
    """The quick configuration with ``KEY=VALUE`` changes."""
    return parse_config(QUICK, "tiny.yaml", changes)


def discs(
    n: int, *, seed: int = 0, gaps: float = 0.0, wrong: float = 0.0, prefix: str = "c"
) -> LabelledCrops:
    """Crops of 32 px with a disc; bright where *head* is abnormal, hollow where *vacuole* is.

    A share ``gaps`` of the labels is missing, a share ``wrong`` is wrong.
    """
    generator = np.random.default_rng(seed)
    labels = (generator.random((n, 2)) < 0.4).astype(np.int8)
    labels[:4] = np.array([[0, 0], [1, 1], [0, 1], [1, 0]])[:n]
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    radius = np.hypot(x, y)
    pixels = generator.normal(100, 8, (n, SIZE, SIZE))
    pixels += (radius < 10) * (20 + 60 * labels[:, 0, None, None])
    pixels -= (radius < 4) * (60 * labels[:, 1, None, None])
    labels[generator.random(labels.shape) < wrong] ^= 1
    labels[generator.random(labels.shape) < gaps] = -1
    return LabelledCrops(
        crops=np.clip(pixels, 0, 255).astype(np.uint8),
        labels=labels,
        label_names=LABELS,
        ids=tuple(f"{prefix}/{i}" for i in range(n)),
    )


def dataset(gaps: float = 0.0, wrong: float = 0.0) -> Dataset:
    """Train and valid of 64 and 32 crops. No test: training must not ask for it."""
    splits = {
        "train": discs(64, seed=1, gaps=gaps, wrong=wrong, prefix="train"),
        "valid": discs(32, seed=2, prefix="valid"),
    }
    return Dataset(name="discs", splits=splits)


if __name__ == "__main__":
    from androscope.learning.run import train

    train(
        config(*sys.argv[2:]),
        Path(sys.argv[1]),
        dataset=dataset(),
        report=lambda line: print(line, flush=True),  # noqa: T201
    )

"""Milliseconds per image and training step of a shipped configuration, all parts learned.

    python benchmarks/step_time.py dmtl --batch 32

The step is the real one of stage 1: augment, forward, loss, backward, clip, optimiser, average. The
weights are random and the crops are noise: neither changes the time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from androscope.learning.batches import derived_seed
from androscope.learning.config_file import load_config
from androscope.learning.module import JointModule
from androscope.learning.network import build_network
from androscope.learning.optimizers import build_optimizer


def training_step(name: str, batch: int) -> Callable[[], None]:
    """One step of stage 1 of the shipped configuration ``name``, ready to be called."""
    config = load_config(name, ["backbone.weights=random"])
    torch.manual_seed(config.seed)
    network = build_network(config).to(memory_format=torch.channels_last)
    module = JointModule(network, config).train()
    optimizer = build_optimizer(network, config.stage1.optimizer)
    source = np.random.default_rng(derived_seed(config.seed, "benchmark"))
    side = config.data.crop_size
    crops = torch.from_numpy(source.integers(60, 190, (batch, side, side), dtype=np.uint8))
    labels = torch.from_numpy(source.integers(0, 2, (batch, len(config.labels)), dtype=np.int8))
    half = config.trainer.precision == "bf16-mixed"
    clip = config.stage1.optimizer.clip
    module.log = lambda *_, **__: None  # type: ignore[method-assign,assignment]

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = module.training_step((crops, labels), 0)
        optimizer.zero_grad()
        loss.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
        optimizer.step()
        module.on_train_batch_end(None, None, 0)

    return step


def main() -> None:
    """Print the median."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", default="dmtl")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    step = training_step(arguments.config, arguments.batch)
    times = []
    for _ in range(arguments.steps + 3):
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e3 / arguments.batch)
    print(
        f"{arguments.config}: {statistics.median(times[3:]):.2f} ms per image and training step "
        f"(batch {arguments.batch}, {torch.get_num_threads()} threads of {os.cpu_count()} cores)"
    )


if __name__ == "__main__":
    main()

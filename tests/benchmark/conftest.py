"""A small board and the labels it is about, so that no test needs MHSMA or its numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from androscope.benchmark.entries import Board, DatasetInfo, Entry, Reference
from androscope.datasets import Dataset, LabelledCrops
from androscope.learning.summary import Measured

N = 40
IDS = tuple(f"test/{i}" for i in range(N))
LABELS = ("head", "tail")
TRUTH = (np.random.default_rng(5).random((N, 2)) < (0.3, 0.2)).astype(np.int8)


def info(**changes: object) -> DatasetInfo:
    counts = {
        name: (int((t == 0).sum()), int(t.sum())) for name, t in zip(LABELS, TRUTH.T, strict=True)
    }
    values = {
        "name": "discs",
        "title": "Discs",
        "task": "Is it round?",
        "split": "test",
        "crops": N,
        "labels": counts,
        "licence": "CC0",
        "source": {"text": "drawn here", "url": "https://example.org/discs"},
    }
    return DatasetInfo.model_validate(values | changes)


def entry(name: str = "net", value: float = 0.8, **changes: object) -> Entry:
    values = {
        "name": name,
        "dataset": "discs",
        "date": "2020",
        "protocol": "official",
        "scores": {"head": {"accuracy": Measured(value=value)}},
        "source": Reference(text="a paper"),
    }
    return Entry.model_validate(values | changes)


def board(*entries: Entry) -> Board:
    return Board(datasets=(info(),), entries=entries)


def write_predictions(path: Path, columns: dict[str, object], ids: object = IDS) -> Path:
    """A file of predictions: columns of N values, or one value for all."""
    names = list(ids)  # type: ignore[call-overload]
    cells = [v if isinstance(v, list) else [v] * len(names) for v in columns.values()]
    lines = [",".join(["id", *columns])]
    lines += [",".join(map(str, row)) for row in zip(names, *cells, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def chances(seed: int = 0) -> list[float]:
    """Probabilities that know a little of the label of the head."""
    noise = np.random.default_rng(seed).normal(0, 0.2, N)
    return [round(float(v), 4) for v in np.clip(0.3 + 0.3 * TRUTH[:, 0] + noise, 0, 1)]


@pytest.fixture
def discs(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The data set that the board is about, loaded whenever a data set is asked for."""
    crops = LabelledCrops(np.zeros((N, 8, 8), np.uint8), TRUTH, LABELS, IDS)
    found = Dataset(
        name="discs",
        splits={"test": crops},
        file_hashes={"y_head_test.npy": "a" * 64, "y_tail_test.npy": "b" * 64},
    )
    monkeypatch.setattr("androscope.datasets.load", lambda *a, **k: found)
    return found

from __future__ import annotations

import pytest

from androscope.datasets import Dataset

from .small import dataset


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The discs, loaded whenever a data set is asked for; and no pictures of each evaluation."""
    found = dataset()

    def load(name: str, *, crop_size: int = 64, labels: object = None, **_: object) -> Dataset:
        return found if labels is None else found.with_labels(labels)  # type: ignore[arg-type]

    monkeypatch.setattr("androscope.datasets.load", load)
    for name in ("plot_roc", "plot_calibration", "plot_confusion"):
        monkeypatch.setattr(f"androscope.learning.evaluate.{name}", lambda *a, **k: None)
    return found

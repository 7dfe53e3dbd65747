from __future__ import annotations

from pathlib import Path

import pytest

from androscope.datasets import Dataset

from .small import CONFIG, dataset, guarded


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


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two that held out a half each, one of all crops, two of a half, one of another recipe."""
    from androscope.learning.config_file import parse_config
    from androscope.learning.training import train

    root = tmp_path_factory.mktemp("runs")
    changes = {
        "fold-0": ("seed=0", "data.held_out_folds=2"),
        "fold-1": ("seed=1", "data.held_out_folds=2"),
        "whole": ("seed=0",),
        "part-0": ("seed=0", "data.train_share=0.5"),
        "part-1": ("seed=1", "data.train_share=0.5"),
        "other": ("seed=3", "stage1.optimizer.lr=0.01"),
    }
    for name, keys in changes.items():
        train(parse_config(CONFIG, "c.yaml", keys), root / name, dataset=guarded(), quiet=True)
    return {name: root / name for name in changes}

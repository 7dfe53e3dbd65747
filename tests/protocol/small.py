"""A protocol of tiny networks on discs, done in this process: seconds in place of days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from androscope.datasets import Dataset, LabelledCrops
from androscope.errors import AndroscopeError
from androscope.protocol.work import Job, work

LABELS = ("head", "vacuole")
SIZE = 32

CONFIG = f"""
name: tiny
method: dmtl
labels: [head, vacuole]
data: {{dataset: discs, crop_size: {SIZE}}}
backbone: {{name: test_efficientnet, weights: random, input_size: 32}}
stage1: {{epochs: 1, batch_size: 32, optimizer: {{lr: 0.003}}}}
stage2: {{views: 1, default: {{epochs: 1}}}}
trainer: {{accelerator: cpu, threads: 1}}
"""

DTL = CONFIG.replace("dmtl", "dtl").replace("[head, vacuole]", "[head]").replace("stage2", "#")

PROTOCOL = """
name: small
dataset: discs
labels: [head, vacuole]
seeds: [0, 1]
bootstrap: {resamples: 100}
recipes:
  dmtl: {config: tiny.yaml}
  dtl: {config: dtl.yaml, per_label: true, seeds: [5]}
  ensemble: {ensemble: dmtl}
  taught: {config: tiny.yaml, teachers: dmtl, seeds: [0], set: {teacher.views: 1}}
crossval:
  cv: {config: tiny.yaml, folds: 2}
tried_before: ["An older recipe, once."]
"""


def write_protocol(folder: Path, text: str = PROTOCOL) -> Path:
    """The protocol and its configurations in ``folder``."""
    folder.mkdir(exist_ok=True)
    (folder / "tiny.yaml").write_text(CONFIG)
    (folder / "dtl.yaml").write_text(DTL)
    (folder / "small.yaml").write_text(text)
    return folder / "small.yaml"


def discs(n: int, seed: int, prefix: str) -> LabelledCrops:
    """Crops with a disc; bright where *head* is abnormal, hollow where *vacuole* is."""
    generator = np.random.default_rng(seed)
    labels = (generator.random((n, 2)) < 0.4).astype(np.int8)
    labels[:4] = [[0, 0], [1, 1], [0, 1], [1, 0]]
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    radius = np.hypot(x, y)
    pixels = generator.normal(100, 8, (n, SIZE, SIZE))
    pixels += (radius < 10) * (20 + 60 * labels[:, 0, None, None])
    pixels -= (radius < 4) * (60 * labels[:, 1, None, None])
    return LabelledCrops(
        crops=np.clip(pixels, 0, 255).astype(np.uint8),
        labels=labels,
        label_names=LABELS,
        ids=tuple(f"{prefix}/{i}" for i in range(n)),
    )


def dataset() -> Dataset:
    """Train, valid and test; two test crops stand in train, one in valid too."""
    splits = {
        "train": discs(40, 1, "train"),
        "valid": discs(20, 2, "valid"),
        "test": discs(24, 3, "test"),
    }
    for row, (split, of) in {0: ("train", 7), 5: ("train", 9), 6: ("valid", 3)}.items():
        splits["test"].crops[row] = splits[split].crops[of]
        splits["test"].labels[row] = splits[split].labels[of]
    return Dataset(name="discs", splits=splits)


class NoTest(Mapping[str, LabelledCrops]):
    """Splits with a test split that is there and must not be opened."""

    def __init__(self, splits: Mapping[str, LabelledCrops]) -> None:
        self.splits = splits

    def __getitem__(self, name: str) -> LabelledCrops:
        if name == "test":
            raise AssertionError("test was looked at")
        return self.splits[name]

    def __contains__(self, name: object) -> bool:
        return name in self.splits

    def __iter__(self) -> Iterator[str]:
        return iter(self.splits)

    def __len__(self) -> int:
        return len(self.splits)


def guarded(data: Dataset | None = None) -> Dataset:
    """The discs, or other data, with a test split that must not be looked at."""
    data = dataset() if data is None else data
    return replace(data, splits=NoTest(data.splits))


@dataclass
class Here:
    """Does jobs in this process; those whose name begins with one of ``bad`` fail."""

    bad: tuple[str, ...] = ()
    done: list[str] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    really: bool = True

    def __call__(self, job: Path, log: Path) -> int:
        log.parent.mkdir(parents=True, exist_ok=True)
        told = Job.model_validate_json(job.read_bytes())
        self.jobs.append(told)
        if self.bad and told.name.startswith(self.bad):
            log.write_text("epoch 1\nerror: the loss is no number\n")
            return 2
        try:
            if self.really:
                work(told)
        except AndroscopeError as error:
            log.write_text(f"error: {error}\n")
            return 2
        self.done.append(told.name)
        return 0

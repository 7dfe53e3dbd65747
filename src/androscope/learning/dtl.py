"""Deep transfer learning: one pretrained network per label, all of it fine-tuned.

Abbasi, Miahi & Mirroshandel 2021, the first of the two algorithms: the classifier of an
ImageNet-pretrained network is replaced by dense layers and one sigmoid, and every layer is trained
on for the one label.
"""

from __future__ import annotations

from pathlib import Path

from androscope.datasets import LabelledCrops
from androscope.learning.config import Config
from androscope.learning.epochs import Report, StageResult, Watch
from androscope.learning.joint import train_jointly
from androscope.learning.matching import Matching
from androscope.learning.network import Network
from androscope.types import FloatArray

__all__ = ["train_dtl"]


def train_dtl(
    network: Network,
    train: LabelledCrops,
    valid: LabelledCrops,
    config: Config,
    folder: Path,
    *,
    report: Report,
    bar: bool,
    targets: FloatArray | None = None,
    matching: Matching | None = None,
    watch: Watch | None = None,
) -> StageResult:
    """Fine-tune ``network`` for its one label, in ``folder/stage1``. See :func:`train_jointly`."""
    report(f"{config.labels[0]}: every layer of the network, {config.stage1.epochs} epochs")
    return train_jointly(
        network,
        train,
        valid,
        config,
        folder / "stage1",
        report=report,
        bar=bar,
        targets=targets,
        matching=matching,
        watch=watch,
    )

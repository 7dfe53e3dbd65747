"""Deep multi-task transfer learning: one network for all labels, trained in two stages.

Abbasi, Miahi & Mirroshandel 2021, the second of the two algorithms. Stage 1 trains a shared
pretrained trunk with one head per label jointly and keeps the epoch that serves all labels in
balance. Stage 2 freezes the trunk and trains for each label a branch of its own, with its own
layers and optimiser. One forward pass then grades all labels.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.files import write_text
from androscope.learning.bank import build_bank, state_sha256
from androscope.learning.branches import branch_scores, train_branch
from androscope.learning.config import Config
from androscope.learning.epochs import HISTORY, Report, Row, StageResult, Watch, history_csv
from androscope.learning.joint import train_jointly
from androscope.learning.matching import Matching
from androscope.learning.network import Network
from androscope.learning.selection import better
from androscope.types import FloatArray

__all__ = ["train_stage1", "train_stage2"]


def train_stage1(
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
    """Train trunk and heads jointly over all labels. See :func:`train_jointly`."""
    report(f"stage 1: {', '.join(config.labels)} jointly, {config.stage1.epochs} epochs")
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


def train_stage2(
    network: Network,
    train: LabelledCrops,
    valid: LabelledCrops,
    config: Config,
    folder: Path,
    *,
    report: Report,
    targets: FloatArray | None = None,
) -> dict[str, StageResult]:
    """Freeze the trunk and replace each head by a branch trained for its label alone.

    With ``stage2.fallback``, a head that its branch does not better on validation stays.

    Parameters
    ----------
    network
        As stage 1 left it; its branches are replaced, its trunk is not touched.
    folder
        The run's; each label's history goes to ``folder/stage2/LABEL/history.csv``.
    targets
        See :func:`train_jointly`.

    Returns
    -------
    dict
        Per label, the scores of the kept epoch; of epoch -1 where stage 1's head stayed.
    """
    network.eval().requires_grad_(False)
    before = state_sha256(network.trunk)
    report(f"stage 2: trunk frozen, embedding {config.stage2.views} views of {len(train)} crops")
    bank = build_bank(network, train, valid, config, report, targets)
    results = {}
    for column, label in enumerate(config.labels):
        own = config.stage2.branches.get(label, config.stage2.default)
        branch, result, history = train_branch(label, column, bank, own, seed=config.seed)
        own_folder = folder / "stage2" / label
        write_text(own_folder / HISTORY, history_csv(history))
        _tensorboard(own_folder / "tensorboard", history)
        if config.stage2.fallback:
            stage1 = branch_scores(network.branches[label], bank, column, own.loss)
            if not better(result.best, stage1, own.checkpoint):
                report(
                    f"stage 2: {label}  no better than stage 1's head (valid {stage1.loss:.4f}, "
                    f"accuracy {100 * stage1.accuracies[0]:.1f}), which stays"
                )
                results[label] = replace(result, best=stage1)
                continue
        network.branches[label] = branch
        results[label] = result
        right = result.best.accuracies[0]
        report(
            f"stage 2: {label}  epoch {result.best.epoch + 1} of {result.epochs} kept, "
            f"valid {result.best.loss:.4f}, accuracy {100 * right:.1f}  {result.seconds:.1f} s"
        )
    if state_sha256(network.trunk) != before:
        raise TrainingError(
            "the trunk changed during stage 2, which must leave it frozen",
            path=folder,
            advice="This is a fault of androscope; please report it with the run's config.yaml",
        )
    return results


def _tensorboard(folder: Path, history: list[Row]) -> None:
    # Written anew: a stage 2 that was killed is repeated from its beginning.
    shutil.rmtree(folder, ignore_errors=True)
    with SummaryWriter(folder) as writer:
        for row in history:
            for key, value in row.items():
                if key != "epoch":
                    writer.add_scalar(key, value, int(row["epoch"]))

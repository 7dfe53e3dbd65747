"""What is kept of the epochs of a stage: every one's scores, the best one's weights."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from numpy.typing import NDArray
from torch import Tensor

from androscope.errors import TrainingError
from androscope.files import write_bytes, write_text
from androscope.learning.module import JointModule
from androscope.learning.selection import EpochScores, Rule, better
from androscope.types import FloatArray

__all__ = [
    "HISTORY",
    "EpochKeeper",
    "Report",
    "Row",
    "StageResult",
    "Watch",
    "history_csv",
    "save_state",
]

HISTORY = "history.csv"

Row = dict[str, float]
Report = Callable[[str], None]

#: Told, after an epoch of stage 1, its number from 0, the probabilities ``(N, L)`` that the kept
#: weights give the validation crops, and their labels. What it raises ends the training.
Watch = Callable[[int, FloatArray, NDArray[np.int8]], None]


@dataclass(frozen=True, slots=True)
class StageResult:
    """What one stage came to.

    Attributes
    ----------
    best
        Scores of the kept epoch.
    epochs
        Epochs trained in all, before and after a resume.
    seconds
        Wall time of those epochs.
    earlier_seconds
        The share of it that lies before the last resume.
    """

    best: EpochScores
    epochs: int
    seconds: float
    earlier_seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """For the run's record."""
        record = asdict(self)
        record["best"]["accuracies"] = list(self.best.accuracies)
        return record


def history_csv(rows: list[Row]) -> str:
    """The rows as CSV, every column that any row has, in order of appearance."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def save_state(path: Path, state: dict[str, Tensor]) -> None:
    """Write a plain state dict atomically, contiguous and on the CPU.

    The same tensors give the same bytes, whatever the file is called.
    """
    plain = {k: v.detach().cpu().contiguous().clone() for k, v in state.items()}
    # Saved to memory first: torch writes a path's own name into the archive, and so into its hash.
    content = io.BytesIO()
    torch.save(plain, content)
    write_bytes(path, content.getvalue())


class EpochKeeper(Callback):
    """Writes each epoch's scores, and the weights of the best epoch so far."""

    def __init__(
        self,
        folder: Path,
        rule: Rule,
        labels: tuple[str, ...],
        report: Report,
        watch: Watch | None = None,
    ) -> None:
        self.folder = folder
        self.rule = rule
        self.labels = labels
        self.report = report
        self.watch = watch
        self.best: EpochScores | None = None
        self.history: list[Row] = []
        self.earlier_seconds = 0.0
        self._started = 0.0

    def file_of(self, scores: EpochScores) -> Path:
        """Where the weights of that epoch are kept."""
        return self.folder / f"best-{scores.epoch:04d}.pt"

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers alone: checkpoints load with ``weights_only=True``."""
        best = None
        if self.best is not None:
            best = [self.best.epoch, self.best.loss, list(self.best.accuracies)]
        return {"best": best, "history": self.history}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where the checkpoint was written."""
        self.history = list(state_dict["history"])
        self.earlier_seconds = sum(row["seconds"] for row in self.history)
        if state_dict["best"] is not None:
            epoch, loss, right = state_dict["best"]
            self.best = EpochScores(epoch, loss, tuple(right))

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:  # noqa: ARG002
        """Drop superseded weights, now that the checkpoint that names the new ones is written."""
        self._started = time.monotonic()
        if trainer.is_global_zero and self.best is not None:
            for old in self.folder.glob("best-*.pt"):
                if old != self.file_of(self.best):
                    old.unlink(missing_ok=True)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Score, keep if better, write the row. The checkpoint is written after this."""
        if not isinstance(pl_module, JointModule) or pl_module.scores is None:
            raise TypeError("EpochKeeper scores JointModule, after its validation")
        scores = pl_module.scores
        train_loss = float(trainer.callback_metrics.get("train_loss", math.nan))
        if not math.isfinite(train_loss):
            raise TrainingError(
                f"the training loss of epoch {scores.epoch + 1} is {train_loss}",
                path=self.folder,
                advice="Lower optimizer.lr, set optimizer.clip, or use trainer.precision 32-true",
            )
        kept = better(scores, self.best, self.rule)
        if kept:
            self.best = scores
        row: Row = {"epoch": scores.epoch + 1, "train_loss": train_loss, "valid_loss": scores.loss}
        for label, accuracy in zip(self.labels, scores.accuracies, strict=True):
            row[f"valid_accuracy_{label}"] = accuracy
        row["lr"] = float(trainer.optimizers[0].param_groups[0]["lr"])
        row["kept"] = int(kept)
        row["seconds"] = round(time.monotonic() - self._started, 3)
        self.history.append(row)
        if not trainer.is_global_zero:
            return
        if kept:
            save_state(self.file_of(scores), pl_module.kept.state_dict())
        write_text(self.folder / HISTORY, history_csv(self.history))
        right = "  ".join(
            f"{label} {100 * a:.1f}"
            for label, a in zip(self.labels, scores.accuracies, strict=True)
        )
        self.report(
            f"epoch {scores.epoch + 1:>3}/{trainer.max_epochs}  loss {train_loss:.4f}  "
            f"valid {scores.loss:.4f}  {right}  {row['seconds']:.1f} s{'  kept' if kept else ''}"
        )
        if self.watch is not None and pl_module.answers is not None:
            given, labels = (part.cpu().numpy() for part in pl_module.answers)
            self.watch(scores.epoch, given.astype(np.float32), labels.astype(np.int8))

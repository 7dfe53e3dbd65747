"""Lightning's trainer, assembled for this work: logs, the epoch worth keeping, resuming.

A stage's folder holds ``history.csv`` (one row per epoch), ``tensorboard/``, ``last.ckpt`` (all
that resuming needs) and ``best-NNNN.pt`` (plain weights of the best epoch so far). Each is written
whole or not at all, so a kill at any moment leaves a folder that resumes.
"""

from __future__ import annotations

import csv
import io
import logging
import math
import pickle
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812
import torch
from lightning.pytorch.accelerators import CPUAccelerator
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor
from torch.utils.data import DataLoader

from androscope.errors import ConfigError, TrainingError
from androscope.files import write_bytes, write_text
from androscope.learning.batches import Batch
from androscope.learning.config import Config, TrainerConfig
from androscope.learning.module import JointModule
from androscope.learning.selection import EpochScores, Rule, better

__all__ = ["HISTORY", "LAST", "StageResult", "fit", "history_csv", "save_state", "threads"]

LAST = "last.ckpt"
HISTORY = "history.csv"

Row = dict[str, float]
Report = Callable[[str], None]


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

    def __init__(self, folder: Path, rule: Rule, labels: tuple[str, ...], report: Report) -> None:
        self.folder = folder
        self.rule = rule
        self.labels = labels
        self.report = report
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


@contextmanager
def threads(config: TrainerConfig) -> Iterator[None]:
    """Set torch's threads and determinism for a block, and put back what was there."""
    before = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    if config.threads:
        torch.set_num_threads(config.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(strict, warn_only=warn)


def fit(
    module: JointModule,
    train: DataLoader[Batch],
    valid: DataLoader[Batch],
    folder: Path,
    *,
    report: Report,
    bar: bool,
) -> StageResult:
    """Train ``module`` by its configuration, from ``folder``'s last checkpoint if there is one.

    The weights of the best epoch are loaded into ``module.network`` at the end.

    Raises
    ------
    ConfigError
        If this machine cannot do what ``trainer`` asks (no GPU, an unknown strategy).
    TrainingError
        If the loss is no number, or the checkpoint cannot be read.
    """
    config = module.config
    folder.mkdir(parents=True, exist_ok=True)
    keeper = EpochKeeper(
        folder, config.stage1.checkpoint, config.labels, (lambda _: None) if bar else report
    )
    checkpoint = ModelCheckpoint(
        dirpath=folder,
        filename=LAST.removesuffix(".ckpt"),
        save_top_k=1,
        every_n_epochs=1,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    callbacks: list[Callback] = [keeper, checkpoint]
    if bar:
        callbacks.append(RichProgressBar(leave=False))
    last = folder / LAST
    if last.is_file():
        _readable(last)
    with _quiet_lightning():
        trainer = _trainer(config, folder, callbacks, bar)
        try:
            trainer.fit(
                module,
                train,
                valid,
                ckpt_path=last if last.is_file() else None,
                # A checkpoint is a pickle: load tensors and numbers, nothing else.
                weights_only=True,
            )
        except SystemExit as error:
            # Lightning makes an exit of Ctrl-C; whoever called decides what that means.
            if trainer.interrupted:
                raise KeyboardInterrupt from error
            raise
    if keeper.best is None:
        raise TrainingError("no epoch was trained", path=folder)
    if trainer.is_global_zero:  # The other processes of a group wrote nothing.
        state = torch.load(keeper.file_of(keeper.best), map_location="cpu", weights_only=True)
        module.network.load_state_dict(state)
    seconds = sum(row["seconds"] for row in keeper.history)
    return StageResult(
        keeper.best, len(keeper.history), round(seconds, 3), round(keeper.earlier_seconds, 3)
    )


def _readable(checkpoint: Path) -> None:
    try:
        torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise TrainingError(
            "the checkpoint cannot be read (nothing but tensors and numbers is unpickled)",
            path=checkpoint,
            advice="Start the run over with --no-resume",
        ) from error


def _trainer(run: Config, folder: Path, callbacks: list[Callback], bar: bool) -> L.Trainer:
    config = run.trainer
    logger = TensorBoardLogger(folder, name="tensorboard", version="")
    try:
        trainer = L.Trainer(
            max_epochs=run.stage1.epochs,
            gradient_clip_val=run.stage1.optimizer.clip,
            accelerator=config.accelerator,
            devices=config.devices,
            num_nodes=config.num_nodes,
            strategy=config.strategy,
            precision=config.precision,
            # On a GPU some layers have no deterministic form; there the rest still is.
            deterministic="warn" if config.deterministic else False,
            logger=logger,
            callbacks=callbacks,
            log_every_n_steps=1,
            num_sanity_val_steps=0,
            enable_progress_bar=bar,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
    except (ValueError, RuntimeError, TypeError) as error:
        # Lightning's MisconfigurationException is not part of its public names; it derives from
        # Exception alone in some versions and is caught below.
        raise _unfit(error) from error
    except Exception as error:
        if type(error).__name__ != "MisconfigurationException":
            raise
        raise _unfit(error) from error
    if config.precision == "16-mixed" and isinstance(trainer.accelerator, CPUAccelerator):
        # Lightning would quietly take bfloat16 instead.
        raise _unfit("precision 16-mixed is for GPUs, and this run is on the CPU")
    return trainer


def _unfit(error: Exception | str) -> ConfigError:
    first = str(error).strip().splitlines()[0].rstrip(".")
    return ConfigError(
        f"trainer: this machine cannot do that: {first}",
        advice="Choose accelerator, devices, strategy and precision that it has",
    )


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    # Tips on workers and accelerators that do not apply: the data is in memory on purpose.
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        try:
            yield
        finally:
            logger.setLevel(level)


def on_terminal() -> bool:
    """Whether a progress bar has somebody to look at it."""
    return sys.stdout.isatty()

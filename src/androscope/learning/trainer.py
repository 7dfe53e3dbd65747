"""Lightning's trainer, assembled for this work: logs, the epoch worth keeping, resuming.

A stage's folder holds ``history.csv`` (one row per epoch), ``tensorboard/``, ``last.ckpt`` (all
that resuming needs) and ``best-NNNN.pt`` (plain weights of the best epoch so far). Each is written
whole or not at all, so a kill at any moment leaves a folder that resumes.
"""

from __future__ import annotations

import logging
import pickle
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812
import torch
from lightning.pytorch.accelerators import CPUAccelerator
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from androscope.errors import ConfigError, TrainingError
from androscope.learning.batches import Batch
from androscope.learning.config import Config, TrainerConfig
from androscope.learning.epochs import EpochKeeper, Report, StageResult, Watch
from androscope.learning.module import JointModule
from androscope.learning.ranks import rank

__all__ = ["LAST", "fit", "on_terminal", "threads"]

LAST = "last.ckpt"


@contextmanager
def threads(config: TrainerConfig) -> Iterator[None]:
    """Set torch's threads and determinism for a block, and put back what was there."""
    before = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    # A help in finding reads of memory nobody wrote, at a seventh of the time of a step.
    filling: Any = torch.utils.deterministic
    fill = filling.fill_uninitialized_memory
    filling.fill_uninitialized_memory = False
    if config.threads:
        torch.set_num_threads(config.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(strict, warn_only=warn)
        filling.fill_uninitialized_memory = fill


def fit(
    module: JointModule,
    train: DataLoader[Batch],
    valid: DataLoader[Batch],
    folder: Path,
    *,
    report: Report,
    bar: bool,
    watch: Watch | None = None,
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
    if rank() == 0:  # Another may be here before the first has looked at what the folder holds.
        folder.mkdir(parents=True, exist_ok=True)
    keeper = EpochKeeper(folder, config.stage1.checkpoint, config.labels, report, watch)
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
        callbacks.append(RichProgressBar(leave=False))  # Lines are printed above it.
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

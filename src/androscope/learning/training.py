"""One run from its configuration to its finished folder, started or taken up again."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from androscope import datasets
from androscope.datasets import Dataset, LabelledCrops
from androscope.errors import ConfigError
from androscope.files import sha256_of, write_text
from androscope.learning.batches import derived_seed
from androscope.learning.claim import begin, claim, withdraw
from androscope.learning.config import Config
from androscope.learning.dmtl import train_stage1, train_stage2
from androscope.learning.doubted import without_doubted
from androscope.learning.dtl import train_dtl
from androscope.learning.epochs import Report, StageResult, Watch, save_state
from androscope.learning.held_out import without_fold
from androscope.learning.metrics import scores_by_label
from androscope.learning.network import Network, build_network
from androscope.learning.part import part_of
from androscope.learning.phantoms import with_phantoms
from androscope.learning.plots import plot_run
from androscope.learning.ranks import rank
from androscope.learning.record import data_facts, peak_memory_mb, write_record
from androscope.learning.run import NETWORK, THRESHOLDS, Run, probabilities
from androscope.learning.splits import learnable
from androscope.learning.teacher import load_teachers, matching_of, soft_targets, teacher_facts
from androscope.learning.thresholds import find_thresholds
from androscope.learning.trainer import LAST, on_terminal, threads

__all__ = ["train"]

log = logging.getLogger(__name__)


def train(
    config: Config,
    out: str | Path,
    *,
    resume: bool = True,
    dataset: Dataset | None = None,
    quiet: bool = False,
    report: Report | None = None,
    watch: Watch | None = None,
) -> Run:
    """Train by ``config`` in the folder ``out``, or go on there.

    Parameters
    ----------
    config
        The run. The same configuration, data and machine give the same weights, bit for bit,
        resumed or not (``trainer.deterministic``, on a CPU with the same number of threads).
    out
        The run's folder. A finished run in it is never overwritten.
    resume
        Go on with an unfinished run of the same configuration. False starts it over.
    dataset
        Learn from this instead of loading ``config.data.dataset``.
    quiet
        Neither progress bar nor lines.
    report
        Called with each line of progress; the log by default.
    watch
        Called after each epoch of stage 1 with what the network answers on validation; what it
        raises ends the training, which can be taken up again.

    Raises
    ------
    TrainingError
        If ``out`` holds a finished run, another configuration's, or something else; if the data
        lacks a split or a class, or differs from the unfinished run's; if the loss is no number.
    ConfigError, WeightsError, DataError
        If the configuration asks for what this machine does not have.
    """
    out = Path(out)
    main = rank() == 0
    say: Report = (report or log.info) if main and not quiet else lambda _: None
    bar = main and not quiet and on_terminal()
    started = time.monotonic()
    earlier = claim(out, config, resume=resume) if main else None
    if dataset is None:
        dataset = datasets.load(
            config.data.dataset, crop_size=config.data.crop_size, labels=config.labels
        )
    train_split, valid_split = (learnable(dataset, name, config) for name in ("train", "valid"))
    train_split, held_out = without_fold(train_split, config.data.held_out_folds, config.seed)
    train_split, part = part_of(train_split, config.data.train_share, config.seed)
    train_split, doubted = without_doubted(train_split, config.data.doubted)
    selected = {"held_out": held_out, "part": part, "doubted": doubted}
    train_split = with_phantoms(
        train_split, config.data.phantoms, config.seed, config.data.phantom_labels
    )
    # Of the two splits alone: nothing here opens the third, not even to count.
    seen = {n: dataset.splits[n].with_labels(config.labels) for n in ("train", "valid")}
    facts = data_facts(replace(dataset, splits=seen))
    teachers = load_teachers(config)

    with threads(config.trainer):
        # Asked at each step of stage 1, teachers need not be asked before; stage 2 learns from the
        # stored crops alone.
        asked_before = config.method == "dmtl" or not config.teacher.match
        targets = soft_targets(train_split, teachers, config.teacher, say) if asked_before else None
        stage1_file = out / "stage1" / NETWORK
        done = (earlier or {}).get("stages", {}).get("stage1")
        stage1_done = done is not None and stage1_file.is_file()
        torch.manual_seed(derived_seed(config.first_weights_seed, "init"))
        # Before the folder is written: a backbone or weights that are not to be had leave none.
        network = build_network(config, pretrained=not stage1_done)
        record: dict[str, Any] = {}
        if main:
            record = begin(out, config, facts, teacher_facts(teachers), earlier, selected)
        if stage1_done:
            state = torch.load(stage1_file, map_location="cpu", weights_only=True)
            network.load_state_dict(state)
            if config.trainer.channels_last:
                # Half precision rounds differently in another layout, and stage 2 with it.
                network.to(memory_format=torch.channels_last)
        else:
            record["weights"] = {
                "kind": network.trunk.source.kind,
                "name": network.trunk.source.name,
                "sha256": network.trunk.source.sha256,
            }
            say(f"{config.backbone.name} starts from {network.trunk.source}")
            first = train_dtl if config.method == "dtl" else train_stage1
            try:
                result = first(
                    network,
                    train_split,
                    valid_split,
                    config,
                    out,
                    report=say,
                    bar=bar,
                    targets=targets,
                    matching=matching_of(teachers, config),
                    watch=watch,
                )
            except ConfigError:  # This machine cannot do what `trainer` asks: no epoch was begun.
                if main and earlier is None:
                    withdraw(out)
                raise
            network.cpu()
            if main:
                started -= result.earlier_seconds
                record["seconds"] = round(time.monotonic() - started, 3)
                record["peak_memory_mb"] = peak_memory_mb()
                _stage_done(out, record, network, "stage1", result, valid_split, config)
                started = time.monotonic()
        if main and config.method == "dmtl":
            results = train_stage2(
                network, train_split, valid_split, config, out, report=say, targets=targets
            )
            record["stages"]["stage2"] = {k: v.to_json() for k, v in results.items()}
            record["validation"]["stage2"] = _validation(network, valid_split)
        if main:
            plot_run(out)
            _finish(out, record, network, valid_split, config, time.monotonic() - started)
        if distributed.is_available() and distributed.is_initialized():
            distributed.barrier()
    run = Run.load(out)
    say(f"finished: {out} ({run.record['seconds']:.0f} s, peak {run.record['peak_memory_mb']} MB)")
    return run


def _validation(network: Network, valid: LabelledCrops) -> dict[str, dict[str, float]]:
    """Scores at 0.5, to compare stages by; evaluation proper is another command."""
    found = scores_by_label(
        network.labels,
        valid.labels,
        probabilities(network, valid.crops),
        dict.fromkeys(network.labels, 0.5),
    )
    return {
        label: {"accuracy": float(s["accuracy"]), "roc_auc": float(s["roc_auc"])}
        for label, s in found.items()
    }


def _stage_done(
    out: Path,
    record: dict[str, Any],
    network: Network,
    name: str,
    result: StageResult,
    valid: LabelledCrops,
    config: Config,
) -> None:
    save_state(out / name / NETWORK, network.state_dict())
    record["stages"][name] = result.to_json() | {"rule": config.stage1.checkpoint}
    record["validation"][name] = _validation(network, valid)
    write_record(out, record)
    # From here on this stage is not taken up again; a checkpoint is three times the network.
    for spent in (out / name / LAST, *(out / name).glob("best-*.pt")):
        spent.unlink(missing_ok=True)


def _finish(
    out: Path,
    record: dict[str, Any],
    network: Network,
    valid: LabelledCrops,
    config: Config,
    seconds: float,
) -> None:
    found = find_thresholds(
        config.labels, valid.labels, probabilities(network, valid.crops), config.threshold
    )
    thresholds = {
        label: {"value": t.value, "objective": t.objective, "low": t.low, "high": t.high}
        for label, t in found.items()
    }
    write_text(out / THRESHOLDS, json.dumps(thresholds, indent=2) + "\n")
    save_state(out / NETWORK, network.state_dict())
    record["network_sha256"] = sha256_of(out / NETWORK)
    record["parameters"] = sum(p.numel() for p in network.parameters())
    record["embedding_dim"] = network.trunk.dim
    record["seconds"] = round(record.get("seconds", 0.0) + seconds, 3)
    now = peak_memory_mb()
    record["peak_memory_mb"] = None if now is None else max(now, record["peak_memory_mb"] or 0.0)
    record["finished"] = True
    record["ended"] = datetime.now(UTC).isoformat(timespec="seconds")
    write_record(out, record)

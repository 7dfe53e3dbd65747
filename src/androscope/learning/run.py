"""A run's folder: trained, resumed, read back.

``config.yaml`` (every key), ``run.json`` (the record), ``stage1/`` and ``stage2/`` (logs and
checkpoints), ``network.pt`` (plain weights), ``thresholds.json``. A run is finished when its record
says so, which is written last. Training reads the train and valid splits and no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from androscope.errors import TrainingError
from androscope.files import sha256_of
from androscope.learning.config import Config
from androscope.learning.config_file import load_config
from androscope.learning.network import Network, build_network
from androscope.learning.record import read_record
from androscope.types import FloatArray, UInt8Array

__all__ = ["CONFIG", "NETWORK", "THRESHOLDS", "Run", "probabilities", "train"]

CONFIG, NETWORK, THRESHOLDS = "config.yaml", "network.pt", "thresholds.json"


@torch.inference_mode()
def probabilities(network: Network, crops: UInt8Array, *, batch_size: int = 64) -> FloatArray:
    """Grade ``(N, S, S)`` uint8 crops in float32: ``(N, L)``, the probability of abnormal."""
    network.eval()
    device = next(network.parameters()).device
    parts = [
        network(torch.from_numpy(np.array(crops[i : i + batch_size])).to(device))
        .sigmoid()
        .float()
        .cpu()
        for i in range(0, len(crops), batch_size)
    ]
    if not parts:
        return np.zeros((0, len(network.labels)), np.float32)
    return np.asarray(torch.cat(parts).numpy(), dtype=np.float32)


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    folder
        Where it is.
    config
        Its configuration, every default filled in.
    record
        ``run.json``.
    thresholds
        Per label, found on validation.
    """

    folder: Path
    config: Config
    record: dict[str, Any] = field(repr=False)
    thresholds: dict[str, float]

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in the order of every array of this run."""
        return self.config.labels

    @classmethod
    def load(cls, folder: str | Path) -> Run:
        """Read a finished run back.

        Raises
        ------
        TrainingError
            If it is no run, not finished, or its weights are not those of its record.
        """
        folder = Path(folder)
        record = read_record(folder)
        if not record.get("finished"):
            raise TrainingError(
                "this run is not finished",
                path=folder,
                advice="Run the same `androscope train` again: it goes on where it stopped",
            )
        config = load_config(folder / CONFIG)
        try:
            found = json.loads((folder / THRESHOLDS).read_text(encoding="utf-8"))
            thresholds = {label: float(found[label]["value"]) for label in config.labels}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"cannot be read: {error!r}",
                path=folder / THRESHOLDS,
                advice="Restore the run's folder, or train again",
            ) from error
        return cls(folder, config, record, thresholds)

    @cached_property
    def _network(self) -> Network:
        path = self.folder / NETWORK
        expected = self.record["network_sha256"]
        try:
            got = sha256_of(path)
        except OSError as error:
            raise TrainingError(
                f"cannot be read: {error.strerror or error}",
                path=path,
                advice="Restore the run's folder, or train again",
            ) from error
        if got != expected:
            raise TrainingError(
                f"is not what this run trained: expected SHA-256 {expected}, got {got}",
                path=path,
                advice="Restore the file, or train again",
            )
        stage2 = self.config.stage2 if self.config.method == "dmtl" else None
        network = build_network(self.config, pretrained=False, stage2=stage2)
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        if self.config.trainer.channels_last:
            network.to(memory_format=torch.channels_last)
        return network.eval()

    def network(self) -> Network:
        """The trained network, in evaluation mode, on the CPU.

        Raises
        ------
        TrainingError
            If ``network.pt`` is missing or is not what the run trained.
        """
        return self._network

    def probabilities(self, crops: UInt8Array) -> FloatArray:
        """Grade ``(N, S, S)`` uint8 crops: ``(N, L)`` float32, the probability of abnormal.

        Raises
        ------
        TrainingError
            If the crops are of another size or type than the run was trained on.
        """
        size = self.config.data.crop_size
        if crops.ndim != 3 or crops.shape[1:] != (size, size) or crops.dtype != np.uint8:
            raise TrainingError(
                f"this run grades crops (N, {size}, {size}) of uint8, "
                f"got {crops.shape} of {crops.dtype}",
                path=self.folder,
            )
        return probabilities(self.network(), crops)


def train(
    config: Config,
    out: str | Path,
    *,
    resume: bool = True,
    dataset: Any = None,
    quiet: bool = False,
    report: Callable[[str], None] | None = None,
) -> Run:
    """Train ``config`` in the folder ``out``; see :func:`androscope.learning.training.train`."""
    from androscope.learning.training import train as start

    return start(config, out, resume=resume, dataset=dataset, quiet=quiet, report=report)

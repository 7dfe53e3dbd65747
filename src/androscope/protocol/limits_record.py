"""What ``androscope benchmark limits`` finds: its record, as the JSON has it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from androscope.learning.agreement import Agreement, Missed
from androscope.learning.label_noise import LabelNoise
from androscope.learning.size_curve import Point

__all__ = ["Limits", "Noise", "OneRun", "SizeCurve"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OneRun(_Table):
    """A run that was read; ``recipe`` numbers those that differ in their seed and crops alone."""

    name: str
    seed: int
    network_sha256: str
    recipe: int
    train_crops: int
    fold: str | None
    test_readings: int | None


class Noise(_Table):
    """Confident learning on train; ``crops`` of ``of`` have an opinion of their own."""

    runs: int
    views: int
    crops: int
    of: int
    labels: dict[str, LabelNoise]


class SizeCurve(_Table):
    """Scores on the split over training size, of one recipe."""

    recipe: int
    name: str
    points: tuple[Point, ...]


class Limits(_Table):
    """All four parts; of what the runs cannot tell, ``missing`` says why."""

    format: Literal["androscope.limits/1"] = "androscope.limits/1"
    data: str
    split: str
    data_sha256: str
    crops: int
    runs: tuple[OneRun, ...]
    agreement: dict[str, Agreement]
    missed_by_all: dict[str, tuple[Missed, ...]]
    noise: Noise | None
    curves: tuple[SizeCurve, ...]
    missing: dict[str, str]
    created: datetime
    androscope: str

"""Scores over training size: what half, a quarter, an eighth of the crops would have come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

__all__ = ["MEAN", "Point", "Sized", "crops_learned", "curve"]

#: Stands for the mean over the labels.
MEAN = "mean"


class Point(BaseModel):
    """Runs that learned from as many crops: mean and deviation (n - 1) of each score over them.

    ``scores`` is by label (and :data:`MEAN`), then by score, mean and deviation; None where it is
    defined for no run, or for one alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    crops: int
    seeds: tuple[int, ...]
    scores: dict[str, dict[str, tuple[float | None, float | None]]]


@dataclass(frozen=True, slots=True)
class Sized:
    """A run's scores by label and name (NaN where undefined), and how many crops it learned."""

    crops: int
    seed: int
    scores: Mapping[str, Mapping[str, float]]


def crops_learned(record: Mapping[str, Any]) -> int:
    """How many real train crops a run learned from, by its ``run.json``."""
    if record.get("part"):
        return int(record["part"]["crops"])
    held = record.get("held_out") or {}
    return int(record["data"]["splits"]["train"]["crops"]) - len(held.get("crops", ()))


def curve(runs: Sequence[Sized]) -> tuple[Point, ...]:
    """A point for each size, the smallest first."""
    points = []
    for size in sorted({run.crops for run in runs}):
        here = [run for run in runs if run.crops == size]
        labels = list(here[0].scores)
        scores: dict[str, dict[str, tuple[float | None, float | None]]] = {}
        for label in [*labels, MEAN]:
            scores[label] = {}
            for name in here[0].scores[labels[0]]:
                values = [
                    float(np.mean([run.scores[one][name] for one in labels]))
                    if label == MEAN
                    else run.scores[label][name]
                    for run in here
                ]
                scores[label][name] = _mean_sd(values)
        points.append(
            Point(crops=size, seeds=tuple(sorted(run.seed for run in here)), scores=scores)
        )
    return tuple(points)


def _mean_sd(values: Sequence[float]) -> tuple[float | None, float | None]:
    known = np.array([value for value in values if not np.isnan(value)])
    if not len(known):
        return None, None
    return float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else None

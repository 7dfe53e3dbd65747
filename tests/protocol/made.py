"""A benchmark's record made by hand: MHSMA's counts, a score for each run that can be seen."""

from __future__ import annotations

from datetime import UTC, datetime

from androscope.learning.metrics import METRICS
from androscope.protocol.record import (
    Baseline,
    Benchmark,
    CrossvalEntry,
    FoldScore,
    Mean,
    NearDuplicates,
    ProtocolFacts,
    RecipeEntry,
    RunEntry,
    Score,
)

SHA = "a" * 64
COUNTS = {"head": (219, 81), "vacuole": (262, 38)}


def run(name: str, value: float, readings: int = 1, label: str | None = None) -> RunEntry:
    labels = (label,) if label else tuple(COUNTS)
    one = {
        label: {m: Score(value, round(value - 0.05, 6), round(value + 0.05, 6)) for m in METRICS}
        for label in labels
    }
    return RunEntry(
        name=name,
        labels=labels,
        seed=0,
        config_sha256=SHA,
        model_sha256=SHA,
        data_sha256={"train": SHA, "valid": SHA, "test": SHA},
        predictions_sha256={"valid": SHA, "test": SHA},
        thresholds=dict.fromkeys(labels, 0.5),
        scores={"valid": one, "test": one},
        test_readings=readings,
        seconds=600.0,
        peak_memory_mb=1500.0,
        threads=1,
        software="abcd",
        ended=datetime(2026, 1, 1, tzinfo=UTC),
    )


def means(mean: float, n: int = 2) -> dict[str, dict[str, Mean]]:
    sd = 0.01 if n > 1 else None
    return {
        label: {m: Mean(mean, sd, n, round(mean - 0.04, 6), round(mean + 0.04, 6)) for m in METRICS}
        for label in COUNTS
    }


def baseline() -> dict[str, Baseline]:
    return {
        label: Baseline(
            normal=normal,
            abnormal=abnormal,
            scores=dict.fromkeys(METRICS, round(normal / (normal + abnormal), 6)) | {"mcc": None},
        )
        for label, (normal, abnormal) in COUNTS.items()
    }


def benchmark(**changes: object) -> Benchmark:
    """Two recipes and an ensemble, one recipe that the protocol had before, a cross-validation."""
    part = {"valid": means(0.8), "test": means(0.81), "distinct": means(0.79)}
    alone = {"valid": means(0.82, 1), "test": means(0.83, 1), "distinct": means(0.80, 1)}
    values: dict[str, object] = {
        "androscope": "0.1.0",
        "updated": datetime(2026, 1, 2, tzinfo=UTC),
        "protocol": ProtocolFacts(
            name="made",
            sha256=SHA,
            dataset="mhsma",
            labels=tuple(COUNTS),
            resamples=2000,
            bootstrap_seed=0,
        ),
        "baseline": {"valid": baseline(), "test": baseline(), "distinct": baseline()},
        "near_duplicates": NearDuplicates(
            threshold=0.955,
            pairs={"train-test": 40, "valid-test": 9},
            test_crops=300,
            removed=46,
            removed_sha256=SHA,
        ),
        "recipes": {
            "dmtl": RecipeEntry(
                config="dmtl",
                seeds=(0, 1, 2),
                planned=3,
                runs=(run("dmtl/seed-0", 0.8), run("dmtl/seed-1", 0.82)),
                means=part,
            ),
            "ensemble": RecipeEntry(
                config=None,
                seeds=(),
                ensemble="dmtl",
                views=8,
                planned=1,
                runs=(run("ensemble", 0.83),),
                means=alone,
            ),
            "gone": RecipeEntry(
                config="dmtl",
                seeds=(0, 1, 2, 3, 4),
                planned=5,
                in_protocol=False,
                runs=(run("gone/seed-0", 0.7, readings=2),),
                means=part,
            ),
        },
        "crossval": {
            "cv": CrossvalEntry(
                config="dmtl",
                folds=5,
                seed=0,
                splits=("train", "valid", "test"),
                crops=1540,
                config_sha256=SHA,
                data_sha256=SHA,
                predictions_sha256={"head": SHA},
                seconds=60.0,
                baseline={"head": baseline()["head"]},
                scores={"head": {m: FoldScore(0.8, 0.02, 0.81, 0.78, 0.84) for m in METRICS}},
            )
        },
        "software": {"abcd": {"python": "3.11.7"}},
        "tried_before": ("An older recipe, once.",),
    }
    return Benchmark.model_validate(values | changes)

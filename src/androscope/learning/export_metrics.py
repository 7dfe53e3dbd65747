"""What evaluations say of exported weights, as a card keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from androscope.errors import TrainingError
from androscope.learning.run import Run
from androscope.learning.summary import SUMMARY, Summary, read_summary
from androscope.model.card_interval import Interval

__all__ = ["evaluation_of", "evaluations_of", "metrics_by_label", "metrics_of"]


def evaluations_of(
    runs: Sequence[Run], views: int, given: Sequence[str | Path], model_sha256: str
) -> list[Summary]:
    """Every evaluation of exactly these weights: in a single run's folder, and ``given``.

    Raises
    ------
    TrainingError
        If one that is given is of another model.
    """
    found = []
    if len(runs) == 1 and views == 1:
        own = runs[0].record["network_sha256"]
        paths = sorted((runs[0].folder / "evaluation").glob(f"*/{SUMMARY}"))
        found = [e for e in map(read_summary, paths) if e.model_sha256 == own]
    advice = (
        "Export the bundle, evaluate it with `androscope evaluate`, and export it again with that "
        "evaluation"
    )
    return [*found, *(evaluation_of(path, model_sha256, advice) for path in given)]


def evaluation_of(path: str | Path, model_sha256: str, advice: str) -> Summary:
    """Read an evaluation of exactly this model. Raises :class:`TrainingError` for another one's."""
    evaluation = read_summary(path)
    if evaluation.model_sha256 != model_sha256:
        raise TrainingError(
            f"is an evaluation of another model: expected SHA-256 {model_sha256} of "
            f"model.onnx, got {evaluation.model_sha256}",
            path=path,
            advice=advice,
        )
    return evaluation


def metrics_of(run: Run, evaluations: Sequence[Summary]) -> tuple[dict[str, Any], list[str]]:
    """Metrics by split, label and name, and a remark on each evaluation."""
    metrics: dict[str, Any] = {}
    remarks = []
    for found in evaluations:
        key, measured = metrics_by_label(found, run.record["data"]["name"], run.labels)
        metrics[key] = measured
        remarks.append(f"{key}: {found.crops} crops, {found.interval}")
    return metrics, remarks


def metrics_by_label(
    found: Summary, own_data: str, labels: Sequence[str]
) -> tuple[str, dict[str, dict[str, Interval]]]:
    """A card's name for an evaluation, and what it measured of the labels.

    The name is the split's, with the data's before it unless that is the training data.
    """
    key = found.split if found.data == own_data else f"{found.data}-{found.split}"
    return key, {
        label: {metric: Interval(**values) for metric, values in by_metric.items()}
        for label, by_metric in found.metrics().items()
        if label in labels
    }

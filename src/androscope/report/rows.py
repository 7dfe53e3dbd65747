"""Results as flat rows, one per image: what CSV and Parquet share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from androscope.types import Assessment, Failure, Results

__all__ = ["column_names", "row", "rows"]

_HEAD = ("image", "index", "status")
_TAIL = ("notes", "error_code", "error_reason", "error_advice")


def column_names(labels: Sequence[str]) -> tuple[str, ...]:
    """``image, index, status``, three columns per label, ``notes`` and three for errors."""
    per_label = (f"{label}_{what}" for label in labels for what in _PART)
    return (*_HEAD, *per_label, *_TAIL)


_PART = ("verdict", "probability", "threshold")


def rows(results: Results) -> Iterator[dict[str, Any]]:
    """One row per image, with every column; ``None`` where there is nothing to say.

    First the assessed images, then those that could not be, each in input order. ``status`` is
    ``assessed`` or ``failed``; ``notes`` is a tuple of texts.
    """
    empty = dict.fromkeys(column_names(results.labels))
    for item in (*results.assessments, *results.failures):
        yield empty | row(item)


def row(item: Assessment | Failure) -> dict[str, Any]:
    """Give one image's row, of the columns that it has something to say in."""
    return _assessed(item) if isinstance(item, Assessment) else _failed(item)


def _assessed(assessment: Assessment) -> dict[str, Any]:
    row: dict[str, Any] = {
        "image": assessment.source,
        "index": assessment.index,
        "status": "assessed",
        "notes": assessment.notes,
    }
    for part in assessment.parts:
        row[f"{part.label}_verdict"] = part.verdict.value
        row[f"{part.label}_probability"] = part.probability
        row[f"{part.label}_threshold"] = part.threshold
    return row


def _failed(failure: Failure) -> dict[str, Any]:
    return {
        "image": failure.source,
        "index": failure.index,
        "status": "failed",
        "notes": (),
        "error_code": failure.code,
        "error_reason": failure.reason,
        "error_advice": failure.advice,
    }

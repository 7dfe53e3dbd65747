"""Results as flat rows, one per image: what CSV and Parquet share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from androscope.types import Assessment, Failure, Flag, Results

__all__ = ["column_names", "flag_rows", "flag_texts", "row", "rows"]

_HEAD = ("image", "index", "status")
_TAIL = ("error_rate", "flags", "notes", "error_code", "error_reason", "error_advice")


def column_names(labels: Sequence[str]) -> tuple[str, ...]:
    """``image, index, status``, three per label, ``error_rate, flags, notes``, three for errors.

    ``flags`` are the checks that an image did not pass, each with its value, limit and reason.
    """
    per_label = (f"{label}_{what}" for label in labels for what in _PART)
    return (*_HEAD, *per_label, *_TAIL)


_PART = ("verdict", "probability", "threshold")


def rows(results: Results) -> Iterator[dict[str, Any]]:
    """One row per image, with every column; ``None`` where there is nothing to say.

    First the assessed images, then those that could not be, each in input order. ``status`` is
    ``assessed`` or ``failed``; ``flags`` is a tuple of :func:`flag_rows`, ``notes`` one of texts.
    """
    empty = dict.fromkeys(column_names(results.labels))
    items: tuple[Assessment | Failure, ...] = (*results.assessments, *results.failures)
    for item in items:
        yield empty | row(item, results.error_rate)


def row(item: Assessment | Failure, error_rate: float | None = None) -> dict[str, Any]:
    """Give one image's row, of the columns that it has something to say in.

    ``error_rate`` is the one that its verdicts were made with, if any.
    """
    if isinstance(item, Failure):
        return _failed(item)
    return _assessed(item) | {"error_rate": error_rate}


def flag_rows(flags: Sequence[Flag]) -> tuple[dict[str, Any], ...]:
    """Each flag as a row of its own: ``check``, ``value``, ``limit``, ``reason``."""
    return tuple(asdict(flag) for flag in flags)


def flag_texts(flags: Sequence[Flag]) -> tuple[str, ...]:
    """Each flag as ``check: reason``."""
    return tuple(f"{flag.check}: {flag.reason}" for flag in flags)


def _assessed(assessment: Assessment) -> dict[str, Any]:
    row: dict[str, Any] = {
        "image": assessment.source,
        "index": assessment.index,
        "status": "assessed",
        "flags": flag_rows(assessment.flags),
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
        "flags": flag_rows(failure.flags),
        "notes": (),
        "error_code": failure.code,
        "error_reason": failure.reason,
        "error_advice": failure.advice,
    }

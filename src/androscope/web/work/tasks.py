"""What a sample says of its images, put into a task; and a form's words, put into a sample."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from androscope.records.types import Image, SampleSummary
from androscope.web.work.wire import GradeTask

__all__ = ["TAKEN_AS", "grade_task"]

TakenAs = Literal["by size", "crops", "fields"]
TAKEN_AS: tuple[TakenAs, ...] = get_args(TakenAs)


def grade_task(
    path: Path,
    image: Image,
    sample: SampleSummary,
    model: str | None,
    chroma: bytes | None = None,
) -> GradeTask:
    """Make the task of grading an image that is kept at ``path`` by the model at ``model``."""
    settings = sample.settings
    page = "" if image.index is None else f"[{image.index}]"
    return GradeTask(
        path=str(path),
        name=f"{image.name}{page}",
        pixel_size_um=image.pixel_size_um,
        chroma=chroma,
        given_pixel_size_um=sample.pixel_size_um,
        head_length=_number(settings, "head_length"),
        taken_as=_taken_as(settings),
        model=model,
        error_rate=_number(settings, "error_rate"),
        grade_anyway=settings.get("grade_anyway") == "yes",
    )


def _number(settings: Mapping[str, str], name: str) -> float | None:
    text = settings.get(name)
    return float(text) if text else None


def _taken_as(settings: Mapping[str, str]) -> TakenAs:
    given = settings.get("taken_as")
    return next((known for known in TAKEN_AS if known == given), "by size")

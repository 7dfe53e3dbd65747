"""Where the model looked in one crop: what a working process draws while a key is held."""

from __future__ import annotations

from androscope.explanation import explain_crop, overlay_png
from androscope.types import Crop, Failure
from androscope.web.work.grade import grader_of
from androscope.web.work.wire import Heat, HeatTask, Stopped, square

__all__ = ["look"]


def look(task: HeatTask, *, threads: int) -> Heat | Stopped:
    """Draw the map of one part."""
    # A crop that was graded although it did not pass the checks is explained as well.
    grader = grader_of(task.model, None, threads, grade_anyway=True)
    card = grader.card
    at_hand = f"{card.name} {card.version}"
    if at_hand != task.graded_by or task.label not in card.labels:
        return Stopped(
            code="bundle", reason=f"{at_hand} is at hand, and {task.graded_by} graded the crop"
        )
    explained = explain_crop(Crop(square(task.pixels), "crop"), grader)
    if isinstance(explained, Failure):
        return Stopped(code=explained.code, reason=explained.reason, advice=explained.advice)
    return Heat(png=overlay_png(explained, task.label))

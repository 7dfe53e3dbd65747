"""Where the model looked in one crop: what a working process draws while a key is held."""

from __future__ import annotations

from androscope.explanation import explain_graded, overlay_png
from androscope.types import Assessment, Crop
from androscope.web.work.grade import grader_of
from androscope.web.work.wire import Heat, HeatTask, Stopped, square

__all__ = ["look"]


def look(task: HeatTask, *, threads: int) -> Heat | Stopped:
    """Draw the map of one part, with the verdict and the flags that the record has.

    They are not asked for again: the record's were given at the sample's error rate and by colours
    that are not kept.
    """
    grader = grader_of(task.model, None, threads)
    card = grader.card
    at_hand = f"{card.name} {card.version}"
    labels = tuple(part.label for part in task.parts)
    if at_hand != task.graded_by or labels != card.labels or task.label not in labels:
        return Stopped(
            code="bundle", reason=f"{at_hand} is at hand, and {task.graded_by} graded the crop"
        )
    recorded = Assessment("crop", None, task.parts, flags=task.flags)
    explained = explain_graded(Crop(square(task.pixels), "crop"), recorded, grader)
    return Heat(png=overlay_png(explained, task.label))

"""One batch of crops graded: the session, the checks and the rule, composed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from androscope.assessment.decide import decide
from androscope.assessment.gate import check_crops, refusal
from androscope.model.session import Session
from androscope.types import Assessment, Crop, Cuts, Failure, FloatArray

__all__ = ["Graded", "grade_batch"]


@dataclass(frozen=True, slots=True)
class Graded:
    """One assessed image: its verdicts, the crop that the model saw, its embedding ``(D,)``."""

    assessment: Assessment
    crop: Crop
    embedding: FloatArray | None = field(default=None, repr=False, compare=False)


def grade_batch(
    session: Session,
    waiting: Sequence[Crop | Failure],
    *,
    cuts: Mapping[str, Cuts] | None = None,
    grade_anyway: bool = False,
) -> Iterator[Graded | Failure]:
    """Grade crops in one pass; what could not be read before stays in its place.

    Parameters
    ----------
    session
        The model.
    waiting
        Crops in its geometry, and failures.
    cuts
        Where parts are undecided, by label; ``None``: every part gets a verdict by its threshold.
    grade_anyway
        Grade also what does not pass the checks, with its flags; else it is a failure.
    """
    card = session.card
    crops = [item for item in waiting if isinstance(item, Crop)]
    if crops:
        pixels = np.stack([crop.pixels for crop in crops])
        found = session.predict(pixels, batch_size=len(crops))
        verdicts = decide(found.probabilities, card.labels, card.thresholds, cuts)
        flags = check_crops(crops, found.embeddings, card.checks, session.domain)
        rows = iter(zip(verdicts, found.embeddings, flags, strict=True))
    for item in waiting:
        if isinstance(item, Failure):
            yield item
            continue
        parts, embedding, flagged = next(rows)
        if flagged and not grade_anyway:
            yield refusal(item, flagged)
        else:
            assessment = Assessment(item.source, item.index, parts, item.notes, flagged)
            yield Graded(assessment, item, embedding)

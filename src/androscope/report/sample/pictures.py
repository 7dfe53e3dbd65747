"""The pictures of a sample's report: fields with their finds, and the sperm worth a look."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from androscope.assessment.certainty import certainty
from androscope.assessment.field import GradedField
from androscope.assessment.findings import Findings, Overlay, SampleFind
from androscope.assessment.tally import Outcome, overall
from androscope.imaging.overlay import Mark, draw_overlay
from androscope.report.fields import kind_of
from androscope.types import Assessment

__all__ = ["GALLERY", "OVERLAYS", "Gallery", "draw_field", "galleries"]

#: Fields shown with their finds; more would make a report too large to be read or sent.
OVERLAYS = 12

#: Sperm shown of the most certain normal and of the most certain abnormal ones.
GALLERY = 12

_WIDTH = 900
_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Gallery:
    """Sperm of one outcome, the most certain first; ``of`` is how many there are in all."""

    outcome: Outcome
    finds: tuple[SampleFind, ...]
    of: int


def draw_field(graded: GradedField, name: str) -> Overlay | None:
    """Draw a field's finds, each with its number; ``None`` if its picture was not kept.

    The picture is re-encoded from grey pixels: nothing else of the file is in it.
    """
    pixels = graded.field.pixels
    if pixels is None:
        return None
    # Shrunk before it is drawn on, so that lines and numbers keep their size.
    factor = min(1.0, _WIDTH / max(pixels.shape))
    if factor < 1:
        height, width = (max(1, round(side * factor)) for side in pixels.shape)
        shrunk = Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX)
        pixels = np.asarray(shrunk)
    marks = []
    for number, (item, verdicts) in enumerate(
        zip(graded.field.items, graded.assessments, strict=True), start=1
    ):
        found = item.drawn
        scaled = replace(
            found,
            x=(found.x + 0.5) * factor - 0.5,
            y=(found.y + 0.5) * factor - 0.5,
            length=found.length * factor,
            width=found.width * factor,
        )
        marks.append(Mark(scaled, kind_of(item, verdicts), str(number)))
    stream = io.BytesIO()
    Image.fromarray(draw_overlay(pixels, marks)).save(stream, "JPEG", quality=_QUALITY)
    return Overlay(name, stream.getvalue())


def galleries(findings: Findings, *, most: int = GALLERY) -> tuple[Gallery, ...]:
    """The most certain normal and abnormal sperm, and every undecided one.

    Certainty is the model's own: for a normal sperm how far below its threshold its least clear
    part lies, for an abnormal one how far above its threshold its clearest abnormal part lies, each
    as a share of the way to 0 or 1. Equal ones stay in the order of the input.
    """
    labels = findings.card.labels
    sorted_by: dict[Outcome, list[tuple[float, SampleFind]]] = {
        "normal": [], "abnormal": [], "undecided": []
    }  # fmt: skip
    for find, assessment in findings.assessed:
        outcome = overall(assessment, labels)
        sorted_by[outcome].append((_certainty(assessment, labels, outcome), find))
    return tuple(
        Gallery(
            outcome,
            tuple(
                find
                for _, find in sorted(found, key=lambda pair: -pair[0])[
                    : None if outcome == "undecided" else most
                ]
            ),
            len(found),
        )
        for outcome, found in sorted_by.items()
    )


def _certainty(assessment: Assessment, labels: Sequence[str], outcome: Outcome) -> float:
    parts = [assessment[label] for label in labels]
    sure = [float(certainty(p.probability, p.threshold)) for p in parts]
    return max(sure) if outcome == "abnormal" else -max(sure)

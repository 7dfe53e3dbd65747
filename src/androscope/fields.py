"""Fields of view in, located and graded sperm out: what ``assess --fields`` does."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

from androscope.assessment.field import GradedField
from androscope.imaging.blobs import DEFAULT, BlobOptions
from androscope.imaging.field import Field, read_field
from androscope.imaging.inputs import Images, read_inputs, sources_of
from androscope.imaging.video import EVENLY, Sampling, is_video, read_video
from androscope.imaging.video_field import read_video_field
from androscope.predict import Grader
from androscope.types import Failure, GreyImage, Results

__all__ = ["FieldOptions", "grade_fields", "grade_items", "locate_and_grade", "results_of"]


@dataclass(frozen=True, slots=True)
class FieldOptions:
    """What is known of the fields, and how they are searched.

    Attributes
    ----------
    pixel_size_um, head_length
        Scale, as in :func:`~androscope.imaging.head_scale.field_scale`.
    blobs
        Of the filter that finds heads.
    sampling
        Which frames of videos are looked at.
    """

    pixel_size_um: float | None = None
    head_length: float | None = None
    blobs: BlobOptions = DEFAULT
    sampling: Sampling = EVENLY


class _Geometry(TypedDict):
    pixel_size_um: float | None
    head_length: float | None
    model_pixel_size_um: float | None
    size: int
    options: BlobOptions


def locate_and_grade(
    image: GreyImage, grader: Grader, options: FieldOptions | None = None
) -> GradedField:
    """Find the sperm of one field, cut a crop of each and grade it.

    Parameters
    ----------
    image
        The field.
    grader
        The model at hand.
    options
        Scale and filter; default: estimated, the filter's own.
    """
    field = read_field(image, **_geometry(grader, options or FieldOptions()))
    return grade_items(field, grader)


def grade_items(field: Field, grader: Grader) -> GradedField:
    """Grade what has a crop in a field that was read already."""
    crops = [item.crop for item in field.items if item.crop is not None]
    verdicts = iter([g.assessment for g in grader.grade(crops)])
    return GradedField(
        field, tuple(None if item.crop is None else next(verdicts) for item in field.items)
    )


def grade_fields(
    images: Images,
    grader: Grader,
    options: FieldOptions | None = None,
) -> Iterator[GradedField | Failure]:
    """Each field of ``images``, located and graded, in order.

    Parameters
    ----------
    images
        As for :func:`androscope.assess`, and videos; every picture is taken as a field, and a video
        as one field in which each sperm counts once.
    grader, options
        As for :func:`locate_and_grade`.

    Raises
    ------
    EmptyInputError
        If ``images`` names nothing.
    MissingExtraError
        For a video, without PyAV.
    """
    wanted = options or FieldOptions()
    for source in sources_of(images):
        if isinstance(source.what, str | os.PathLike) and is_video(Path(source.what)):
            yield from _video(Path(source.what), grader, wanted)
            continue
        for image in read_inputs([source]):
            if isinstance(image, Failure):
                yield image
            else:
                yield locate_and_grade(image, grader, wanted)


def _video(path: Path, grader: Grader, options: FieldOptions) -> Iterator[GradedField | Failure]:
    field, failures = read_video_field(
        read_video(path, options.sampling), **_geometry(grader, options)
    )
    if field is not None:
        yield grade_items(field, grader)
    yield from failures


def results_of(
    fields: Sequence[GradedField | Failure],
    grader: Grader,
    options: FieldOptions | None = None,
    *,
    keep_crops: bool = False,
) -> Results:
    """One row for each sperm that was graded, as if its crop had been given.

    What was found and not graded is counted in ``extra``; a sperm's ``source`` is its field's name
    and its number in it.
    """
    graded = [field for field in fields if isinstance(field, GradedField)]
    pairs = [pair for field in graded for pair in field.graded]
    crops = [item.crop for item, _ in pairs if item.crop is not None] if keep_crops else []
    pixel_size = None if options is None else options.pixel_size_um
    results = grader.results(
        [assessment for _, assessment in pairs],
        [field for field in fields if isinstance(field, Failure)],
        crops,
    )
    extra = {
        **results.extra,
        "fields": str(len(graded)),
        "sperm_located": str(sum(len(field.field.sperm) for field in graded)),
        "sperm_graded": str(len(pairs)),
    }
    if pixel_size is not None:
        extra["pixel_size_um"] = f"{pixel_size:g}"
    reasons: dict[str, int] = {}
    for field in graded:
        for reason, count in field.excluded.items():
            reasons[reason] = reasons.get(reason, 0) + count
    for number, (reason, count) in enumerate(sorted(reasons.items()), start=1):
        extra[f"not_graded_{number}"] = f"{count}: {reason}"
    return replace(results, extra=extra)


def _geometry(grader: Grader, options: FieldOptions) -> _Geometry:
    wanted = grader.card.input
    return {
        "pixel_size_um": options.pixel_size_um,
        "head_length": options.head_length,
        "model_pixel_size_um": wanted.pixel_size_um,
        "size": wanted.size,
        "options": options.blobs,
    }

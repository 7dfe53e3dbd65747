"""Pictures in, located and graded sperm out: crops, fields of view and videos, as they come."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from androscope.assessment.field import GradedField, nothing_found
from androscope.assessment.gate import checks_text
from androscope.errors import MissingExtraError
from androscope.finders import AUTO, CLASSICAL, FieldOptions, default_finder, finder, geometry
from androscope.imaging.crop import Fit, looks_like_field
from androscope.imaging.field import Field, FieldItem, read_field
from androscope.imaging.inputs import Images, Progress, Source, read_inputs, sources_of
from androscope.imaging.video import is_video, read_video
from androscope.imaging.video_field import read_video_field
from androscope.predict import Graded, Grader
from androscope.types import Assessment, Failure, GreyImage, Results

__all__ = [
    "AUTO",
    "CLASSICAL",
    "FieldOptions",
    "default_finder",
    "field_facts",
    "finder",
    "grade_fields",
    "grade_items",
    "grade_pictures",
    "is_field",
    "locate_and_grade",
    "results_of",
    "with_fields",
]


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
        Scale and what finds heads; default: estimated, by polarity.
    """
    field = read_field(image, **geometry(grader.card.input, options))
    return grade_items(field, grader)


def grade_items(field: Field, grader: Grader) -> GradedField:
    """Grade what has a crop in a field that was read already.

    What does not pass the checks of the model's card is excluded, with its flags.
    """
    graded = iter(grader.grade([item.crop for item in field.items if item.crop is not None]))
    items: list[FieldItem] = []
    assessments: list[Assessment | None] = []
    for item in field.items:
        found = None if item.crop is None else next(graded)
        if isinstance(found, Failure):
            excluded = checks_text(found.flags)
            item = replace(item, crop=None, excluded=excluded, flags=found.flags)
        items.append(item)
        assessments.append(found.assessment if isinstance(found, Graded) else None)
    return GradedField(replace(field, items=tuple(items)), tuple(assessments))


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
    """
    for item in grade_pictures(images, grader, options, fields=True):
        assert not isinstance(item, Graded)  # no picture was taken as a crop
        yield item


def grade_pictures(
    images: Images,
    grader: Grader,
    options: FieldOptions | None = None,
    *,
    fields: bool | None = None,
    fit: Fit = "auto",
    batch_size: int = 32,
    progress: Progress | None = None,
) -> Iterator[Graded | GradedField | Failure]:
    """Grade pictures of any kind, in order; memory does not grow with their number.

    Parameters
    ----------
    images
        As for :func:`androscope.assess`, and videos.
    grader, options
        As for :func:`locate_and_grade`.
    fields
        Take every picture as a field, or as a crop; ``None``: those as fields that are too large
        for a crop, and videos.
    fit, batch_size
        Of crops, as for :func:`androscope.assess`.
    progress
        Called with how many pictures are done and how many there are as far as is known.

    Yields
    ------
    Graded, GradedField or Failure
        Every picture gives exactly one; a video that breaks off gives its field, then a Failure.

    Raises
    ------
    EmptyInputError
        If ``images`` names nothing.
    """
    # What finds heads is made ready when the first field comes: crops need none.
    wanted = options or FieldOptions()
    sources = sources_of(images)
    waiting: list[GreyImage] = []
    for picture in _pictures(sources, fields is not False, progress):
        if isinstance(picture, GreyImage) and not is_field(picture, grader, wanted, fit, fields):
            waiting.append(picture)
            if len(waiting) < batch_size:
                continue
        yield from grader.grade_images(waiting, pixel_size=wanted.pixel_size_um, fit=fit)
        waiting = []
        if isinstance(picture, Failure):
            yield picture
        elif isinstance(picture, _Video):
            yield from _video(picture, grader, wanted)
        elif is_field(picture, grader, wanted, fit, fields):
            yield locate_and_grade(picture, grader, wanted)
    yield from grader.grade_images(waiting, pixel_size=wanted.pixel_size_um, fit=fit)


@dataclass(frozen=True, slots=True)
class _Video:
    path: Path


def _pictures(
    sources: Sequence[Source], videos: bool, progress: Progress | None
) -> Iterator[GreyImage | Failure | _Video]:
    """Every picture of every source; videos as wholes."""
    done = 0
    for is_one, group in itertools.groupby(sources, lambda source: videos and _is_video(source)):
        some = list(group)
        if not is_one:
            report = _from(done, len(sources) - len(some), progress)
            yield from read_inputs(some, report)
        for number, source in enumerate(some if is_one else (), start=1):
            yield _Video(Path(str(source.what)))
            if progress:
                progress(done + number, len(sources))
        done += len(some)


def _from(before: int, others: int, progress: Progress | None) -> Progress | None:
    """``progress`` for a run of sources that others stand before and behind."""
    if progress is None:
        return None
    return lambda done, total: progress(before + done, others + total)


def _is_video(source: Source) -> bool:
    return isinstance(source.what, str | os.PathLike) and is_video(Path(source.what))


def is_field(
    image: GreyImage, grader: Grader, options: FieldOptions, fit: Fit, fields: bool | None
) -> bool:
    """Whether a picture is to be taken as a field; ``fields`` as for :func:`grade_pictures`."""
    if fields is not None:
        return fields
    wanted = grader.card.input
    return looks_like_field(
        image,
        size=wanted.size,
        pixel_size_um=options.pixel_size_um,
        model_pixel_size_um=wanted.pixel_size_um,
        fit=fit,
    )


def _video(video: _Video, grader: Grader, options: FieldOptions) -> Iterator[GradedField | Failure]:
    try:
        field, failures = read_video_field(
            read_video(video.path, options.sampling), **geometry(grader.card.input, options)
        )
    except MissingExtraError as error:
        # One video must not stop the pictures beside it.
        yield Failure(str(video.path), None, error.code, error.reason, error.advice)
        return
    if field is not None:
        yield grade_items(field, grader)
    yield from failures


def results_of(
    items: Iterable[Graded | GradedField | Failure],
    grader: Grader,
    options: FieldOptions | None = None,
    *,
    keep_crops: bool = False,
) -> Results:
    """One row for each sperm that was graded, as if its crop had been given.

    What was found and not graded is counted in ``extra``; a sperm's ``source`` is its field's name
    and its number in it. A field without a graded sperm is a failure, ``nothing-found``.
    """
    given = list(items)
    fields = [item for item in given if isinstance(item, GradedField)]
    assessments, crops, failures = [], [], []
    for item in given:
        if isinstance(item, Graded):
            assessments.append(item.assessment)
            crops.append(item.crop)
        elif isinstance(item, GradedField):
            for found, verdicts in item.graded:
                assessments.append(verdicts)
                if found.crop is not None:
                    crops.append(found.crop)
        failure = nothing_found(item) if isinstance(item, GradedField) else item
        if isinstance(failure, Failure):
            failures.append(failure)
    results = grader.results(assessments, failures, crops if keep_crops else [])
    return with_fields(results, fields, options)


def with_fields(
    results: Results, fields: Sequence[GradedField], options: FieldOptions | None = None
) -> Results:
    """Results with what is to be kept of the fields that they are from."""
    facts = field_facts(fields, options)
    return replace(
        results,
        extra={**results.extra, **facts},
        fields=tuple(graded.summary for graded in fields),
    )


def field_facts(
    fields: Sequence[GradedField], options: FieldOptions | None = None
) -> Mapping[str, str]:
    """What is to be kept with the results of fields: how many, what was not graded and why."""
    facts = {
        "fields": str(len(fields)),
        "sperm_located": str(sum(len(field.field.sperm) for field in fields)),
        "sperm_graded": str(sum(len(list(field.graded)) for field in fields)),
    }
    if options is not None and options.pixel_size_um is not None:
        facts["pixel_size_um"] = f"{options.pixel_size_um:g}"
    if options is not None and options.head_length is not None:
        facts["head_length_px"] = f"{options.head_length:g}"
    scales = [field.field.scale for field in fields]
    estimated = sum(scale is not None and scale.origin == "estimated" for scale in scales)
    if estimated:
        facts["scale_estimated"] = f"in {estimated} of {len(fields)} fields"
    reasons: dict[str, int] = {}
    for field in fields:
        for reason, count in field.excluded.items():
            reasons[reason] = reasons.get(reason, 0) + count
    for number, (reason, count) in enumerate(sorted(reasons.items()), start=1):
        facts[f"not_graded_{number}"] = f"{count}: {reason}"
    return facts

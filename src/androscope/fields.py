"""Pictures in, located and graded sperm out: crops, fields of view and videos, as they come."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from androscope.assessment.field import GradedField, nothing_found
from androscope.assessment.gate import checks_text
from androscope.assessment.gathered import depth_warning
from androscope.errors import MissingExtraError
from androscope.finders import AUTO, CLASSICAL, FieldOptions, default_finder, finder, geometry
from androscope.imaging.crop import Fit, looks_like_field
from androscope.imaging.field import Field, FieldItem, read_field
from androscope.imaging.head_scale import FieldScale
from androscope.imaging.inputs import Images, Progress, Source, depth_of, read_inputs, sources_of
from androscope.imaging.one_field import ALIKE_PAGES, one_per_field
from androscope.imaging.shared_scale import SharedScale
from androscope.imaging.video import VideoFrame, is_video, read_video
from androscope.imaging.video_field import not_moved, read_video_field
from androscope.predict import Graded, Grader
from androscope.settings import load_settings
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
    image: GreyImage,
    grader: Grader,
    options: FieldOptions | None = None,
    *,
    scale: FieldScale | None = None,
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
    scale
        As other fields of the sample have it: :class:`~androscope.imaging.shared_scale.SharedScale`
        finds it. Default: by this field alone.
    """
    field = read_field(image, scale=scale, **geometry(grader.card.input, options))
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
        as one field in which each sperm counts once, or as several with ``sampling.every``. So are
        pages that show one field by their file's metadata: see
        :func:`androscope.imaging.one_field.one_per_field`.
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

    Fields of one size that state no scale are graded by one, estimated on the first of them.

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
        Every picture gives exactly one, pages that show one field together, a video one for each
        stretch; one that breaks off gives what it has, then a Failure.

    Raises
    ------
    EmptyInputError
        If ``images`` names nothing.
    """
    # What finds heads is made ready when the first field comes: crops need none.
    wanted = options or FieldOptions()
    sources = sources_of(images)
    scales = SharedScale(pixel_size_um=wanted.pixel_size_um, head_length=wanted.head_length)

    def as_field(picture: GreyImage | Failure | _Video) -> GreyImage | None:
        taken = isinstance(picture, GreyImage) and is_field(picture, grader, wanted, fit, fields)
        return picture if taken and isinstance(picture, GreyImage) else None

    waiting: list[GreyImage] = []
    pictures = one_per_field(
        _pictures(sources, fields is not False, progress, wanted),
        lambda picture: as_field(picture) is not None,
    )
    for picture in scales.ahead(pictures, as_field):
        field = as_field(picture)
        if isinstance(picture, GreyImage) and field is None:
            waiting.append(picture)
            if len(waiting) < batch_size:
                continue
        yield from grader.grade_images(waiting, pixel_size=wanted.pixel_size_um, fit=fit)
        waiting = []
        if isinstance(picture, Failure):
            yield picture
        elif isinstance(picture, _Video):
            yield from _video(picture, grader, wanted)
        elif field is not None:
            yield locate_and_grade(field, grader, wanted, scale=scales.of(field))
    yield from grader.grade_images(waiting, pixel_size=wanted.pixel_size_um, fit=fit)


@dataclass(frozen=True, slots=True)
class _Video:
    path: Path


def _pictures(
    sources: Sequence[Source], videos: bool, progress: Progress | None, options: FieldOptions
) -> Iterator[GreyImage | Failure | _Video]:
    """Every picture of every source; videos as wholes."""
    done = 0
    settings = load_settings().with_bit_depth(options.bit_depth)
    least = depth_of(sources, settings)
    for is_one, group in itertools.groupby(sources, lambda source: videos and _is_video(source)):
        some = list(group)
        if not is_one:
            report = _from(done, len(sources) - len(some), progress)
            yield from read_inputs(some, report, settings=settings, least_bits=least)
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
    """The field of a video, or one for each stretch, each sperm once; then what was not read."""
    frames = read_video(video.path, options.sampling)
    before: Field | None = None
    failures: list[Failure] = []
    try:
        for _, stretch in itertools.groupby(frames, _stretch_of()):
            field, failed = read_video_field(stretch, **geometry(grader.card.input, options))
            failures += failed
            if field is None:
                continue
            same = None if before is None else not_moved(before, field)
            if same is not None:
                field = replace(field, notes=(*field.notes, same))
            before = replace(field, pixels=None)
            yield grade_items(field, grader)
    except MissingExtraError as error:
        # One video must not stop the pictures beside it.
        yield Failure(str(video.path), None, error.code, error.reason, error.advice)
        return
    yield from failures


def _stretch_of() -> Callable[[VideoFrame | Failure], int]:
    """Which stretch a frame is of; a failure belongs to that of the frames before it."""
    last = 0

    def of(frame: VideoFrame | Failure) -> int:
        nonlocal last
        if isinstance(frame, VideoFrame):
            last = frame.stretch
        return last

    return of


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
    if options is not None and options.bit_depth is not None:
        facts["bit_depth"] = f"{options.bit_depth}"
    if options is not None and options.head_length is not None:
        facts["head_length_px"] = f"{options.head_length:g}"
    scales = [field.field.scale for field in fields]
    estimated = sum(scale is not None and scale.origin == "estimated" for scale in scales)
    if estimated:
        facts["scale_estimated"] = f"in {estimated} of {len(fields)} fields"
    warning = depth_warning(field.field.notes for field in fields)
    if warning:
        facts["bit_depth_warning"] = warning
    alike = sum(any(n.startswith(ALIKE_PAGES) for n in field.field.notes) for field in fields)
    if alike:
        facts["pages_alike"] = f"{alike} of {len(fields)} fields {ALIKE_PAGES}"
    told: dict[str, int] = {}
    for scale in scales:
        for note in () if scale is None else scale.notes:
            told[note] = told.get(note, 0) + 1
    for number, (note, count) in enumerate(told.items(), start=1):
        facts[f"scale_warning_{number}"] = f"{note} (in {count} of {len(fields)} fields)"
    reasons: dict[str, int] = {}
    for field in fields:
        for reason, count in field.excluded.items():
            reasons[reason] = reasons.get(reason, 0) + count
    for number, (reason, count) in enumerate(sorted(reasons.items()), start=1):
        facts[f"not_graded_{number}"] = f"{count}: {reason}"
    return facts

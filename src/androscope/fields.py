"""Pictures in, located and graded sperm out: crops, fields of view and videos, as they come."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from androscope.assessment.field import GradedField
from androscope.assessment.gate import checks_text
from androscope.errors import MissingExtraError
from androscope.field_results import field_facts, results_of, with_fields
from androscope.finders import AUTO, CLASSICAL, FieldOptions, default_finder, finder, geometry
from androscope.imaging.crop import Fit, looks_like_field
from androscope.imaging.field import Field, FieldItem, read_field
from androscope.imaging.head_scale import FieldScale
from androscope.imaging.inputs import Images, Progress, Source, depth_of, read_inputs, sources_of
from androscope.imaging.one_field import one_per_field
from androscope.imaging.shared_scale import SharedScale
from androscope.imaging.video import VideoFrame, is_video, read_video
from androscope.imaging.video_field import not_moved, read_video_field
from androscope.predict import Graded, Grader
from androscope.settings import load_settings
from androscope.types import Assessment, Failure, GreyImage

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
        if isinstance(picture, GreyImage) and is_field(picture, grader, wanted, fit, fields):
            return picture
        return None

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

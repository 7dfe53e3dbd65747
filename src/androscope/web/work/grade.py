"""One kept picture graded: what a working process does, beside the records' own words for it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from androscope.assessment.field import GradedField
from androscope.assessment.gate import blank_flag, checks_text
from androscope.errors import ImageError, SettingsError
from androscope.fields import FieldOptions, is_field, locate_and_grade
from androscope.imaging.read import read_image
from androscope.predict import Graded as GradedCrop
from androscope.predict import Grader
from androscope.records.opinions import decode_png
from androscope.records.types import Find, StoredModel
from androscope.types import Failure, GreyImage
from androscope.web.work.wire import Graded, GradeTask, Stopped, WireFind

__all__ = ["grade", "grader_of"]

#: Of a failure that is an answer: a check was not passed, and the picture is shown with it.
_REFUSED = "refused"


def grade(task: GradeTask, *, threads: int) -> Graded | Stopped:
    """Grade a picture as a field or as a crop, by its size or as the sample says."""
    grader = grader_of(task.model, task.error_rate, threads, task.grade_anyway)
    options = FieldOptions(pixel_size_um=task.given_pixel_size_um, head_length=task.head_length)
    try:
        kept = read_image(Path(task.path), name=task.name)
    except ImageError as error:
        return Stopped(code=error.code, reason=error.reason, advice=error.advice)
    chroma = None if task.chroma is None else decode_png(task.chroma)
    image = GreyImage(kept.pixels, task.name, None, task.pixel_size_um, chroma=chroma)
    fields = None if task.taken_as == "by size" else task.taken_as == "fields"
    model = StoredModel(
        grader.card.name,
        grader.card.version,
        grader.card.model_sha256,
        grader.card.model_dump_json(),
        grader.error_rate,
    )
    if is_field(image, grader, options, "auto", fields):
        return _field(locate_and_grade(image, grader, options), model)
    (item,) = grader.grade_images([image], pixel_size=task.given_pixel_size_um)
    return _crop(item, model, checked=grader.card.checks is not None)


@lru_cache(maxsize=2)
def grader_of(
    model: str | None, error_rate: float | None, threads: int, grade_anyway: bool = False
) -> Grader:
    """The model at hand; the last two are kept.

    Raises
    ------
    SettingsError
        If the error rate is outside its range, as that of a sample of an earlier version may be:
        nothing is wrong with its images.
    """
    try:
        return Grader(model, threads=threads, error_rate=error_rate, grade_anyway=grade_anyway)
    except ValueError as error:
        raise SettingsError(str(error), advice="Make a new sample of these images") from error


def _field(graded: GradedField, model: StoredModel) -> Graded:
    field = graded.field
    finds = []
    for item, verdicts in zip(field.items, graded.assessments, strict=True):
        located, crop = item.located, item.crop
        find = Find(
            x=located.x,
            y=located.y,
            length=located.length,
            width=located.width,
            angle_deg=located.angle_deg,
            pixels=None if crop is None else crop.pixels,
            parts=() if verdicts is None else verdicts.parts,
            flags=item.flags if verdicts is None else verdicts.flags,
            notes=() if verdicts is None else verdicts.notes,
            excluded=item.excluded,
            is_sperm=located.is_sperm,
        )
        finds.append(WireFind.of(find))
    scale = field.scale
    return Graded(
        kind="field",
        finds=tuple(finds),
        notes=field.notes,
        head_length_px=None if scale is None else scale.head_length,
        scale_origin=None if scale is None else scale.origin,
        model=model,
    )


def _crop(item: GradedCrop | Failure, model: StoredModel, *, checked: bool) -> Graded | Stopped:
    notes: tuple[str, ...] = ()
    if isinstance(item, Failure):
        if item.code != _REFUSED:
            return Stopped(code=item.code, reason=item.reason, advice=item.advice)
        # In what does not stand out nothing says that there is a sperm at all.
        seen = all(flag.check != "contrast" for flag in item.flags)
        find = Find(flags=item.flags, excluded=checks_text(item.flags), is_sperm=seen)
    elif (blank := blank_flag(item.crop)) is not None and not checked:
        # No check would refuse it: the model would give a verdict, and it would count.
        find = Find(pixels=item.crop.pixels, excluded=blank.reason, is_sperm=False)
    else:
        verdicts = item.assessment
        notes = item.crop.notes
        find = Find(
            pixels=item.crop.pixels,
            parts=verdicts.parts,
            flags=verdicts.flags,
            notes=verdicts.notes,
        )
    return Graded(
        kind="crop",
        finds=(WireFind.of(find),),
        notes=notes,
        head_length_px=None,
        scale_origin=None,
        model=model,
    )

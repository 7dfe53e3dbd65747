"""Fields that were graded, as results: a row for each sperm, and what is to be kept beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from androscope.assessment.field import GradedField, nothing_found
from androscope.assessment.gathered import depth_warning
from androscope.finders import FieldOptions
from androscope.imaging.one_field import ALIKE_PAGES
from androscope.predict import Graded, Grader
from androscope.types import Failure, Results

__all__ = ["field_facts", "results_of", "with_fields"]


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

"""May this crop be graded: what was measured of it against the limits in the model's card.

A crop that does not pass is refused, with every reason; or graded all the same where the user says
so, and then carries its flags. The model would give any picture a verdict, and a sure one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from androscope.assessment.ways_out import way_out
from androscope.errors import RefusedError
from androscope.imaging.checks import measure_crops
from androscope.imaging.frame import frame_faults, is_blank
from androscope.imaging.read import failure_of
from androscope.model.card_checks import CheckLimits, CheckName, Checks
from androscope.model.domain import Domain
from androscope.types import Crop, Failure, Flag, FloatArray

__all__ = [
    "UNCHECKED",
    "blank_flag",
    "check_crops",
    "checks_text",
    "refusal",
    "values_of",
]

#: What is said once of a model whose card has no checks.
UNCHECKED = (
    "whether these images may be graded was not checked: the model's card has no checks, and the "
    "model gives anything a verdict"
)

_OUTSIDE = "outside the training domain"

#: What is wrong below a check's low limit and above its high one, with the value and the limit.
_WORDS: Mapping[CheckName, tuple[str, str]] = {
    "focus": (
        "out of focus: sharpness {value}, at least {limit}",
        "finer detail than a sperm has, such as noise or text: sharpness {value}, at most {limit}",
    ),
    "detail": (
        "blurred: detail of {value} of the coarse pattern, at least {limit}",
        "detail of {value} of the coarse pattern, at most {limit}",
    ),
    "contrast": (
        "hardly anything stands out from the background: contrast {value}, at least {limit}",
        f"stands out more than unstained sperm, {_OUTSIDE}: contrast {{value}}, at most {{limit}}",
    ),
    "polarity": (
        f"darker than its background all over, {_OUTSIDE}: polarity {{value}}, at least {{limit}}",
        f"brighter than its background, as an inverted picture is, {_OUTSIDE}: polarity {{value}}, "
        "at most {limit}",
    ),
    "saturation": (
        "{value} of the pixels are black or white, at least {limit}",
        "{value} of the pixels are black or white, at most {limit}: what was there is lost",
    ),
    "scale": (
        "too small for a head at this scale: {value} px long in the crop, at least {limit}",
        "too large for a head at this scale: {value} px long in the crop, at most {limit}",
    ),
    "several heads": (
        "the second largest thing is {value} of the largest, at least {limit}",
        "several heads, or a head beside something else: the second largest thing is {value} of "
        "the largest, at most {limit}",
    ),
    "beside": (
        "{value} of the head's area stands out beside it, at least {limit}",
        "something beside the head, such as a second one: {value} of the head's area stands out "
        "more than 24 px from its middle, at most {limit}",
    ),
    "edge": (
        "{value} of the crop's edge stands out, at least {limit}",
        "cut by the crop's edge, or no even background: {value} of the edge stands out, at most "
        "{limit}",
    ),
    "colour": (
        "chroma {value}, at least {limit}",
        f"coloured as stained sperm are, {_OUTSIDE}: chroma {{value}}, at most {{limit}}",
    ),
    "domain": (
        f"{_OUTSIDE}: distance {{value}} from the crops it learned from, at least {{limit}}",
        f"{_OUTSIDE}: distance {{value}} from the crops it learned from, at most {{limit}}",
    ),
}
#: Further inside a limit than this, as a share of it, rounding to four digits changes nothing.
_NEAR = 2e-3
_SHARES: tuple[CheckName, ...] = (
    "detail", "contrast", "saturation", "several heads", "beside", "edge",
)  # fmt: skip


def values_of(
    crops: Sequence[Crop], embeddings: FloatArray, domain: Domain | None
) -> Mapping[CheckName, FloatArray]:
    """Measure crops of one size: a value ``(N,)`` for each check.

    Parameters
    ----------
    crops
        ``N`` of them.
    embeddings
        What the model's trunk makes of them, ``(N, D)``.
    domain
        Reference of the distance to the training data; without it there is no ``domain``.
    """
    if not crops:
        return {}
    measures = measure_crops(np.stack([crop.pixels for crop in crops]))
    values: dict[CheckName, FloatArray] = {
        "focus": measures.sharpness,
        "detail": measures.detail,
        "contrast": measures.contrast,
        "polarity": measures.polarity,
        "saturation": measures.saturation,
        "scale": measures.length,
        "several heads": measures.second,
        "beside": measures.beside,
        "edge": measures.edge,
        # A crop of unknown colour passes: it came as grey pixels.
        "colour": np.array([crop.chroma or 0.0 for crop in crops], np.float32),
    }
    if domain is not None:
        values["domain"] = domain.distance(embeddings)
    return values


def check_crops(
    crops: Sequence[Crop], embeddings: FloatArray, checks: Checks | None, domain: Domain | None
) -> list[tuple[Flag, ...]]:
    """The checks that each crop does not pass; none where a card has no checks.

    Parameters
    ----------
    crops, embeddings, domain
        As for :func:`values_of`.
    checks
        Of the model's card.
    """
    if checks is None or not crops:
        return [()] * len(crops)
    values = values_of(crops, embeddings, domain)
    flags: list[list[Flag]] = [[] for _ in crops]
    for name, limits in checks.ordered().items():
        if name not in values:
            continue
        for row in np.flatnonzero(_suspect(values[name], limits)):
            flag = _flag(name, float(values[name][row]), limits)
            if flag is not None:
                flags[row].append(flag)
    for number, crop in enumerate(crops):
        blank = blank_flag(crop)
        if blank is not None:
            flags[number] = [blank]
    return [tuple(found) for found in flags]


def blank_flag(crop: Crop) -> Flag | None:
    """The flag of a crop without anything in it; ``None`` for any other. Needs no card."""
    if not is_blank(crop.pixels):
        return None
    (reason,) = frame_faults(crop.pixels)
    return Flag("contrast", 0.0, 0.0, reason)


def _suspect(values: FloatArray, limits: CheckLimits) -> NDArray[np.bool_]:
    """Which values may lie beyond a limit once both are rounded: nearly all do not by far."""
    inside = np.ones(len(values), bool)
    if limits.low is not None:
        inside &= values > limits.low + _NEAR * abs(limits.low)
    if limits.high is not None:
        inside &= values < limits.high - _NEAR * abs(limits.high)
    return ~inside


def _flag(name: CheckName, value: float, limits: CheckLimits) -> Flag | None:
    # The numbers are compared as they are shown, so that a reader who compares them agrees.
    value = _rounded(value)
    for limit, below in ((limits.low, True), (limits.high, False)):
        if limit is None:
            continue
        limit = _rounded(limit)
        # `not (within)` rather than `beyond`: a value that is no number passes nothing.
        if not (value >= limit if below else value <= limit):
            words = _WORDS[name][0 if below else 1]
            reason = words.format(value=_shown(name, value), limit=_shown(name, limit))
            return Flag(name, value, limit, reason)
    return None


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _shown(name: CheckName, value: float) -> str:
    return f"{100 * value:.4g}%" if name in _SHARES else f"{value:.4g}"


def refusal(crop: Crop, flags: Sequence[Flag]) -> Failure:
    """The record of a crop that is not graded for what its checks found."""
    reason = "; ".join(flag.reason for flag in flags)
    failure = failure_of(RefusedError(reason, advice=way_out(crop, flags)), crop.source, crop.index)
    return Failure(
        failure.source, failure.index, failure.code, failure.reason, failure.advice, tuple(flags)
    )


def checks_text(flags: Sequence[Flag]) -> str:
    """Why a crop is not graded, without its numbers, so that crops can be counted by it."""
    if len(flags) == 1 and flags[0].reason.startswith("blank"):
        return flags[0].reason
    return f"refused by the checks: {', '.join(flag.check for flag in flags)}"

"""What to do about a crop that is refused, by the check that it did not pass.

Grading it all the same is offered only where that can be right: never for a blank picture, and
never where the head has another size than the model learned from, which gives wrong verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from androscope.imaging.crop import resized_from
from androscope.types import Assessment, Crop, Failure, Flag

__all__ = ["BLANK", "WAYS", "too_small", "way_out"]

_CUT = "Cut a square of about 1.7 head lengths around the head"

#: What to do below a check's low limit and above its high one.
WAYS: Mapping[str, tuple[str, str]] = {
    "focus": (
        "Focus on the head and take the sharpest frame",
        "Average frames if the camera is noisy",
    ),
    "detail": (
        "Focus on the head and take the sharpest frame",
        "Average frames if the camera is noisy",
    ),
    "contrast": (
        "Check illumination and condenser",
        "Give stained sperm to a model of stained sperm",
    ),
    "polarity": (
        "Give other contrasts than bright field to a model of theirs",
        "Invert it back, or give other contrasts to a model of theirs",
    ),
    "saturation": ("Check the exposure", "Lower the exposure or the gain"),
    "scale": (_CUT, _CUT),
    "several heads": ("Cut one crop for each head", "Cut one crop for each head"),
    "beside": ("Cut one crop for each head", "Cut one crop for each head"),
    "edge": ("Cut the square around the head's middle", "Cut the square around the head's middle"),
    "colour": (
        "Give it to a model of sperm prepared so",
        "Give stained sperm to a model of stained sperm",
    ),
    "domain": (
        "Validate, calibrate or adapt the model on crops of your own first",
        "Validate, calibrate or adapt the model on crops of your own first",
    ),
}

#: Of a picture without anything in it.
BLANK = "There is nothing in it: check shutter, illumination and export, and take it again"
_ANYWAY = (
    "If it does show one sperm as the model's card describes them, --grade-anyway grades it and "
    "keeps these flags"
)
_SHRUNK = (
    "It was resized from {side} px: if its head is shorter than half of that, cut a square of "
    "about 1.7 head lengths around it. "
)
_CENTRE = "or give --fit centre"
#: Heads up to so many times the smallest that is graded are graded for sure.
_ROOM = 2.0


def way_out(crop: Crop, flags: Sequence[Flag]) -> str:
    """What to do about a crop that did not pass ``flags``, one sentence per check."""
    if any(_is_blank(flag) for flag in flags):
        return BLANK
    for flag in flags:
        length = _unshrunk(flag, crop.notes, len(crop.pixels))
        if length is not None:
            # Shrunk so far, it looks too finely drawn and too faint as well: one cause, one step.
            return (
                f"{_CUT}, {_CENTRE}: without resizing, the largest thing in it is {length:.0f} px "
                "long. What else was measured changes with it"
            )
    found = [WAYS[flag.check][flag.value > flag.limit] for flag in flags if flag.check in WAYS]
    if not any(flag.check == "scale" for flag in flags):
        side = resized_from(crop.notes) or 0
        found.append(_SHRUNK.format(side=side) + _ANYWAY if side > len(crop.pixels) else _ANYWAY)
    return ". ".join(dict.fromkeys(found))


def too_small(
    assessments: Sequence[Assessment], failures: Sequence[Failure], size: int
) -> str | None:
    """Say so if resizing made the heads of most pictures too small, and what mends all of them.

    Parameters
    ----------
    assessments, failures
        What was graded, flagged or not, and what was not.
    size
        Side of the model's crops, px.
    """
    count = sum(_CENTRE in (failure.advice or "") for failure in failures)
    count += sum(
        any(_unshrunk(flag, found.notes, size) is not None for flag in found.flags)
        for found in assessments
    )
    total = len(assessments) + len(failures)
    if count < 2 or 2 * count <= total:
        return None
    return (
        f"{count} of {total} pictures show more than the model's crops do: brought to {size} px, "
        "their heads are too small to be graded. Give --fit centre, which takes the middle at the "
        "picture's own scale; --grade-anyway would grade them at the wrong one"
    )


def _is_blank(flag: Flag) -> bool:
    return flag.reason.startswith("blank")


def _unshrunk(flag: Flag, notes: Sequence[str], size: int) -> float | None:
    """How long the head is in the picture itself, px, if that is what the model takes.

    ``None`` if it was not shrunk, was not too small, or is no better at its own scale.
    """
    side = resized_from(notes)
    if flag.check != "scale" or not flag.value < flag.limit or side is None:
        return None
    length = flag.value * side / size
    return length if flag.limit <= length <= _ROOM * flag.limit else None

"""Everything that was graded, with the facts of the model that graded it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from androscope.assessment.gate import UNCHECKED
from androscope.assessment.ways_out import too_small
from androscope.imaging.pixel_size import SAID_OTHERWISE
from androscope.imaging.values import guessed_bits
from androscope.model.card import Card
from androscope.model.runtime import runtime_of
from androscope.settings import Backend
from androscope.types import Assessment, Crop, Cuts, Failure, Results

__all__ = ["depth_warning", "gathered", "pixel_size_unused"]


def gathered(
    card: Card,
    assessments: Sequence[Assessment],
    failures: Sequence[Failure] = (),
    crops: Sequence[Crop] = (),
    *,
    pixel_size: float | None = None,
    error_rate: float | None = None,
    cuts: Mapping[str, Cuts] | None = None,
    backend: Backend = "onnxruntime",
) -> Results:
    """Put results together.

    Parameters
    ----------
    card
        Of the model that graded.
    assessments, failures, crops
        As :class:`~androscope.types.Results` holds them.
    pixel_size
        Micrometres per pixel, as the user gave it.
    error_rate, cuts
        What verdicts were made with; see :mod:`androscope.assessment.conformal`.
    backend
        What ran the network; said in the results if it is not what the card was measured with.
    """
    extra = {}
    if backend != "onnxruntime":
        extra["run_by"] = runtime_of(backend)
    if pixel_size is not None:
        extra["pixel_size_um"] = f"{pixel_size:g}"
    warning = pixel_size_unused(card, pixel_size)
    if warning:
        extra["pixel_size_warning"] = warning
    warning = depth_warning(assessment.notes for assessment in assessments)
    if warning:
        extra["bit_depth_warning"] = warning
    differing = [n for a in assessments for n in a.notes if n.startswith(SAID_OTHERWISE)]
    if differing:
        extra["pixel_size_differs"] = f"{differing[0]} (in {len(differing)} images)"
    if card.checks is None:
        extra["not_checked"] = UNCHECKED
    flagged = sum(bool(assessment.flags) for assessment in assessments)
    if flagged:
        extra["graded_anyway"] = f"{flagged} that did not pass the checks"
    small = too_small(assessments, failures, card.input.size)
    if small:
        extra["too_small"] = small
    return Results(
        model=card.name,
        model_sha256=card.model_sha256,
        labels=card.labels,
        assessments=tuple(assessments),
        failures=tuple(failures),
        crops=tuple(crops),
        extra=extra,
        model_version=card.version,
        thresholds=dict(card.thresholds),
        error_rate=error_rate,
        cuts=dict(cuts or {}),
    )


def depth_warning(notes: Iterable[Sequence[str]]) -> str | None:
    """Say so if the bit depth of an image was guessed, by the notes of each."""
    guessed = {bits for bits in map(guessed_bits, notes) if bits is not None}
    if not guessed:
        return None
    said = " and ".join(str(bits) for bits in sorted(guessed))
    return (
        f"the bit depth of some images was guessed ({said}), and verdicts depend on it: give the "
        "camera's with --bit-depth"
    )


def pixel_size_unused(card: Card, pixel_size: float | None) -> str | None:
    """Say so if a pixel size was given and the model cannot use it."""
    if pixel_size is None or card.input.pixel_size_um is not None:
        return None
    return (
        f"the pixel size ({pixel_size:g} um) was not used: that of the crops {card.name} "
        "learned from is not known, so images are fitted by their size in pixels"
    )

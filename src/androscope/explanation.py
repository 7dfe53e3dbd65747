"""Where the model looked: images in, verdicts and a heat map for each out.

:func:`explain` is the one-line API, :func:`explain_crop` what a page calls for one crop at a time.
The maps themselves are :func:`androscope.model.saliency.heat_maps`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from androscope.assessment.look import Look, read_map
from androscope.imaging.crop import Fit
from androscope.imaging.heat import draw_heat
from androscope.imaging.inputs import Images, Progress
from androscope.imaging.pose import head_pose
from androscope.imaging.sheet import png_bytes
from androscope.predict import Graded, Grader
from androscope.types import Assessment, Crop, Failure, FloatArray, UInt8Array

__all__ = [
    "PROVES_NOT",
    "Explained",
    "Explanations",
    "explain",
    "explain_crop",
    "explain_graded",
    "explain_stream",
    "overlay",
    "overlay_png",
]

#: What stands beside every map.
PROVES_NOT = (
    "A heat map shows what the model reacted to, not whether it is right, nor what is wrong with "
    "the sperm."
)


@dataclass(frozen=True, slots=True)
class Explained:
    """One crop: its verdicts, and for each where the model looked.

    Attributes
    ----------
    assessment
        The same as :func:`androscope.assess` gives.
    crop
        As it was graded.
    maps
        ``(L, S, S)`` float32, in the order of ``assessment.parts``: log odds of abnormal that the
        verdict loses when the place is hidden. Positive speaks for abnormal, negative for normal.
    looks
        Each map read: peak, strength, extent.
    """

    assessment: Assessment
    crop: Crop
    maps: FloatArray = field(repr=False, compare=False)
    looks: tuple[Look, ...]

    def __getitem__(self, label: str) -> Look:
        self.assessment[label]  # raises KeyError with what there is
        return next(look for look in self.looks if look.label == label)

    def map_of(self, label: str) -> FloatArray:
        """The map ``(S, S)`` of one label. Raises :class:`KeyError`."""
        self.assessment[label]
        return np.asarray(self.maps[[look.label for look in self.looks].index(label)])


@dataclass(frozen=True, slots=True)
class Explanations:
    """What explaining a set of images gave; every image is in exactly one of the two."""

    model: str
    model_sha256: str
    labels: tuple[str, ...]
    explained: tuple[Explained, ...]
    failures: tuple[Failure, ...] = ()

    def __len__(self) -> int:
        return len(self.explained)


def explain(
    images: Images,
    *,
    model: str | Path | None = None,
    pixel_size: float | None = None,
    fit: Fit = "auto",
    threads: int | None = None,
    error_rate: float | None = None,
    grade_anyway: bool = False,
    progress: Progress | None = None,
) -> Explanations:
    """Grade images of single sperm and map where the model looked for each verdict.

    Parameters
    ----------
    images, model, pixel_size, fit, threads, error_rate, grade_anyway, progress
        As for :func:`androscope.assess`. Each crop costs about 160 times what grading it costs,
        and its maps some 50 kB.

    Returns
    -------
    Explanations
        In the order of the input. An image that cannot be graded is in ``failures`` with the
        reason, and does not stop the others.

    Raises
    ------
    EmptyInputError, BundleError, ValueError
        As :func:`androscope.assess`.

    Examples
    --------
    >>> import androscope
    >>> found = androscope.explain("crops/")  # doctest: +SKIP
    >>> found.explained[0]["vacuole"].place  # doctest: +SKIP
    'front'
    """
    grader = Grader(model, threads=threads, error_rate=error_rate, grade_anyway=grade_anyway)
    explained: list[Explained] = []
    failures: list[Failure] = []
    for item in explain_stream(images, grader, pixel_size=pixel_size, fit=fit, progress=progress):
        if isinstance(item, Failure):
            failures.append(item)
        else:
            explained.append(item)
    card = grader.card
    return Explanations(
        card.name, card.model_sha256, card.labels, tuple(explained), tuple(failures)
    )


def explain_stream(
    images: Images,
    grader: Grader,
    *,
    pixel_size: float | None = None,
    fit: Fit = "auto",
    progress: Progress | None = None,
) -> Iterator[Explained | Failure]:
    """Explain images one by one and in order; memory does not grow with their number."""
    stream = grader.stream(images, pixel_size=pixel_size, fit=fit, batch_size=1, progress=progress)
    return (item if isinstance(item, Failure) else _explained(item, grader) for item in stream)


def explain_crop(crop: Crop, grader: Grader) -> Explained | Failure:
    """Explain one crop that is in the model's geometry already.

    Returns
    -------
    Explained or Failure
        A failure if the model refuses to grade it.
    """
    (item,) = grader.grade([crop])
    return item if isinstance(item, Failure) else _explained(item, grader)


def explain_graded(crop: Crop, assessment: Assessment, grader: Grader) -> Explained:
    """Explain a crop that was graded before: its verdicts and flags are those of then.

    Parameters
    ----------
    assessment
        By the grader's model; a part for each of its labels, in its order.

    Raises
    ------
    ValueError
        If the parts are not the model's.
    """
    labels = tuple(part.label for part in assessment.parts)
    if labels != grader.card.labels:
        raise ValueError(
            f"expected verdicts on {', '.join(grader.card.labels)}, got {', '.join(labels)}"
        )
    (maps,) = grader.explain([crop])
    pose = head_pose(crop.pixels)
    looks = tuple(
        read_map(heat, part, pose) for heat, part in zip(maps, assessment.parts, strict=True)
    )
    return Explained(assessment, crop, maps, looks)


def _explained(graded: Graded, grader: Grader) -> Explained:
    return explain_graded(graded.crop, graded.assessment, grader)


def overlay(explained: Explained, label: str) -> UInt8Array:
    """The map of one label over the crop, with a legend: ``(H, W, 3)`` uint8."""
    part, look = explained.assessment[label], explained[label]
    peak = None if look.x is None or look.y is None else (look.x, look.y)
    lines = [
        f"{label}: {part.verdict.value}, probability of abnormal {part.probability:.2f} "
        f"(abnormal from {part.threshold:g})",
        f"ring: what speaks most for {look.side.value}"
        if peak
        else f"no one place speaks for {look.side.value}: nothing is ringed",
        "what the model reacted to, not whether it is right",
    ]
    flags = ", ".join(flag.check for flag in explained.assessment.flags)
    if flags:
        lines.append(f"did not pass the checks: {flags}")
    return draw_heat(explained.crop.pixels, explained.map_of(label), lines=lines, peak=peak)


def overlay_png(explained: Explained, label: str) -> bytes:
    """:func:`overlay` as the bytes of a PNG file."""
    return png_bytes(overlay(explained, label))

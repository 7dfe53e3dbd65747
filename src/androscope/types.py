"""The nouns of the whole package: labels, crops, verdicts, results.

Convention, everywhere: a label is 0 for *normal* and 1 for *abnormal*, as MHSMA has it. A
*probability* is always the probability that the part is **abnormal**; the verdict is abnormal from
the threshold upward. In metrics *normal* is the positive class, as in the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ABNORMAL",
    "NORMAL",
    "PARTS",
    "Assessment",
    "Crop",
    "Cuts",
    "Failure",
    "FieldSummary",
    "Flag",
    "FloatArray",
    "GreyImage",
    "IntArray",
    "PartVerdict",
    "Results",
    "StackPlace",
    "UInt8Array",
    "Verdict",
    "Views",
]

UInt8Array = NDArray[np.uint8]

#: How many views of a crop are graded, turned and mirrored, whose mean is what counts: itself, two
#: of them, or all eight.
Views = Literal[1, 2, 8]
FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

#: The parts of a sperm that MHSMA labels, in the order every table and bundle of ours uses.
PARTS: tuple[str, ...] = ("head", "acrosome", "vacuole", "tail")

NORMAL = 0
ABNORMAL = 1


class Verdict(StrEnum):
    """What is said of one part of one sperm; *undecided* leaves it to a person."""

    NORMAL = "normal"
    ABNORMAL = "abnormal"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class StackPlace:
    """Where a page of a file lies among pages that show one field, by the file's metadata.

    Attributes
    ----------
    stack
        Which field of the file, from 0.
    z, c, t
        Its focal plane, channel and time, from 0.
    sizes
        How many of each there are: ``(Z, C, T)``.
    sure
        False where the file's words are also used for other pages: ImageJ calls those of any stack
        slices.
    """

    stack: int
    z: int
    c: int
    t: int
    sizes: tuple[int, int, int]
    sure: bool = True


@dataclass(frozen=True, slots=True)
class GreyImage:
    """One decoded grey picture, before any cropping.

    Attributes
    ----------
    pixels
        ``(H, W)`` uint8, 0 black to 255 white.
    source
        Path or name it came from, as the user wrote it.
    index
        Page of a multi-page file or row of a stack; ``None`` for a single picture.
    pixel_size_um
        Micrometres per pixel if the file says so.
    notes
        What decoding did to the picture that a reader should know ("16-bit scaled to 8").
    chroma
        How coloured it was before it became grey, coarsely, as
        :func:`androscope.imaging.chroma.chroma_map` has it; ``None`` for a grey picture.
    place
        Where it lies among pages that show one field; ``None`` for a picture of its own.
    """

    pixels: UInt8Array
    source: str
    index: int | None = None
    pixel_size_um: float | None = None
    notes: tuple[str, ...] = ()
    chroma: UInt8Array | None = field(default=None, repr=False, compare=False)
    place: StackPlace | None = None


@dataclass(frozen=True, slots=True)
class Crop:
    """One sperm in the geometry a model expects: ``pixels`` is ``(size, size)`` uint8.

    ``chroma`` is how coloured what it shows was before it became grey, 0 (not at all) to 1;
    ``None`` where that is not known.
    """

    pixels: UInt8Array
    source: str
    index: int | None = None
    notes: tuple[str, ...] = ()
    chroma: float | None = None


@dataclass(frozen=True, slots=True)
class PartVerdict:
    """The verdict on one part: probability that it is abnormal (0 to 1), and the threshold."""

    label: str
    probability: float
    threshold: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where a part is undecided, at one error rate; see :mod:`androscope.assessment.conformal`.

    Attributes
    ----------
    abnormal_from
        A part may be abnormal from this probability upward.
    normal_to
        It may be normal up to this one. Where it may be both, or neither, it is undecided.
    """

    abnormal_from: float
    normal_to: float


@dataclass(frozen=True, slots=True)
class Flag:
    """One check that an image did not pass before it was to be graded.

    Attributes
    ----------
    check
        Which check: ``focus``, ``detail``, ``contrast``, ``polarity``, ``saturation``, ``scale``,
        ``several heads``, ``beside``, ``edge``, ``colour``, ``domain``.
    value, limit
        What was measured, and the limit it passed over or fell under.
    reason
        Both in words, for people.
    """

    check: str
    value: float
    limit: float
    reason: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """All verdicts on one sperm; ``flags`` are the checks it did not pass and was graded anyway."""

    source: str
    index: int | None
    parts: tuple[PartVerdict, ...]
    notes: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()

    @property
    def name(self) -> str:
        """``source``, with ``[index]`` behind it for a page or a stack's row."""
        return self.source if self.index is None else f"{self.source}[{self.index}]"

    def __getitem__(self, label: str) -> PartVerdict:
        for part in self.parts:
            if part.label == label:
                return part
        known = ", ".join(p.label for p in self.parts)
        raise KeyError(f"{label!r} is not assessed by this model; it assesses {known}")


@dataclass(frozen=True, slots=True)
class Failure:
    """One image that could not be assessed, and why. Never silently dropped.

    ``flags`` are the checks it did not pass, if that is why.
    """

    source: str
    index: int | None
    code: str
    reason: str
    advice: str | None = None
    flags: tuple[Flag, ...] = ()

    @property
    def name(self) -> str:
        """``source``, with ``[index]`` behind it for a page or a stack's row."""
        return self.source if self.index is None else f"{self.source}[{self.index}]"


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """What one field of view held.

    Attributes
    ----------
    source, index
        As of the picture.
    located, graded
        How many sperm were found, and how many of them have verdicts.
    head_length_px, scale_from
        Length of a normal head, and how it is known (``pixel size``, ``head length``,
        ``estimated``); ``None`` if it is not.
    not_graded
        Why things found were not graded, and how many for each reason; the commonest first.
    notes
        What a reader should know of the field as a whole.
    """

    source: str
    index: int | None
    located: int
    graded: int
    head_length_px: float | None = None
    scale_from: str | None = None
    not_graded: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """What assessing a set of images gave, in input order.

    Attributes
    ----------
    model
        Name of the bundle that graded.
    model_sha256
        SHA-256 of its ``model.onnx``.
    labels
        Labels in the bundle's order.
    model_version
        Version of the bundle.
    thresholds
        For each label, the probability from which a part is abnormal.
    assessments, failures
        Every crop is in exactly one of the two; a field of view has its graded sperm in the first,
        or is in the second if there are none.
    crops
        The crops as they were graded, in the order of ``assessments``; empty unless asked for.
    extra
        Further facts to be kept with the results, as text.
    error_rate
        The share of wrong verdicts, of either class, that was allowed; ``None``: verdicts are by
        the thresholds, and none is undecided.
    cuts
        For each label, where a part is undecided at this error rate; empty without one.
    fields
        Of each field of view, what it held.
    """

    model: str
    model_sha256: str
    labels: tuple[str, ...]
    assessments: tuple[Assessment, ...]
    failures: tuple[Failure, ...] = ()
    crops: tuple[Crop, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    model_version: str = ""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    error_rate: float | None = None
    cuts: Mapping[str, Cuts] = field(default_factory=dict)
    fields: tuple[FieldSummary, ...] = ()

    def __len__(self) -> int:
        return len(self.assessments)

"""What records hold, as others see it: frozen, without a database behind them.

Times are aware, UTC. Ids are the store's own whole numbers, from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from androscope.types import Flag, PartVerdict, UInt8Array, Verdict

__all__ = [
    "CropRecord",
    "Find",
    "Image",
    "Job",
    "JobState",
    "Page",
    "SampleStatus",
    "SampleSummary",
    "StoredModel",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list: its items, which page it is (from 1), and how many items there are."""

    items: tuple[T, ...]
    page: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.per_page))


class SampleStatus(StrEnum):
    """How far a sample has come; computed from its jobs, its reviews and its signatures."""

    EMPTY = "empty"  #: Nothing was graded, and nothing waits to be.
    GRADING = "grading"  #: An image waits to be graded.
    GRADED = "graded"  #: Graded, and no person has looked.
    IN_REVIEW = "in review"  #: A person has accepted or changed something.
    SIGNED = "signed"
    CHANGED = "changed"  #: Something was changed after the last signature.


class JobState(StrEnum):
    """Of an image that is to be graded, or of other work that survives a restart."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done or being done."""
        return self in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """A sample and how far it has come.

    Attributes
    ----------
    name
        What the lab calls it; unique in the store.
    pixel_size_um
        Of its images, um/px, where their files do not say so.
    settings
        Further facts that grading needs, as text: ``model``, ``error_rate``, ``taken_as``...
    images, failures
        Pictures kept, and files or pictures that could not be used.
    found, assessed, normal, abnormal, undecided
        Sperm, by the verdicts that stand now: a sperm is abnormal if any part is, normal if all
        are, else undecided.
    reviewed
        Crops that a person has accepted or changed.
    open_jobs
        Files to be decoded and images to be graded, waiting or in hand.
    signed_version
        Of the last signed report; 0: none.
    last_event
        Number of the sample's last entry in the log.
    """

    id: int
    name: str
    created: datetime
    created_by: str
    pixel_size_um: float | None
    comment: str
    settings: Mapping[str, str]
    status: SampleStatus
    images: int = 0
    failures: int = 0
    found: int = 0
    assessed: int = 0
    normal: int = 0
    abnormal: int = 0
    undecided: int = 0
    reviewed: int = 0
    open_jobs: int = 0
    signed_version: int = 0
    last_event: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """One picture of a sample, kept as a grey PNG without any tag.

    Attributes
    ----------
    name
        Of the file, as given: data, never a path.
    index
        Page of a multi-page file; ``None`` for a file of one picture.
    sha256
        Of the PNG that is kept; its address.
    original_sha256
        Of the file that was given, which is not kept.
    pixel_size_um
        As the file said, um/px; the sample's own goes before it.
    notes
        What decoding did, what grading saw in the picture.
    chroma_sha256
        Of a PNG of how coloured each block of it was; ``None`` for a grey one.
    """

    id: int
    sample_id: int
    replicate: str
    name: str
    index: int | None
    sha256: str
    original_sha256: str
    width: int
    height: int
    pixel_size_um: float | None = None
    notes: tuple[str, ...] = ()
    chroma_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Work that survives a restart: an image to be graded, or what ``kind`` says.

    ``attempts`` counts how often it was begun; ``progress`` is 0 to 1; ``detail`` is the caller's
    own, as JSON can hold it.
    """

    id: int
    kind: str
    state: JobState
    sample_id: int | None
    image_id: int | None
    attempts: int
    progress: float
    created: datetime
    updated: datetime
    worker: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)
    code: str | None = None
    reason: str | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class StoredModel:
    """What graded: one row for each card that ever did.

    ``card_json`` is the card whole, so that a report can be built again when the bundle is gone.
    """

    name: str
    version: str
    sha256: str
    card_json: str
    error_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Find:
    """One thing found in an image, with the model's opinion: what grading hands to the store.

    Attributes
    ----------
    x, y, length, width, angle_deg
        Of the head in the image as :class:`androscope.imaging.located.Located` has them; ``None``
        where the image is a crop of one sperm.
    pixels
        ``(S, S)`` uint8 as graded; ``None`` where nothing was.
    parts
        The model's verdicts; empty where the find was left out.
    flags, notes
        Checks not passed, and what decoding and cropping did.
    excluded
        Why it was left out, or ``None``.
    is_sperm
        Whether it counts as a sperm.
    """

    x: float | None = None
    y: float | None = None
    length: float | None = None
    width: float | None = None
    angle_deg: float | None = None
    pixels: UInt8Array | None = field(default=None, repr=False, compare=False)
    parts: tuple[PartVerdict, ...] = ()
    flags: tuple[Flag, ...] = ()
    notes: tuple[str, ...] = ()
    excluded: str | None = None
    is_sperm: bool = True


@dataclass(frozen=True, slots=True)
class CropRecord:
    """A find as kept: the model's opinion, and the verdicts that stand now.

    Attributes
    ----------
    number
        In its image, from 1.
    opinion
        What the model said; never changes. Without pixels: see ``Crops.pixels``.
    verdicts
        By part, as they stand now.
    is_sperm
        As it stands now.
    reviewed
        Whether a person has accepted or changed it.
    need
        How much a person is needed, by the model's opinion alone: 2 and more where a part is
        undecided or a check was not passed, below 1 the nearer to 0 the surer the model.
    last_event
        Number of its last review in the log; 0: none.
    """

    id: int
    sample_id: int
    image_id: int
    number: int
    opinion: Find
    model: str
    verdicts: Mapping[str, Verdict]
    is_sperm: bool
    reviewed: bool
    need: float
    last_event: int = 0

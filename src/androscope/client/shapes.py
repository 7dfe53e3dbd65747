"""What the API says of what is kept: one model for each kind of thing, from the records' words.

The server writes them and the client reads them; neither pydantic models nor client need FastAPI.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from androscope.assessment.sample import Proportion
from androscope.assessment.tally import Counts
from androscope.records.entries import EventKind, SignedReport
from androscope.records.types import CropRecord, Page, SampleStatus, SampleSummary
from androscope.types import Failure, Verdict

__all__ = [
    "CropOut",
    "EventOut",
    "FailureOut",
    "FlagOut",
    "Id",
    "ImageOut",
    "InvalidField",
    "Listed",
    "ModelOut",
    "PartOut",
    "Problem",
    "ProgressOut",
    "QueuedOut",
    "SampleOut",
    "ShareOut",
    "SignedOut",
]

#: Of anything kept: within what every database holds.
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]

T = TypeVar("T")


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class Listed(_Shape, Generic[T]):
    """One page of a list."""

    items: list[T]
    page: int = Field(description="Which page this is, from 1.")
    per_page: int
    pages: int = Field(description="How many there are, one at least.")
    total: int = Field(description="How many items all pages have.")

    @classmethod
    def of(cls, page: Page[Any], items: list[T]) -> Self:
        """A page of the records, its items said already."""
        return cls(
            items=items, page=page.page, per_page=page.per_page, pages=page.pages, total=page.total
        )


class ShareOut(_Shape):
    """A fraction with its 95% Wilson interval; null where nothing was counted."""

    count: int
    n: int
    fraction: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, share: Proportion) -> Self:
        """From the assessment's own."""
        return cls.model_validate(share)


class FlagOut(_Shape):
    """A check that an image did not pass."""

    check: str
    value: float
    limit: float
    reason: str


class FailureOut(_Shape):
    """A file or picture that could not be assessed, and why."""

    name: str
    code: str
    reason: str
    advice: str | None
    flags: list[FlagOut] = []
    replicate: str | None = None

    @classmethod
    def of(cls, failure: Failure, replicate: str | None = None) -> Self:
        """From the package's own."""
        said = cls.model_validate(failure)
        return said.model_copy(update={"replicate": replicate})


class PartOut(_Shape):
    """The model's verdict on one part: the probability is that of *abnormal*, calibrated."""

    label: str
    probability: float
    threshold: float
    verdict: Verdict


class SampleOut(_Shape):
    """A sample and how far it has come; sperm are counted by the verdicts that stand now."""

    id: int
    name: str
    created: datetime
    created_by: str
    pixel_size_um: float | None
    comment: str
    settings: dict[str, str]
    status: SampleStatus
    images: int
    failures: int
    found: int
    assessed: int
    normal: int
    abnormal: int
    undecided: int
    reviewed: int
    open_jobs: int
    signed_version: int
    normal_share: ShareOut = Field(description="Of the sperm that were decided.")
    normal_bounds: tuple[float, float] | None = Field(
        description="The fraction normal if every undecided sperm were abnormal, and if every one "
        "were normal; null where none is undecided."
    )

    @classmethod
    def of(cls, sample: SampleSummary) -> Self:
        """From the records."""
        counts = Counts(sample.normal, sample.abnormal, sample.undecided)
        made = ("normal_share", "normal_bounds")
        own = {name: getattr(sample, name) for name in cls.model_fields if name not in made}
        return cls(
            **own | {"settings": dict(sample.settings)},
            normal_share=ShareOut.of(counts.fraction_normal),
            normal_bounds=counts.bounds if counts.undecided else None,
        )


class ProgressOut(_Shape):
    """How many of a sample's files and pictures are done, failed, cancelled, still to do."""

    done: int
    failed: int
    cancelled: int
    waiting: int
    over: bool


class ImageOut(_Shape):
    """A picture of a sample: a field with many sperm, or a crop of one."""

    id: int
    sample_id: int
    replicate: str
    name: str
    index: int | None
    sha256: str
    original_sha256: str = Field(description="Of the file that was given, which is not kept.")
    width: int
    height: int
    pixel_size_um: float | None
    notes: list[str]


class CropOut(_Shape):
    """Something found in a picture: what the model said of it, and the verdicts that stand now."""

    id: int
    sample_id: int
    image_id: int
    number: int = Field(description="In its picture, from 1.")
    x: float | None = Field(description="Of the head's centre in a field, px; null for a crop.")
    y: float | None
    length: float | None = Field(description="Of the head, px.")
    width: float | None
    angle_deg: float | None
    model: str
    opinion: list[PartOut] = Field(description="The model's; it never changes.")
    verdicts: dict[str, Verdict] = Field(description="As they stand now, by part.")
    is_sperm: bool
    excluded: str | None = Field(description="Why it was left out.")
    flags: list[FlagOut]
    notes: list[str]
    reviewed: bool
    need: float = Field(description="How much a person is needed; the larger, the more.")
    last_event: int = Field(description="Number of its last change in the log; 0: none.")

    @classmethod
    def of(cls, crop: CropRecord) -> Self:
        """From the records."""
        said = crop.opinion
        own = ("id", "sample_id", "image_id", "number", "model", "is_sperm", "reviewed", "need")
        geometry = ("x", "y", "length", "width", "angle_deg", "excluded")
        return cls(
            **{name: getattr(crop, name) for name in (*own, "last_event")},
            **{name: getattr(said, name) for name in geometry},
            opinion=[PartOut.model_validate(part) for part in said.parts],
            verdicts=dict(crop.verdicts),
            flags=[FlagOut.model_validate(flag) for flag in said.flags],
            notes=list(said.notes),
        )


class EventOut(_Shape):
    """One entry of the log; nothing in it ever changes."""

    number: int
    at: datetime
    actor: str
    kind: EventKind
    sample_id: int | None
    crop_id: int | None
    data: dict[str, Any]
    previous: str
    sha256: str


class SignedOut(_Shape):
    """A version of a report, frozen."""

    sample_id: int
    version: int
    signed_by: str
    signed_name: str
    comment: str
    at: datetime
    sha256: str = Field(description="Of the document as signed.")
    log: str = Field(description="The log it stands on: entries and hash of the last.")

    @classmethod
    def of(cls, report: SignedReport) -> Self:
        """From the records."""
        own = {name: getattr(report, name) for name in cls.model_fields if name != "log"}
        return cls(**own, log=str(report.anchor))


class QueuedOut(_Shape):
    """Files that are on the server's disk and wait to be decoded and graded."""

    sample_id: int
    files: list[str]
    progress: str = Field(description="Where to ask how far it is.")


class ModelOut(_Shape):
    """A model in a few words."""

    name: str
    version: str
    labels: list[str]
    sha256: str
    licence: str
    default: bool


class InvalidField(_Shape):
    """One thing in a request that is not as it should be."""

    where: str = Field(description="Such as `query.page`.")
    reason: str


class Problem(_Shape):
    """What every answer to a program is that is no success (RFC 9457)."""

    type: str = Field("about:blank", description="`urn:androscope:error:CODE`, as in docs/errors.")
    title: str
    status: int
    detail: str = ""
    code: str = ""
    advice: str | None = None
    errors: list[InvalidField] = []

"""What the log holds, and what stands on it: entries, signed reports, what verifying found.

Frozen, without a database behind them. Times are aware, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from androscope.types import Verdict

__all__ = [
    "Anchor",
    "Event",
    "EventKind",
    "Fault",
    "Observation",
    "SignedReport",
    "Verification",
]


class EventKind(StrEnum):
    """What an entry of the log says."""

    SAMPLE = "sample"  #: A sample was made.
    IMAGE = "image"  #: An image was added.
    UNREADABLE = "unreadable"  #: A file could not be used.
    GRADED = "graded"  #: The model's opinion on everything found in an image.
    VERDICT = "verdict"  #: A person changed the verdict on a part.
    SPERM = "sperm"  #: A person said that a find is none, or is one after all.
    ACCEPT = "accept"  #: A person looked at a crop and agrees with what stands.
    UNDO = "undo"  #: The last change of a crop that still stands was taken back.
    OBSERVE = "observe"  #: A second observer's opinion; it changes no verdict.
    SIGN = "sign"  #: A version of the report was signed.
    USER = "user"  #: A user was made, changed or shut out.
    RESTORE = "restore"  #: The store was restored from a backup.


@dataclass(frozen=True, slots=True)
class Anchor:
    """How long the log is and the hash of its last entry: what a copy elsewhere can hold.

    ``str`` of it is ``COUNT:HASH``; an empty log's hash is 64 zeros.
    """

    count: int
    head: str

    def __str__(self) -> str:
        return f"{self.count}:{self.head}"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log; nothing in it ever changes.

    Attributes
    ----------
    number
        From 1, without gaps.
    actor
        Who, by name.
    crop_id, sample_id
        What it is about, where it is about one.
    data
        The rest, as JSON can hold it: ``part``, ``from``, ``to``, ``why``, ``undoes``...
    previous, sha256
        Hash of the entry before, and of this one with it.
    """

    number: int
    at: datetime
    actor: str
    kind: EventKind
    sample_id: int | None
    crop_id: int | None
    data: Mapping[str, object]
    previous: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Observation:
    """A second observer's opinion on one crop: the last one given, apart from the record's own."""

    observer: str
    crop_id: int
    verdicts: Mapping[str, Verdict]
    is_sperm: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class SignedReport:
    """A version of a sample's report, frozen.

    ``document`` is its JSON as signed, byte by byte; ``anchor`` the log that it was built on.
    """

    id: int
    sample_id: int
    version: int
    signed_by: str
    signed_name: str
    comment: str
    at: datetime
    sha256: str
    document: str = field(repr=False)
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was recorded: what, which record, and how it is known."""

    record: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What ``verify`` looked at and found; ``anchor`` is to be kept elsewhere."""

    anchor: Anchor
    events: int
    crops: int
    images: int
    reports: int
    faults: tuple[Fault, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found altered or missing."""
        return not self.faults

"""What a page of the report is made of, in words and numbers, and how those are written."""

from __future__ import annotations

from dataclasses import dataclass

from androscope.report.sample.document import SampleReport, Share

__all__ = [
    "Bar", "Grid", "Picture", "Pictures", "View", "counted", "interval_text", "no_abstention",
    "percent_text",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """A fraction to draw; ``reference`` is a mark on it, as a fraction."""

    name: str
    count: str
    percent: str
    interval: str
    fraction: float
    low: float
    high: float
    normal: bool
    reference: float | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its head, its rows, and what stands below it."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's file as it is to be named in a report, its caption, and its encoded bytes."""

    name: str
    caption: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Pictures:
    """A group of pictures under a heading, and what is to be said of it."""

    title: str
    text: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class View:
    """Everything a page shows, in order."""

    title: str
    notice: str
    sample: str
    created: str
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    headline: tuple[str, str, str]
    remarks: tuple[str, ...]
    bars: tuple[Bar, ...]
    counts: Grid
    verdict: str
    agree: str
    agreement: Grid
    replicates: Grid
    regions: Grid
    indices: Grid
    failures: Grid
    galleries: tuple[Pictures, ...]
    overlays: Pictures
    model: tuple[tuple[str, str], ...]
    measured: Grid
    limits: tuple[str, ...]
    files: Grid
    method: tuple[str, ...]
    signed: tuple[str, ...] = ()


def no_abstention(report: SampleReport) -> str:
    """Why nothing is undecided, where nothing could be."""
    if report.verdicts.available:
        return "not asked for (--error-rate)"
    return "not available with this model"


def interval_text(share: Share) -> str:
    """A share's 95 % interval, or a dash."""
    return "-" if share.low is None else f"{share.low:.1%} to {share.high:.1%}"


def percent_text(share: Share) -> str:
    """A share with its counts and interval, or a dash."""
    if share.fraction is None:
        return "-"
    return f"{share.fraction:.1%} ({share.count} of {share.of}; {interval_text(share)})"


def counted(count: int, what: str) -> str:
    """`1 field`, `2 fields`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
